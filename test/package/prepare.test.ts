import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { root, run } from './helpers.js';

const clone = realpathSync(mkdtempSync(join(tmpdir(), 'cudnn-gru-prepare-')));
afterAll(() => rmSync(clone, { recursive: true, force: true }));

it.skipIf(process.platform === 'win32')(
  'prepare without CMake says so in one line and still builds the TypeScript part',
  () => {
    for (const name of [
      'package.json',
      'scripts',
      'lib',
      'examples',
      'tsconfig.json',
      'tsconfig.examples.json',
      'native',
      'CMakeLists.txt',
    ])
      cpSync(join(root, name), join(clone, name), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'));
    const programs = join(clone, 'programs');
    mkdirSync(programs);

    const { status, stdout, stderr } = run(process.execPath, ['scripts/prepare.mjs'], clone, {
      PATH: programs,
      CXX: '',
    });
    expect(stderr).toBe(
      'cudnn-gru: the native addon was not built: it needs CMake 3.18 or newer and a C++17 compiler. ' +
        'Install that and run: npm run build:native\n',
    );
    expect(status, stdout).toBe(0);
    expect(existsSync(join(clone, 'dist/index.js'))).toBe(true);
    expect(existsSync(join(clone, 'build'))).toBe(false);
  },
  240_000, // TypeScript compiles everything, and on a busy machine takes its time
);
