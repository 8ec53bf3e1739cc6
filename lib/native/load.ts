import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CudnnGruError } from '../errors.js';
import type { Addon } from './addon.js';
import { isMusl } from './libc.js';

// lib/native (or dist/native) lies two folders below the package's own.
const packageFolder = fileURLToPath(new URL('../..', import.meta.url));

interface NodeGypBuild {
  (folder: string): Addon;
  resolve(folder: string): string;
}

/** node-gyp-build takes only Alpine for a musl system; on another it chooses the glibc binary. */
function forLibc(path: string): string {
  const other = path.replace(/\.glibc\.node$/, '.musl.node');
  return other !== path && isMusl() && existsSync(other) ? other : path;
}

function platformTag(): string {
  const libc = process.platform !== 'linux' ? '' : isMusl() ? ' musl' : ' glibc';
  return `${process.platform}-${process.arch}${libc}, Node ${process.versions.node}, Node-API ${process.versions.napi}`;
}

function binariesIn(folder: string): string {
  if (!existsSync(folder)) return 'no such folder';
  const found = readdirSync(folder).filter((name) => name.endsWith('.node'));
  return found.length > 0 ? found.join(', ') : 'no .node file';
}

function explain(cause: unknown, chosen: string | undefined): CudnnGruError {
  const folders = [
    join(packageFolder, 'build', 'Release'),
    join(packageFolder, 'build', 'Debug'),
    join(packageFolder, 'prebuilds', `${process.platform}-${process.arch}`),
  ];
  const lines = [
    `The native addon of cudnn-gru ${chosen ? `was found but did not load: ${chosen}` : 'was not found'}.`,
    `  platform: ${platformTag()}`,
    ...(chosen ? [] : folders.map((folder) => `  tried: ${folder} (${binariesIn(folder)})`)),
    `  reason: ${cause instanceof Error ? cause.message.split('\n')[0] : String(cause)}`,
    '  remedy: install cudnn-gru again for this platform, or build it from source in its folder (a C++17 compiler, CMake >= 3.18):',
    '          npm install --no-save cmake-js node-addon-api node-api-headers && npm run build:native',
  ];
  return new CudnnGruError('ERR_ADDON_LOAD', lines.join('\n'), { cause });
}

function load(): Addon {
  const require = createRequire(import.meta.url);
  // CUDNN_GRU_ADDON names one binary, so that a test can run against either of the two builds.
  let chosen = process.env.CUDNN_GRU_ADDON || undefined;
  try {
    chosen ??= forLibc((require('node-gyp-build') as NodeGypBuild).resolve(packageFolder));
    const addon = require(chosen) as Addon;
    addon.setErrorClass(CudnnGruError);
    // process.exit() runs no cleanup hook of an addon: our threads would go on while the process takes its libraries down.
    process.once('exit', () => addon.stop());
    return addon;
  } catch (cause) {
    throw explain(cause, chosen);
  }
}

/** The native addon, loaded once for each environment (main thread or worker). */
export const addon: Addon = load();
