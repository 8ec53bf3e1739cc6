import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const probe = fileURLToPath(new URL('memory_probe.mjs', import.meta.url));

/** What a process found that read or wrote one file. */
export interface Cost {
  /** Memory that it took at most, beside what the process had before. Measured on Linux. */
  bytes: number;
  /** Of computing, by all threads. */
  milliseconds: number;
  /** Of its error. */
  code?: string;
  message?: string;
}

/** Measures with the compiled library: see memory_probe.mjs. */
export async function cost(mode: 'read' | 'write', name: string, first: string, file: string): Promise<Cost> {
  if (!existsSync(fileURLToPath(new URL('../../dist/index.js', import.meta.url)))) throw new Error('npm run build:ts');
  const env = { ...process.env, CUDNN_GRU_THREADS: '1' };
  const { stdout } = await run(process.execPath, ['--expose-gc', probe, mode, name, first, file], { env });
  return JSON.parse(stdout) as Cost;
}
