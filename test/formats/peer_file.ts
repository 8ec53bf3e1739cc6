import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { loadSafetensors, type Tensor } from '../../lib/index.js';

/** The path of a file that a real framework wrote. */
export function peerFile(name: string): string {
  return fileURLToPath(new URL(`../fixtures/peers/${name}`, import.meta.url));
}

/** What the framework was given and what it computed: `input0`, ..., `output0`, ... */
export function expectedTensors(name: string): Promise<Record<string, Tensor>> {
  return loadSafetensors(peerFile(`${name}.expected.safetensors`));
}

/** Same shape, and no element further off than `tolerance`. */
export async function expectClose(ours: Tensor, theirs: Tensor | undefined, tolerance = 1e-5): Promise<void> {
  expect(ours.shape).toEqual(theirs?.shape);
  const expected = await (theirs as Tensor).data();
  for (const [index, value] of (await ours.data()).entries()) {
    expect(Math.abs(value - (expected[index] as number)), `element ${index}`).toBeLessThan(tolerance);
  }
}
