// Fills prebuilds/<platform>-<arch>/ for this machine: prebuildify, with cmake-js as its builder.
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join('prebuilds', `${process.platform}-${process.arch}`);

function node(...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

// A second binary for the same platform would make the choice at load time ambiguous.
rmSync(join(root, folder), { recursive: true, force: true });

const prebuildify = createRequire(import.meta.url).resolve('prebuildify/bin.js');
const builder = join(root, 'scripts/prebuild-builder.mjs');
node(prebuildify, '--napi', '-t', 'node@20.20.2', '--strip', '--tag-libc', '--node-gyp', builder);

// prebuildify moves the addon away: link it again for this clone.
node('scripts/build-native.mjs');

for (const name of readdirSync(join(root, folder))) {
  if (process.platform === 'linux') node('scripts/check-binary.mjs', join(folder, name));
  else console.log(join(folder, name));
}
