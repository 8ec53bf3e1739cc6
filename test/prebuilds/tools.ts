import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Runtimes and other downloads; git ignores it. */
export const cache = join(root, '.cache');

export interface Result {
  status: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs a program to its end. Its output goes to files, since Windows programs under Wine cannot write to pipes; the event loop stays
 * free, since a test may take longer than vitest waits for a sign of life.
 */
export async function run(command: string[], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<Result> {
  const [program, ...args] = command as [string, ...string[]];
  const { CUDNN_GRU_ADDON: _, CUDNN_GRU_CPU: __, ...inherited } = process.env;
  const name = join(cwd, `.output-${process.pid}-${Math.random().toString(36).slice(2)}`);
  const [out, err] = [openSync(`${name}.out`, 'w'), openSync(`${name}.err`, 'w')];
  try {
    const status = await new Promise<number | null>((resolve, reject) => {
      const child = spawn(program, args, { cwd, env: { ...inherited, ...env }, stdio: ['ignore', out, err] });
      child.once('error', reject);
      child.once('exit', resolve);
    });
    return { status, stdout: readFileSync(`${name}.out`, 'utf8'), stderr: readFileSync(`${name}.err`, 'utf8') };
  } finally {
    closeSync(out);
    closeSync(err);
    rmSync(`${name}.out`);
    rmSync(`${name}.err`);
  }
}

/** Runs a program that must succeed, and returns what it printed. */
export async function succeed(command: string[], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { status, stdout, stderr } = await run(command, cwd, env);
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}\n${stdout}\n${stderr}`);
  return stdout;
}

/** A folder of `.cache` that `fill` makes once, whole or not at all. */
export async function cached(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  try {
    await fill(unfinished);
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return folder;
}

/** An npm package, unpacked without what it depends on. */
export function npmPackage(spec: string): Promise<string> {
  return cached(spec.replaceAll(/[@/]/g, '-').replace(/^-/, ''), async (folder) => {
    const file = await succeed(['npm', 'pack', '--silent', '--pack-destination', folder, spec], folder);
    await succeed(['tar', 'xzf', file.trim().split('\n').at(-1) as string, '--strip-components=1'], folder);
  });
}
