import { expect } from 'vitest';
import { type DeviceName, devices, type Tensor, tensor } from '../../lib/index.js';
import { type Array64, item, range } from '../reference/array64.js';
import { expectNear, expectSameBits, type ResultKind, random32 } from './checks.js';

/** What every suite runs on. */
export interface Backend {
  name: string;
  device: DeviceName;
  available: boolean;
  /** Why it cannot run on this machine; empty when it can. */
  reason: string;
  /** The environment in which a process of its own gets this backend. */
  env: Record<string, string>;
  /** Whether results have the same bits however a batch, a sequence and the work are cut: the CPU's promise. */
  exact: boolean;
}

export type InstructionSet = 'baseline' | 'avx2' | 'avx512';

/** The CPU with one instruction set. `CUDNN_GRU_CPU` must have been set before the addon was loaded. */
export function cpuBackend(set: InstructionSet): Backend {
  expect(process.env.CUDNN_GRU_CPU).toBe(set);
  const report = devices().find((device) => device.name === 'cpu');
  if (!report) throw new Error('devices() does not list the CPU');
  if (report.available) expect(report.description).toContain(set);
  return {
    name: `cpu, ${set}`,
    device: 'cpu',
    available: report.available,
    reason: report.reason,
    env: { CUDNN_GRU_CPU: set },
    exact: true,
  };
}

/** The CUDA backend on the first GPU of this machine. */
export function cudaBackend(): Backend {
  const report = devices().find((device) => device.name.startsWith('cuda'));
  // What is seen on an emulated GPU is never a result of a GPU.
  const emulated = report?.description.includes('emulated') ?? false;
  return {
    name: 'cuda',
    device: 'cuda',
    available: report?.available === true && !emulated,
    reason: emulated ? 'this build has an emulated GPU' : (report?.reason ?? 'this build knows no CUDA'),
    env: {},
    exact: false,
  };
}

/** The CUDA backend on an emulated GPU. `CUDNN_GRU_ADDON` must have named that build before the addon was loaded. */
export function cudaEmulatedBackend(): Backend {
  const report = devices().find((device) => device.name === 'cuda:0');
  expect(report?.description).toContain('emulated');
  return {
    ...cudaBackend(),
    name: 'cuda, emulated',
    available: report?.available ?? false,
    reason: report?.reason ?? '',
    env: { CUDNN_GRU_ADDON: process.env.CUDNN_GRU_ADDON ?? '' },
  };
}

/** The same bits, where the backend promises them; else what sums may differ by. */
export function expectSame(backend: Backend, actual: ArrayLike<number>, expected: Array64, label: string): void {
  if (backend.exact) expectSameBits(actual, expected.data, label);
  else expectNear(actual, expected, 'accumulated', label);
}

/** A tensor of a reference's values on the backend's device. */
export function onDevice(backend: Backend, array: Array64, requiresGrad = false): Tensor {
  return tensor(Float32Array.from(array.data), array.shape, { device: backend.device, requiresGrad });
}

export function integersOnDevice(backend: Backend, values: readonly number[], shape = [values.length]): Tensor {
  return tensor(Int32Array.from(values), shape, { device: backend.device });
}

/** The gradient that `backward()` left at a leaf. */
export async function gradientOf(leaf: Tensor, label: string): Promise<ArrayLike<number>> {
  if (leaf.grad === null) throw new Error(`${label}: no gradient arrived`);
  expect([...leaf.grad.shape], `${label}: shape`).toEqual([...leaf.shape]);
  return leaf.grad.data();
}

export interface OperationCheck {
  inputs: Array64[];
  /** The operation on tensors, in the order of `inputs`. */
  run: (...inputs: Tensor[]) => Tensor;
  /** What it gives, in float64. */
  expected: Array64;
  /** The gradients of the inputs from that of the result, in float64; null for an input that has none. */
  backward: (outGrad: Array64) => (Array64 | null)[];
  kind?: ResultKind;
  gradientKind?: ResultKind;
}

/**
 * An operation against its float64 reference: the result, and the gradient of each input from a random gradient of the result.
 * Then once more for each input with a gradient wanted of it alone, which must give the same bits.
 */
export async function checkOperation(backend: Backend, label: string, check: OperationCheck): Promise<void> {
  const { inputs, run, expected, backward, kind = 'elementwise', gradientKind = kind } = check;
  const outGrad = random32(77, expected.shape);
  const expectedGrads = backward(outGrad);
  expect(expectedGrads, `${label}: number of gradients`).toHaveLength(inputs.length);

  const gradientsWith = async (wanted: (i: number) => boolean): Promise<(ArrayLike<number> | null)[]> => {
    const tensors = inputs.map((input, i) => onDevice(backend, input, wanted(i)));
    const out = run(...tensors);
    expect([...out.shape], `${label}: shape`).toEqual([...expected.shape]);
    expectNear(await out.data(), expected, kind, label);
    if (range(inputs.length).some(wanted)) out.backward(onDevice(backend, outGrad));
    return Promise.all(
      tensors.map((leaf, i) => (wanted(i) ? gradientOf(leaf, `${label}: gradient of input ${i}`) : null)),
    );
  };

  const hasGradient = (i: number) => item(expectedGrads, i) !== null;
  const together = await gradientsWith(hasGradient);
  for (const i of range(inputs.length).filter(hasGradient)) {
    const [actual, wanted] = [item(together, i), item(expectedGrads, i)];
    if (!actual || !wanted) throw new Error(`${label}: no gradient of input ${i}`);
    expectNear(actual, wanted, gradientKind, `${label}: gradient of input ${i}`);
    const alone = item(await gradientsWith((other) => other === i), i);
    expectSameBits(alone ?? [], actual, `${label}: gradient of input ${i}, wanted alone`);
  }
}
