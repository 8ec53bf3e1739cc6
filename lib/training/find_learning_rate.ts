import { checkFunction, checkInteger, checkNumber, checkOptions, wrongKind } from '../arguments.js';
import type { BatchSource } from '../data/types.js';
import { CudnnGruError } from '../errors.js';
import { Module } from '../layers/module.js';
import { Optimizer } from '../optimizers/optimizer.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { CarriedState, lossOf } from './device_batch.js';
import type { Carried, LossFunction } from './types.js';

export interface LearningRateSearch<H extends Carried = Tensor> {
  /** Its parameters are at the end what they were at the beginning. */
  model: Module;
  /** A new one of the kind that will train; not to be used afterwards. */
  // biome-ignore lint/suspicious/noExplicitAny: any optimizer will do.
  optimizer: Optimizer<any>;
  loss: LossFunction<H>;
  data: BatchSource;
  /** The first rate. Default: 1e-6. */
  lowest?: number;
  /** The last rate. Default: 1. */
  highest?: number;
  /** Steps from the first to the last. Default: 100. */
  steps?: number;
}

/** What a learning-rate search found. */
export interface FoundLearningRate {
  /** The rate at which the smoothed loss fell most steeply: a good highest rate of a one-cycle schedule. */
  suggestion: number;
  learningRates: number[];
  /** Smoothed, one for each rate; ends early where the loss went beyond four times its lowest. */
  losses: number[];
}

// Of the running mean of the losses.
const smoothing = 0.9;

/**
 * Finds a learning rate (Smith 2017): trains a few steps while the rate grows from step to step by the same factor, and looks where the loss
 * falls fastest.
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_NON_FINITE` if the loss is no number at the first rate already
 */
export async function findLearningRate<H extends Carried = Tensor>(
  options: LearningRateSearch<H>,
): Promise<FoundLearningRate> {
  checkOptions(options, 'options', ['model', 'optimizer', 'loss', 'data', 'lowest', 'highest', 'steps']);
  const { model, optimizer, loss, data } = options;
  if (!(model instanceof Module)) throw wrongKind('model', 'a Module', model);
  if (!(optimizer instanceof Optimizer)) throw wrongKind('optimizer', 'an Optimizer', optimizer);
  if (typeof data?.next !== 'function') throw wrongKind('data', 'a source of batches', data);
  checkFunction(loss, 'loss');
  const lowest = checkNumber(options.lowest ?? 1e-6, 'lowest', { above: 0 });
  const highest = checkNumber(options.highest ?? 1, 'highest', { above: lowest });
  const steps = checkInteger(options.steps ?? 100, 'steps', { min: 10 });
  const before = await model.stateDict();
  const carried = new CarriedState<H>();
  const device = (model.parameters()[0] as Tensor).on;
  const found: FoundLearningRate = { suggestion: lowest, learningRates: [], losses: [] };
  let mean = 0;
  try {
    for (let step = 0; step < steps; step++) {
      const batch = data.next() ?? data.next();
      if (batch === undefined) throw wrongKind('data', 'a source with at least one batch', data);
      optimizer.learningRate = lowest * (highest / lowest) ** (step / (steps - 1));
      const value = scope(() => {
        const computed = lossOf(loss, batch, device, carried);
        computed.backward();
        return computed.detach();
      });
      await optimizer.step();
      optimizer.zeroGrad();
      mean = smoothing * mean + (1 - smoothing) * (await value.item());
      value.dispose();
      const smooth = mean / (1 - smoothing ** (step + 1));
      if (!Number.isFinite(smooth) || !(smooth <= 4 * Math.min(smooth, ...found.losses))) break;
      found.learningRates.push(optimizer.learningRate);
      found.losses.push(smooth);
    }
  } finally {
    carried.keep(null);
    await model.loadStateDict(before);
  }
  if (found.losses.length === 0) {
    throw new CudnnGruError('ERR_NON_FINITE', `the loss is not finite at the learning rate ${lowest}`);
  }
  found.suggestion = found.learningRates[steepest(found.losses)] as number;
  return found;
}

// The middle of the three steps over which the loss fell most.
function steepest(losses: readonly number[]): number {
  let best = 0;
  const slope = (i: number) => (losses[i + 1] as number) - (losses[i - 1] as number);
  for (let i = 1; i + 1 < losses.length; i++) if (best === 0 || slope(i) < slope(best)) best = i;
  return best;
}
