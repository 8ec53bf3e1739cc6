import { wrongKind, wrongRange } from '../arguments.js';
import type { Batch } from '../data/types.js';
import { checkTensor, upload } from '../ops/result.js';
import type { Device } from '../tensor/device.js';
import { keepFromScope } from '../tensor/scope.js';
import { Tensor } from '../tensor/tensor.js';
import type { LossFunction, TrainingBatch } from './types.js';

/** Carries the hidden state from batch to batch where the data source says that sequences go on (truncated BPTT). */
export class CarriedState {
  hidden: Tensor | null = null;

  /** Keeps the state for the next batch, cut off from the graph. */
  keep(hidden: Tensor | null): void {
    this.hidden?.dispose();
    this.hidden = hidden && keepFromScope(hidden.detach());
  }
}

/**
 * Puts a batch on the device and asks for its loss. Call it inside a scope: what it makes is not disposed here.
 */
export function lossOf(loss: LossFunction, batch: Batch, device: Device, carried: CarriedState): Tensor {
  if (!batch.continues) carried.keep(null);
  const onDevice: TrainingBatch = {
    inputs: upload(batch.inputs.data, batch.inputs.shape, device),
    targets: upload(batch.targets.data, batch.targets.shape, device),
    lengths: batch.lengths,
    hidden: carried.hidden,
    batch,
  };
  const answer = loss(onDevice) as Tensor | { loss?: unknown; hidden?: unknown } | null | undefined;
  if (answer instanceof Tensor) return checkLoss(answer);
  if (!(answer?.hidden instanceof Tensor)) throw wrongKind('loss(batch)', 'a Tensor, or { loss, hidden }', answer);
  carried.keep(answer.hidden);
  return checkLoss(answer.loss);
}

function checkLoss(loss: unknown): Tensor {
  if (checkTensor(loss, 'loss(batch)').size !== 1) throw wrongRange('loss(batch)', 'a Tensor of one number', loss);
  return loss as Tensor;
}

/** How many examples a batch holds. */
export function examplesIn(batch: Batch): number {
  return batch.inputs.shape[0] ?? 0;
}
