import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect } from 'vitest';
import { loadSafetensors, type Tensor } from '../../dist/index.js';

/** A folder for the files that pass between the two; removed after the tests of the file. */
export const folder = mkdtempSync(join(tmpdir(), 'cudnn-gru-peers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
export const inFolder = (name: string) => join(folder, name);

/** Runs one of the Python programs of this folder. @returns what it printed, as JSON */
export function python(program: string, ...words: string[]): unknown {
  const command = process.env.CUDNN_GRU_PEERS_PYTHON;
  if (!command) throw new Error('run these tests by npm run test:peers');
  const path = fileURLToPath(new URL(program, import.meta.url));
  const env = { ...process.env, KERAS_BACKEND: 'torch' };
  const printed = execFileSync(command, [path, ...words], {
    encoding: 'utf8',
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(printed);
}

/** The tensors of a safetensors file in the folder. */
export function tensors(name: string): Promise<Record<string, Tensor>> {
  return loadSafetensors(inFolder(name));
}

/** Same shape, and no element further off than `tolerance`. */
export async function expectClose(ours: Tensor, theirs: Tensor | undefined, tolerance = 1e-5): Promise<void> {
  expect(ours.shape).toEqual(theirs?.shape);
  const expected = await (theirs as Tensor).data();
  let worst = 0;
  for (const [index, value] of (await ours.data()).entries()) {
    const distance = Math.abs(value - (expected[index] as number));
    if (!(distance <= worst)) worst = distance;
  }
  expect(worst).toBeLessThan(tolerance);
}
