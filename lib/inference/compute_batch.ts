import { noGrad } from '../autograd/tape.js';
import type { HostArray, NumericArray } from '../data/types.js';
import { upload } from '../ops/result.js';
import type { Device } from '../tensor/device.js';
import { scope } from '../tensor/scope.js';
import { elementCount, type Tensor } from '../tensor/tensor.js';
import type { Signature, TensorSpec } from './signature.js';

/** The tensors of one call, in the order of the signature's inputs or outputs; the first axis is the batch. */
export type HostTensors = readonly HostArray[];

/**
 * What calls must have in common to be computed as one batch: all sizes but those of the batch. Where sequences of several lengths may be
 * together, their steps must have the same number of binary digits, so that padding never more than doubles the work.
 */
export function batchKey({ inputs, takesLengths }: Signature, call: HostTensors): string {
  return call
    .map(({ shape }, input) =>
      shape
        .slice(1)
        .map((size, i) =>
          takesLengths && inputs[input]?.shape[i + 1] === 'time' ? `≤ ${2 ** Math.ceil(Math.log2(size))}` : size,
        ),
    )
    .join('/');
}

/**
 * Computes several calls as one batch: their inputs are laid behind each other, shorter sequences padded, and each call gets its rows and
 * steps of the outputs.
 *
 * @param wanted which of the signature's outputs are read. Default: all
 * @returns for each call, in the order of `wanted`
 */
export async function computeBatch(
  signature: Signature,
  device: Device,
  calls: readonly HostTensors[],
  wanted: readonly number[] = signature.outputs.map((_, output) => output),
): Promise<HostTensors[]> {
  const { inputs } = signature;
  const outputs = wanted.map((output) => signature.outputs[output] as TensorSpec);
  const rows = calls.map((call) => call[0]?.shape[0] as number);
  const times = calls.map((call) => timeOf(inputs, call));
  const time = Math.max(...times);
  const isPadded = times.some((each) => each !== time);
  const lengths = isPadded
    ? Int32Array.from(calls.flatMap((_, i) => Array<number>(rows[i] as number).fill(times[i] as number)))
    : null;
  const joined = inputs.map((spec, input) =>
    join(
      calls.map((call) => call[input] as HostArray),
      spec,
      time,
    ),
  );
  const tensors = scope(() =>
    noGrad(() =>
      signature.run(
        joined.map(({ data, shape }) => upload(data, shape, device)),
        lengths,
      ),
    ),
  );
  try {
    const results = await Promise.all(
      wanted.map(async (output) => {
        const tensor = tensors[output] as Tensor;
        return { data: (await tensor.data()) as NumericArray, shape: tensor.shape };
      }),
    );
    let first = 0;
    return calls.map((_, i) => {
      const own = results.map((result, output) => {
        const part = rowsOf(result, first, rows[i] as number);
        return isPadded ? stepsOf(part, outputs[output] as TensorSpec, times[i] as number) : part;
      });
      first += rows[i] as number;
      return own;
    });
  } finally {
    for (const tensor of tensors) tensor.dispose();
  }
}

// 0 for a call without sequences.
function timeOf(inputs: readonly TensorSpec[], call: HostTensors): number {
  const input = inputs.findIndex(({ shape }) => shape[1] === 'time');
  return call[input]?.shape[1] ?? 0;
}

function join(parts: readonly HostArray[], { shape: axes }: TensorSpec, time: number): HostArray {
  const first = parts[0] as HostArray;
  if (parts.length === 1) return first;
  const rows = parts.reduce((sum, { shape }) => sum + (shape[0] as number), 0);
  const shape = first.shape.map((size, axis) => (axis === 0 ? rows : axes[axis] === 'time' ? time : size));
  const data = new (first.data instanceof Int32Array ? Int32Array : Float32Array)(elementCount(shape));
  const width = elementCount(shape.slice(1));
  let row = 0;
  for (const part of parts) {
    const own = elementCount(part.shape.slice(1));
    if (own === width) data.set(part.data, row * width);
    else {
      for (let i = 0; i < (part.shape[0] as number); i++) {
        data.set(part.data.subarray(i * own, (i + 1) * own), (row + i) * width);
      }
    }
    row += part.shape[0] as number;
  }
  return { data, shape };
}

function rowsOf({ data, shape }: HostArray, first: number, rows: number): HostArray {
  if (rows === shape[0]) return { data, shape };
  const width = elementCount(shape.slice(1));
  return { data: data.subarray(first * width, (first + rows) * width), shape: [rows, ...shape.slice(1)] };
}

// The first steps of each row of an output that has steps.
function stepsOf({ data, shape }: HostArray, { shape: axes }: TensorSpec, time: number): HostArray {
  if (axes[1] !== 'time' || shape[1] === time) return { data, shape };
  const [rows, padded, ...rest] = shape as [number, number, ...number[]];
  const width = elementCount(rest);
  const kept = new (data instanceof Int32Array ? Int32Array : Float32Array)(rows * time * width);
  for (let row = 0; row < rows; row++) {
    kept.set(data.subarray(row * padded * width, (row * padded + time) * width), row * time * width);
  }
  return { data: kept, shape: [rows, time, ...rest] };
}
