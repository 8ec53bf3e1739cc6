import { noGrad } from '../autograd/tape.js';
import type { BatchSource } from '../data/types.js';
import type { Module } from '../layers/module.js';
import { addon } from '../native/load.js';
import { withMeasuredGru } from '../ops/gru_algorithm.js';
import { fill } from '../ops/result.js';
import type { Device } from '../tensor/device.js';
import { type ComputePrecision, withPrecision } from '../tensor/precision.js';
import { keepFromScope, scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { CarriedState, examplesIn, lossOf } from './device_batch.js';
import type { Carried, LossFunction } from './types.js';

/** A mean of losses over examples, summed on the device, so that nothing waits until it is read. */
export class MeanLoss {
  readonly sum: Tensor;
  examples = 0;

  constructor(device: Device) {
    this.sum = keepFromScope(fill([1], 0, device));
  }

  /** Counts a batch's mean loss. */
  add(loss: Tensor, examples: number): void {
    noGrad(() => {
      const weighted = loss.mul(examples);
      addon.accumulate(this.sum.on.index, 1, weighted.handle, this.sum.handle);
      weighted.dispose();
    });
    this.examples += examples;
  }

  async read(): Promise<number> {
    const { examples } = this;
    return (await this.sum.item()) / examples;
  }

  reset(sum = 0, examples = 0): void {
    this.sum.write(Float32Array.of(sum));
    this.examples = examples;
  }

  dispose(): void {
    this.sum.dispose();
  }
}

/** The mean loss of a model over an epoch of `data`, with dropout off and without gradients. */
export async function meanLossOver<H extends Carried>(
  model: Module,
  loss: LossFunction<H>,
  data: BatchSource,
  device: Device,
  precision: ComputePrecision,
): Promise<number> {
  const mean = new MeanLoss(device);
  const carried = new CarriedState<H>();
  const wasTraining = model.training;
  model.eval();
  try {
    for (const batch of data) {
      const add = () => mean.add(lossOf(loss, batch, device, carried), examplesIn(batch));
      scope(() => noGrad(() => withMeasuredGru(() => withPrecision(precision, add))));
      await addon.drain(device.index, 64);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return await mean.read();
  } finally {
    if (wasTraining) model.train();
    carried.keep(null);
    mean.dispose();
  }
}
