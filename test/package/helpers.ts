import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The addon that this test run is about: the one named by CUDNN_GRU_ADDON, else this clone's own build. */
export const addon = process.env.CUDNN_GRU_ADDON || join(root, 'build/Release/cudnn_gru.node');

export interface Result {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end. `env` is added to the environment, without the variable that overrides the addon. */
export function run(program: string, args: string[], cwd: string, env: NodeJS.ProcessEnv = {}): Result {
  const { CUDNN_GRU_ADDON: _, ...inherited } = process.env;
  const options = { cwd, env: { ...inherited, ...env }, encoding: 'utf8' } as const;
  const { status, stdout, stderr, error } = spawnSync(program, args, options);
  if (error) throw error;
  return { status, stdout, stderr };
}

/** Runs a program that must succeed, and returns what it printed. */
export function succeed(program: string, args: string[], cwd: string, env: NodeJS.ProcessEnv = {}): string {
  const { status, stdout, stderr } = run(program, args, cwd, env);
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}\n${stdout}\n${stderr}`);
  return stdout;
}

export function requireBuilt(path: string): string {
  if (!existsSync(path)) throw new Error(`${path} is missing: run npm run build first`);
  return path;
}
