import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addon, requireBuilt, root, run, succeed } from './helpers.js';

const libc = process.platform === 'linux' ? (existsSync('/etc/alpine-release') ? '.musl' : '.glibc') : '';
const prebuild = `prebuilds/${process.platform}-${process.arch}/cudnn-gru${libc}.node`;

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'cudnn-gru-tarball-')));
const consumer = join(folder, 'consumer');
const installed = join(consumer, 'node_modules/cudnn-gru');
let packed: string[] = [];

// What a user gets: this tree with one prebuilt binary in it, packed, and installed elsewhere without running any script.
beforeAll(() => {
  const stage = join(folder, 'stage');
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: string[] };
  for (const name of [
    'package.json',
    '.npmrc',
    'binding.gyp',
    'README.md',
    'LICENSE',
    ...files.filter((name) => name !== 'prebuilds'),
  ])
    if (existsSync(join(root, name))) cpSync(join(root, name), join(stage, name), { recursive: true });
  requireBuilt(join(stage, 'dist/index.js'));
  cpSync(requireBuilt(addon), join(stage, prebuild));
  cpSync(join(root, '.gitignore'), join(stage, '.gitignore'));

  const report = JSON.parse(
    succeed('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], stage),
  );
  packed = report[0].files.map((file: { path: string }) => file.path);

  mkdirSync(consumer);
  writeFileSync(join(consumer, 'package.json'), '{ "name": "consumer", "private": true }');
  const options = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
  succeed('npm', ['install', ...options, join(folder, report[0].filename)], consumer);
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a program text in the consumer's folder. */
function program(name: string, text: string, env: NodeJS.ProcessEnv = {}) {
  writeFileSync(join(consumer, name), text);
  return run(process.execPath, [name], consumer, env);
}

// Prints which addon was loaded, after computing something with it.
const compute = `
  const sum = cudnn.tensor([1, 2, 3]).add(cudnn.tensor([10, 20, 30]));
  const loaded = process.report.getReport().sharedObjects.filter((path) => path.endsWith('.node'));
  sum.data().then((values) => console.log(JSON.stringify({ values: [...values], loaded })));
`;

describe('the packed and installed package', () => {
  it('contains the compiled library, its types, the binary and the sources, and no binding.gyp', () => {
    for (const name of [
      'dist/index.js',
      'dist/index.d.ts',
      'dist/cli/main.js',
      'LICENSE',
      'CMakeLists.txt',
      'native/sources.txt',
      prebuild,
    ])
      expect(packed).toContain(name);
    // npm would compile a root binding.gyp on every install.
    expect(packed.filter((name) => /binding\.gyp|^(test|lib|examples|benchmarks)\/|\.tsbuildinfo$/.test(name))).toEqual(
      [],
    );
  });

  it('loads the prebuilt binary with import and computes', () => {
    const { stdout, stderr, status } = program('import.mjs', `import * as cudnn from 'cudnn-gru';${compute}`);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ values: [11, 22, 33], loaded: [join(installed, prebuild)] });
    expect(status).toBe(0);
  });

  it('loads with require, from the same single instance', () => {
    const text = `
      const cudnn = require('cudnn-gru');
      import('cudnn-gru').then((imported) => {
        console.log(imported.Tensor === cudnn.Tensor, imported.GRU === cudnn.GRU, typeof cudnn.GRU);
      });`;
    const { stdout } = program('require.cjs', text);
    expect(stdout).toBe('true true function\n');
  });

  it('prefers a local build over the prebuilt binary', () => {
    const built = join(installed, 'build/Release/cudnn_gru.node');
    cpSync(addon, built);
    const { stdout } = program('build.mjs', `import * as cudnn from 'cudnn-gru';${compute}`);
    rmSync(join(installed, 'build'), { recursive: true });
    expect(JSON.parse(stdout)).toEqual({ values: [11, 22, 33], loaded: [built] });
  });

  it('says what was tried and what to do when there is no binary', () => {
    cpSync(join(installed, prebuild), join(folder, 'aside.node'));
    rmSync(join(installed, prebuild));
    const { stderr, status } = program('missing.mjs', `import * as cudnn from 'cudnn-gru';${compute}`);
    cpSync(join(folder, 'aside.node'), join(installed, prebuild));
    expect(status).toBe(1);
    expect(stderr).toContain(join(installed, 'build', 'Release'));
    expect(stderr).toContain(join(installed, 'prebuilds'));
    expect(stderr).toContain(`${process.platform}-${process.arch}`);
    expect(stderr).toContain('build:native');
  });

  it.each([
    ['Node16', 'Node16'],
    ['NodeNext', 'NodeNext'],
    ['ESNext', 'Bundler'],
  ])('has types for a strict TypeScript program: module %s, resolution %s', (module, moduleResolution) => {
    writeFileSync(
      join(consumer, 'program.mts'),
      `import { GRU, type Tensor, tensor } from 'cudnn-gru';
       const gru = new GRU({ inputSize: 2, hiddenSize: 3 });
       export const hidden: Tensor = gru.forward(tensor([[[1, 2]]])).hidden;
       // @ts-expect-error: a size is a number
       new GRU({ inputSize: '2', hiddenSize: 3 });`,
    );
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      module,
      moduleResolution,
      target: 'ES2023',
      lib: ['ES2023', 'ESNext.Disposable'],
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
      noEmit: true,
    };
    writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.mts'] }));
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout, status } = run(process.execPath, [compiler, '-p', '.'], consumer);
    expect(stdout).toBe('');
    expect(status).toBe(0);
  });

  it('installs the command line', () => {
    expect(succeed('npx', ['--no-install', 'cudnn-gru', '--help'], consumer)).toContain('train');
  });

  it('carries the status page, and names the packages that the server still needs', () => {
    expect(packed).toContain('assets/status.html');
    const { stderr, status } = run('npx', ['--no-install', 'cudnn-gru', 'serve', 'model.safetensors'], consumer);
    expect(stderr).toMatch(/^error: .*: npm install fastify @fastify\/swagger .*typebox$/m);
    expect(status).toBe(1);
  });
});
