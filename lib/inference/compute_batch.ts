import { noGrad } from '../autograd/tape.js';
import type { HostArray, NumericArray } from '../data/types.js';
import { upload } from '../ops/result.js';
import type { Device } from '../tensor/device.js';
import { scope } from '../tensor/scope.js';
import { elementCount } from '../tensor/tensor.js';
import type { Signature } from './signature.js';

/** The tensors of one call, in the order of the signature's inputs or outputs; the first axis is the batch. */
export type HostTensors = readonly HostArray[];

/**
 * Computes several calls as one batch: their inputs, which differ in the first axis only, are laid behind each other, and each call gets its
 * rows of the outputs.
 */
export async function computeBatch(
  signature: Signature,
  device: Device,
  calls: readonly HostTensors[],
): Promise<HostTensors[]> {
  const joined = signature.inputs.map((_, input) => join(calls.map((call) => call[input] as HostArray)));
  const outputs = scope(() =>
    noGrad(() => signature.run(joined.map(({ data, shape }) => upload(data, shape, device)))),
  );
  try {
    const results = await Promise.all(
      outputs.map(async (output) => ({ data: (await output.data()) as NumericArray, shape: output.shape })),
    );
    let first = 0;
    return calls.map((call) => {
      const rows = call[0]?.shape[0] as number;
      const own = results.map((result) => rowsOf(result, first, rows));
      first += rows;
      return own;
    });
  } finally {
    for (const output of outputs) output.dispose();
  }
}

function join(parts: readonly HostArray[]): HostArray {
  const first = parts[0] as HostArray;
  if (parts.length === 1) return first;
  const rows = parts.reduce((sum, { shape }) => sum + (shape[0] as number), 0);
  const shape = [rows, ...first.shape.slice(1)];
  const data = new (first.data instanceof Int32Array ? Int32Array : Float32Array)(elementCount(shape));
  let offset = 0;
  for (const part of parts) {
    data.set(part.data, offset);
    offset += part.data.length;
  }
  return { data, shape };
}

function rowsOf({ data, shape }: HostArray, first: number, rows: number): HostArray {
  if (rows === shape[0]) return { data, shape };
  const width = elementCount(shape.slice(1));
  return { data: data.subarray(first * width, (first + rows) * width), shape: [rows, ...shape.slice(1)] };
}
