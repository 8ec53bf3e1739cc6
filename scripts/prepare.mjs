// Run by npm after `npm ci` in a clone and when the package is installed from git: one native build, then the TypeScript build.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildNative, missingForNativeBuild } from './build-native.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const missing = missingForNativeBuild();
if (missing) {
  console.error(
    `cudnn-gru: the native addon was not built: it needs ${missing}. Install that and run: npm run build:native`,
  );
} else {
  buildNative();
}

rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true });
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
for (const project of ['tsconfig.json', 'tsconfig.examples.json']) {
  const { status } = spawnSync(process.execPath, [tsc, '-p', project], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
