// Builds the addon with cmake-js: build/Release/cudnn_gru.node. Extra arguments go to cmake-js and configure anew, for instance
//   npm run build:native -- --out build/asan --CDCUDNN_GRU_SANITIZE=address
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What is missing on this machine for a native build, as one line; undefined if nothing is. */
export function missingForNativeBuild() {
  const runs = (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
  const missing = [];
  if (!runs('cmake')) missing.push('CMake 3.18 or newer');
  // On Windows cmake-js finds Visual Studio by itself.
  if (process.platform !== 'win32' && ![process.env.CXX, 'c++', 'g++', 'clang++'].some((name) => name && runs(name)))
    missing.push('a C++17 compiler');
  if (!cmakeJs()) missing.push('the packages cmake-js, node-addon-api and node-api-headers');
  return missing.length === 0 ? undefined : missing.join(' and ');
}

function cmakeJs() {
  try {
    return createRequire(import.meta.url).resolve('cmake-js/bin/cmake-js');
  } catch {
    return undefined;
  }
}

export function buildNative(args = []) {
  console.log('cudnn-gru: native build');
  const jobs = process.env.CMAKE_BUILD_PARALLEL_LEVEL ?? String(availableParallelism());
  // Configured each time: a CUDA toolkit may have come since.
  for (const step of ['configure', 'build']) {
    // `build` and not `compile`: after a compiler error `compile` would throw the whole build folder away.
    const command = [cmakeJs(), step, '--log-level', 'error', '--parallel', jobs, ...args];
    const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' });
    if (status !== 0) process.exit(status ?? 1);
  }
  if (args.length === 0) console.log(`cudnn-gru: built ${join('build', 'Release', 'cudnn_gru.node')}`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const missing = missingForNativeBuild();
  if (missing) {
    console.error(`cudnn-gru: the native addon cannot be built here: it needs ${missing}.`);
    process.exit(1);
  }
  buildNative(process.argv.slice(2));
}
