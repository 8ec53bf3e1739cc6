// Fills prebuilds/ with the published package's binaries: prebuildify, with zig as cross compiler. `npm run prebuild` makes all of
// scripts/prebuild/targets.mjs, `npm run prebuild -- linux-x64-glibc win32-x64` those named; `-- --check` makes none, but fails unless
// all are there and fit for shipping.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prebuildPath, targets } from './prebuild/targets.mjs';
import { zig } from './prebuild/zig.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const prebuildify = createRequire(import.meta.url).resolve('prebuildify/bin.js');

function node(...args) {
  return spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status === 0;
}

function build({ name, platform, arch, libc }) {
  console.log(`== ${name}`);
  const folder = join(root, 'build', 'prebuild', name);
  mkdirSync(folder, { recursive: true });
  // Its own folder, since prebuildify moves the binary away from where it was linked: build/Release keeps this clone's.
  const where = ['--cwd', folder, '--out', root, '--name', 'cudnn-gru'];
  const what = ['--napi', '--target', 'node@20.20.2', '--platform', platform, '--arch', arch];
  const tags = [
    ...(libc ? ['--libc', libc, '--tag-libc', libc] : []),
    ...(platform === 'linux' && arch === 'arm64' ? ['--armv', '8', '--tag-armv'] : []),
  ];
  return node(prebuildify, ...where, ...what, ...tags, '--node-gyp', join(root, 'scripts/prebuild/builder.mjs'));
}

const asked = process.argv.slice(2);
if (asked[0] === '--check') process.exit(node('scripts/check-binary.mjs', ...targets.map(prebuildPath)) ? 0 : 1);
const unknown = asked.find((name) => !targets.some((target) => target.name === name));
if (unknown) {
  console.error(`'${unknown}': expected ${targets.map((target) => target.name).join(', ')}`);
  process.exit(1);
}
zig();
const chosen = targets.filter(({ name }) => asked.length === 0 || asked.includes(name));
if (chosen.some(({ cuda }) => cuda) && !node('scripts/cuda-toolkit.mjs')) process.exit(1);
for (const target of chosen) {
  const file = prebuildPath(target);
  rmSync(join(root, file), { force: true });
  const good =
    build(target) &&
    node('scripts/check-binary.mjs', file) &&
    (target.platform !== 'linux' || node('scripts/check-simd-objects.mjs', join('build', 'prebuild', target.name)));
  if (good) continue;
  // What must not be shipped does not stay.
  rmSync(join(root, file), { force: true });
  process.exit(1);
}
