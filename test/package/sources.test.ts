import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from './helpers.js';

function listedSources(): string[] {
  return readFileSync(join(root, 'native/sources.txt'), 'utf8')
    .split(/\r?\n/)
    .filter((line) => line !== '' && !line.startsWith('#') && !line.startsWith('['));
}

// A forgotten file builds nothing and fails only where its first caller is linked, or not at all.
it('native/sources.txt names every C++ and CUDA source exactly once', () => {
  const present = readdirSync(join(root, 'native'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(cc|cu)$/.test(name))
    .map((name) => join('native', name).replaceAll('\\', '/'));
  expect(listedSources().sort()).toEqual(present.sort());
});

it('only native/platform asks which operating system this is', () => {
  const asks =
    /\b(_WIN32|WIN32|_MSC_VER|__linux__|__APPLE__|__unix__|_POSIX_VERSION)\b|#include <(windows|unistd|dlfcn|pthread|sys\/)/;
  const files = readdirSync(join(root, 'native'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(cc|h|cu|cuh)$/.test(name),
  );
  expect(files.length).toBeGreaterThan(100);
  const found = files.filter((name) => asks.test(readFileSync(join(root, 'native', name), 'utf8')));
  expect(found.map((name) => name.replaceAll('\\', '/').split('/')[0])).toEqual(found.map(() => 'platform'));
  expect(found.length).toBeGreaterThan(0);
});

// nvcc's host compiler and the one that links the shipped binary have C++ libraries of their own.
it('CUDA kernels hold nothing of the C++ library', () => {
  const folder = join(root, 'native/cuda/kernels');
  const files = readdirSync(folder).filter((name) => /\.(h|cu|cuh)$/.test(name));
  expect(files.length).toBeGreaterThan(30);
  for (const name of files) {
    const text = readFileSync(join(folder, name), 'utf8');
    const headers = [...text.matchAll(/#include <(.*?)>/g)].map((match) => match[1]);
    expect(
      headers.filter((header) => !/^(cuda_\w+|stdint)\.h$/.test(header as string)),
      name,
    ).toEqual([]);
    expect(text, name).not.toContain('std::');
  }
});

interface Lockfile {
  packages: Record<string, { resolved?: string; optionalDependencies?: Record<string, string> }>;
}
const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lockfile;

it('no registry address in the lockfile: it installs from any mirror', () => {
  expect(Object.values(lock.packages).filter((entry) => entry.resolved)).toEqual([]);
});

// npm leaves them out when the lockfile is rewritten beside an installed tree; `npm ci` then fails everywhere.
it('the lockfile holds the optional packages of every platform', () => {
  const locked = new Set(Object.keys(lock.packages).map((path) => path.split('node_modules/').at(-1)));
  const optional = Object.values(lock.packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}));
  expect(optional.length).toBeGreaterThan(0);
  expect(optional.filter((name) => !locked.has(name))).toEqual([]);
});

it('run-time dependencies are pinned, so that an installation is the tested one', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const [name, version] of Object.entries(dependencies)) expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
});
