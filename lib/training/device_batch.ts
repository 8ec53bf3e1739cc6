import { wrongKind, wrongRange } from '../arguments.js';
import type { Batch } from '../data/types.js';
import { checkTensor, upload } from '../ops/result.js';
import type { Device } from '../tensor/device.js';
import { keepFromScope } from '../tensor/scope.js';
import { Tensor } from '../tensor/tensor.js';
import type { Carried, LossFunction, TrainingBatch } from './types.js';

/** Carries the hidden state from batch to batch where the data source says that sequences go on (truncated BPTT). */
export class CarriedState<H extends Carried = Carried> {
  hidden: H | null = null;

  /** Keeps the state for the next batch, cut off from the graph. */
  keep(hidden: H | null): void {
    const before = this.hidden;
    const detach = (state: Tensor) => keepFromScope(state.detach());
    // The new state may hold tensors of the old one, so that goes last.
    this.hidden = (hidden && (hidden instanceof Tensor ? detach(hidden) : hidden.map(detach))) as H | null;
    for (const state of listOf(before)) state.dispose();
  }

  /** For a checkpoint: `hidden`, or `hidden/0`, `hidden/1`, … of a list. */
  named(): [string, Tensor][] {
    if (this.hidden instanceof Tensor) return [['hidden', this.hidden]];
    return listOf(this.hidden).map((state, index) => [`hidden/${index}`, state]);
  }

  /** Takes the tensors that `named` gave, by name, and disposes them. */
  restore(named: ReadonlyMap<string, Tensor>): void {
    const list: Tensor[] = [];
    for (let state = named.get('hidden/0'); state; state = named.get(`hidden/${list.length}`)) list.push(state);
    this.keep((named.get('hidden') ?? (list.length > 0 ? list : null)) as H | null);
    for (const state of named.values()) state.dispose();
  }
}

function listOf(hidden: Carried | null): readonly Tensor[] {
  if (hidden === null) return [];
  return hidden instanceof Tensor ? [hidden] : hidden;
}

/**
 * Puts a batch on the device and asks for its loss. Call it inside a scope: what it makes is not disposed here.
 */
export function lossOf<H extends Carried>(
  loss: LossFunction<H>,
  batch: Batch,
  device: Device,
  carried: CarriedState<H>,
): Tensor {
  if (!batch.continues) carried.keep(null);
  const onDevice: TrainingBatch<H> = {
    inputs: upload(batch.inputs.data, batch.inputs.shape, device),
    targets: upload(batch.targets.data, batch.targets.shape, device),
    lengths: batch.lengths,
    hidden: carried.hidden,
    batch,
  };
  const answer = loss(onDevice) as Tensor | { loss?: unknown; hidden?: unknown } | null | undefined;
  if (answer instanceof Tensor) return checkLoss(answer);
  if (!isCarried(answer?.hidden)) throw wrongKind('loss(batch)', 'a Tensor, or { loss, hidden }', answer);
  const checked = checkLoss(answer.loss);
  carried.keep(answer.hidden as H);
  return checked;
}

function isCarried(hidden: unknown): hidden is Carried {
  if (!Array.isArray(hidden)) return hidden instanceof Tensor;
  return hidden.length > 0 && hidden.every((state) => state instanceof Tensor);
}

function checkLoss(loss: unknown): Tensor {
  if (checkTensor(loss, 'loss(batch)').size !== 1) throw wrongRange('loss(batch)', 'a Tensor of one number', loss);
  return loss as Tensor;
}

/** How many examples a batch holds. */
export function examplesIn(batch: Batch): number {
  return batch.inputs.shape[0] ?? 0;
}
