#!/usr/bin/env node
// prebuildify calls this in node-gyp's place, as `rebuild --target=… --arch=… --release`, in the folder where it then expects one
// build/Release/*.node. What to build for stands in the environment: PREBUILD_PLATFORM, PREBUILD_ARCH and PREBUILD_LIBC.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { buildNative } from '../build-native.mjs';
import { cache } from '../wheels.mjs';
import { targets } from './targets.mjs';
import { zig } from './zig.mjs';

const systems = { linux: 'Linux', darwin: 'Darwin', win32: 'Windows' };

const { PREBUILD_PLATFORM: platform, PREBUILD_ARCH: arch, PREBUILD_LIBC: libc } = process.env;
const target = targets.find(
  (one) => one.platform === platform && one.arch === arch && (one.libc === undefined || one.libc === libc),
);
if (!target) throw new Error(`no prebuilt binary is made for ${platform}-${arch} ${libc}`);

const folder = join(process.cwd(), 'build');
mkdirSync(join(folder, 'Release'), { recursive: true });

const compiler = join(folder, 'zig-c++');
writeFileSync(compiler, `#!/bin/sh\nexec '${zig()}' c++ -target ${target.zig} -g0 -fno-sanitize=undefined "$@"\n`);
chmodSync(compiler, 0o755);
process.env.CUDNN_GRU_TARGET_SYSTEM = systems[platform];
process.env.CUDNN_GRU_TARGET_CXX = compiler;
process.env.ZIG_GLOBAL_CACHE_DIR ??= join(cache, 'zig');
process.env.ZIG_LOCAL_CACHE_DIR ??= join(cache, 'zig');

const options = [
  '--out',
  folder,
  '--arch',
  arch,
  `--CDCMAKE_TOOLCHAIN_FILE=${join(import.meta.dirname, 'toolchain.cmake')}`,
  `--CDCUDNN_GRU_CUDA=${target.cuda ? 'ON' : 'OFF'}`,
];
if (platform === 'win32') {
  options.push(`--CDCMAKE_RUNTIME_OUTPUT_DIRECTORY=${join(folder, 'Release')}`);
  // For native/platform/node_api_windows.cc: every function of the Node-API version that package.json names.
  const { node_api_symbols, js_native_api_symbols } = createRequire(import.meta.url)('node-api-headers').symbols.v8;
  const lines = [...node_api_symbols, ...js_native_api_symbols].map((name) => `NODE_API_FUNCTION(${name})\n`);
  writeFileSync(join(folder, 'node_api_functions.h'), lines.join(''));
}
buildNative(options);
