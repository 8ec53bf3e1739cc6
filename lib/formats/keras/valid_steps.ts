import { embedding } from '../../ops/embedding.js';
import { concat } from '../../ops/index.js';
import { fill, upload } from '../../ops/result.js';
import type { Tensor } from '../../tensor/tensor.js';

// Keras masks steps anywhere in a sequence: behind its end, before its beginning, in its middle. A GRU passes them over: its state
// stays, and its output is the one before. Here the valid steps of each row are gathered side by side, run with their number as the
// length, and the outputs put back where they belong.

/** Which steps are valid, on the host; one byte for each, [batch, time]. */
export interface StepMask {
  readonly batch: number;
  readonly time: number;
  readonly valid: Uint8Array;
}

/** Where the steps of each row are read from and written to. */
export interface StepOrder {
  /** Valid steps of each row. */
  readonly lengths: Int32Array;
  /** The most of them, at least 1. */
  readonly longest: number;
  /** [batch, longest]: the step of the input that each run step reads; -1 behind the row's length. */
  readonly sources: Int32Array;
  /** [batch, time]: the run step whose output stands at each step of the output; -1 for none, zeros. */
  readonly outputs: Int32Array;
  /** As `outputs`, for the second direction of the run, which reads from the last valid step to the first. */
  readonly reverseOutputs: Int32Array;
  /** Whether each row's run steps are the first steps of its input, so that nothing has to be gathered. */
  readonly inPlace: boolean;
}

/**
 * @param backwards whether the run reads from the last step to the first; its outputs are then in that order too
 * @param zeroMasked whether masked steps have output 0 and not the one before
 */
export function orderSteps(mask: StepMask, backwards: boolean, zeroMasked: boolean): StepOrder {
  const { batch, time, valid } = mask;
  const stepAt = (position: number) => (backwards ? time - 1 - position : position);
  const lengths = new Int32Array(batch);
  for (let at = 0; at < valid.length; at++) if (valid[at]) (lengths[Math.floor(at / time)] as number)++;
  const longest = lengths.reduce((most, length) => Math.max(most, length), 1);
  const sources = new Int32Array(batch * longest).fill(-1);
  const outputs = new Int32Array(batch * time).fill(-1);
  const reverseOutputs = new Int32Array(batch * time).fill(-1);
  let inPlace = !backwards;
  for (let row = 0; row < batch; row++) {
    let seen = 0;
    for (let position = 0; position < time; position++) {
      const at = row * time + position;
      const isValid = valid[row * time + stepAt(position)] !== 0;
      if (isValid || !zeroMasked) reverseOutputs[at] = seen < (lengths[row] as number) ? seen : -1;
      if (isValid) {
        sources[row * longest + seen] = stepAt(position);
        if (stepAt(position) !== seen) inPlace = false;
        seen++;
      }
      if (isValid || !zeroMasked) outputs[at] = seen - 1;
    }
  }
  return { lengths, longest, sources, outputs, reverseOutputs, inPlace };
}

/**
 * y[b, s] = x[b, steps[b, s]], zeros where that is -1. Gradients flow.
 *
 * @param x [batch, time, features]
 * @param steps [batch, count]
 */
export function gatherSteps(x: Tensor, steps: Int32Array): Tensor {
  const [batch, time, features] = x.shape as [number, number, number];
  const count = steps.length / batch;
  const rows = x.reshape(batch * time, features);
  const rowOf = steps.map((step, at) => (step < 0 ? batch * time : Math.floor(at / count) * time + step));
  const table = steps.includes(-1) ? concat([rows, fill([1, features], 0, x.on)]) : rows;
  return embedding(upload(rowOf, [batch, count], x.on), table);
}
