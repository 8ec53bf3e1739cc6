import { cpSync, existsSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prebuildPath, targets } from '../../scripts/prebuild/targets.mjs';
import { type Consumer, installTarball } from './consumer.js';
import { cached, root, succeed } from './tools.js';

let consumer: Consumer;
beforeAll(async () => {
  consumer = await installTarball();
});
afterAll(() => consumer && rmSync(dirname(consumer.folder), { recursive: true, force: true }));

const binaries = targets.filter((target) => existsSync(join(root, prebuildPath(target))));
const absent = targets.filter((target) => !binaries.includes(target)).map(({ name }) => name);

describe('the tarball', () => {
  it('holds the binaries, the library, its types, and what a build from source needs; it is at most 25 MB', () => {
    const paths = consumer.files.map(({ path }) => path);
    const listed = [...binaries.map(prebuildPath), 'dist/index.js', 'dist/index.d.ts', 'dist/cli/main.js', 'LICENSE'];
    const sources = ['CMakeLists.txt', 'native/sources.txt', 'native/exports.map', 'scripts/build-native.mjs'];
    for (const path of [...listed, ...sources]) expect(paths).toContain(path);
    expect(paths.filter((path) => /binding\.gyp|^(test|lib|examples|benchmarks|\.)/.test(path))).toEqual([]);
    expect(consumer.packedBytes).toBeLessThan(25e6);

    const weights = new Map<string, number>();
    for (const { path, size } of consumer.files) {
      const part = path.startsWith('prebuilds/') ? path : (path.split('/')[0] as string);
      weights.set(part, (weights.get(part) ?? 0) + size);
    }
    const rows = [...weights]
      .sort((a, b) => b[1] - a[1])
      .map(([part, size]) => `${(size / 1e6).toFixed(2)} MB  ${part}`);
    console.log(`packed: ${(consumer.packedBytes / 1e6).toFixed(2)} MB; unpacked:\n${rows.join('\n')}`);
  });

  it('holds the binary of every platform', (ctx) => {
    if (absent.length > 0 && !process.env.CUDNN_GRU_ALL_PREBUILDS) ctx.skip(`not built here: ${absent.join(', ')}`);
    expect(absent).toEqual([]);
  });

  it.each(binaries.map((target) => [target.name, target] as const))(
    'the binary of %s passes the link checks',
    async (_, target) => {
      await succeed([process.execPath, join(root, 'scripts/check-binary.mjs'), prebuildPath(target)], root);
    },
  );
});

describe('installed', () => {
  it('npx cudnn-gru doctor', async () => {
    const report = JSON.parse(await succeed(['npx', '--no-install', 'cudnn-gru', 'doctor', '--json'], consumer.folder));
    expect(report).toMatchObject({
      error: null,
      addon: expect.stringContaining(join(consumer.installed, 'prebuilds')),
    });
  });

  it('on a platform without a binary: one error, which says how to build', async () => {
    writeFileSync(
      join(consumer.folder, 'other.mjs'),
      `Object.defineProperty(process, 'arch', { value: 'riscv64' });
       const error = await import('cudnn-gru').then(() => null, (error) => error);
       console.log(error.code, error.message);`,
    );
    // node-gyp-build asks npm's variable before it asks the operating system.
    const env = { npm_config_arch: 'riscv64' };
    const output = await succeed([process.execPath, 'other.mjs'], consumer.folder, env);
    expect(output).toContain('ERR_ADDON_LOAD');
    expect(output).toContain('linux-riscv64');
    expect(output).toContain('npm run build:native');
  });

  it('builds from source in its own folder', async () => {
    const copy = join(dirname(consumer.folder), 'source');
    cpSync(consumer.installed, copy, { recursive: true });
    rmSync(join(copy, 'prebuilds'), { recursive: true });
    // What the error tells the user to install.
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    await succeed(['npm', 'run', 'build:native'], copy);
    const main = join(copy, 'dist/cli/main.js');
    const report = JSON.parse(await succeed([process.execPath, main, 'doctor', '--json'], copy));
    expect(report).toMatchObject({ error: null, addon: join(copy, 'build/Release/cudnn_gru.node') });
  });
});

describe('bundled programs that leave the package external', () => {
  const entry = "import { tensor } from 'cudnn-gru';\nconsole.log([...(await tensor([1, 2]).mul(2).data())].join());\n";
  const tools = () =>
    cached('bundlers-1', async (folder) => {
      writeFileSync(join(folder, 'package.json'), '{ "name": "bundlers", "private": true }');
      // esbuild's binary is a package of its own: no script is needed.
      const packages = ['esbuild@0.28.2', 'webpack@5.112.2', 'webpack-cli@7.3.1'];
      await succeed(['npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', ...packages], folder);
    });
  const commands: Record<string, string[]> = {
    esbuild: [
      'entry.mjs',
      '--bundle',
      '--platform=node',
      '--format=esm',
      '--external:cudnn-gru',
      '--outfile=bundled/esbuild.mjs',
    ],
    webpack: ['--config', 'webpack.config.mjs'],
  };

  it.each(Object.entries(commands))('%s', async (name, args) => {
    writeFileSync(join(consumer.folder, 'entry.mjs'), entry);
    writeFileSync(
      join(consumer.folder, 'webpack.config.mjs'),
      `export default {
        entry: './entry.mjs', mode: 'production', target: 'node20', experiments: { outputModule: true },
        externals: { 'cudnn-gru': 'module cudnn-gru' }, externalsType: 'module',
        output: { path: import.meta.dirname + '/bundled', filename: 'webpack.mjs', module: true },
      };`,
    );
    const program = join(await tools(), 'node_modules/.bin', name);
    await succeed([program, ...args], consumer.folder);
    expect(await succeed([process.execPath, `bundled/${name}.mjs`], consumer.folder)).toBe('2,4\n');
  });
});
