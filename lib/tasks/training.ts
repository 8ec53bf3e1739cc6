import { checkNumber, checkPositiveInteger, checkSeed, given } from '../arguments.js';
import type { BatchSource } from '../data/types.js';
import type { Module } from '../layers/module.js';
import { AdamW } from '../optimizers/index.js';
import { oneCycle } from '../optimizers/schedules.js';
import type { DeviceName } from '../tensor/device.js';
import type { Tensor } from '../tensor/tensor.js';
import { Trainer } from '../training/trainer.js';
import type { Carried, LossFunction, TrainerOptions, TrainingResult } from '../training/types.js';

/** What the training of every task takes. */
export interface TaskTrainingOptions
  extends Pick<TrainerOptions, 'patience' | 'checkpoint' | 'checkpointEvery' | 'signal' | 'onProgress' | 'onEpoch'> {
  /** Passes over the training data. Default: 20. */
  epochs?: number;
  /** Examples per step. Default: 32. */
  batchSize?: number;
  /** The highest rate of the one-cycle schedule. Default: 0.003. */
  learningRate?: number;
  /** AdamW's. Default: 0.01. */
  weightDecay?: number;
  /** Initial weights, order of the examples and dropout follow from it. Default: 0. */
  seed?: number;
  /** Default: 'cpu'. */
  device?: DeviceName | 'auto';
  /** Go on from the file `checkpoint`; all other options must be as they were. Default: false. */
  resume?: boolean;
}

/** The names of `TaskTrainingOptions`. */
export const taskTrainingOptions = [
  'epochs',
  'batchSize',
  'learningRate',
  'weightDecay',
  'patience',
  'seed',
  'device',
  'checkpoint',
  'checkpointEvery',
  'resume',
  'signal',
  'onProgress',
  'onEpoch',
] as const;

const defaults = {
  epochs: 20,
  batchSize: 32,
  learningRate: 3e-3,
  weightDecay: 0.01,
  seed: 0,
  device: 'cpu',
  resume: false,
} as const;

type Defaulted = keyof typeof defaults;

/** `TaskTrainingOptions` with defaults in the places that were left open. */
export type TaskTraining = Omit<TaskTrainingOptions, Defaulted> & Required<Pick<TaskTrainingOptions, Defaulted>>;

/**
 * The training options among a task's options, checked.
 *
 * @param own defaults of the task that are not those of `TaskTrainingOptions`
 * @throws TypeError, RangeError
 */
export function checkTraining(
  options: TaskTrainingOptions,
  own: Partial<Pick<TaskTraining, 'epochs' | 'batchSize' | 'learningRate'>> = {},
): TaskTraining {
  const named = Object.fromEntries(taskTrainingOptions.map((name) => [name, options[name]]));
  const training: TaskTraining = { ...defaults, ...own, ...given(named as TaskTrainingOptions) };
  checkPositiveInteger(training.epochs, 'epochs');
  checkPositiveInteger(training.batchSize, 'batchSize');
  checkNumber(training.learningRate, 'learningRate', { above: 0 });
  checkNumber(training.weightDecay, 'weightDecay', { min: 0 });
  checkSeed(training.seed);
  return training;
}

/** What `fitModel` trains, and on what. */
export interface ModelFit<H extends Carried = Tensor> {
  model: Module;
  loss: LossFunction<H>;
  data: BatchSource;
  /** Batches that choose the epoch that is kept. */
  validation?: BatchSource | undefined;
  training: TaskTraining;
}

/**
 * Trains a task's model: AdamW with a one-cycle schedule, gradients clipped to norm 1, the epoch kept that is best in validation. Then
 * `finish` makes of the model, now in evaluation mode, what the task gives. The model is disposed of when anything fails.
 *
 * @throws what `Trainer.fit` and `finish` throw
 */
export async function fitModel<T, H extends Carried = Tensor>(
  { model, loss, data, validation, training }: ModelFit<H>,
  finish: (result: TrainingResult) => Promise<T>,
): Promise<T> {
  const { epochs, learningRate, weightDecay, seed, resume, patience, checkpoint, checkpointEvery } = training;
  const { signal, onProgress, onEpoch } = training;
  const optimizer = new AdamW(model.parameters(), { learningRate, weightDecay, clipNorm: 1 });
  let trainer: Trainer<H> | undefined;
  try {
    trainer = new Trainer<H>({
      model,
      optimizer,
      loss,
      data,
      epochs,
      schedule: oneCycle({ steps: Math.max(2, epochs * data.batchesPerEpoch) }),
      seed,
      ...given({ validation, patience, checkpoint, checkpointEvery, signal, onProgress, onEpoch }),
    });
    const result = await trainer.fit({ resume });
    model.eval();
    return await finish(result);
  } catch (error) {
    model.dispose();
    throw error;
  } finally {
    trainer?.dispose();
    optimizer.dispose();
  }
}

/** What every model file says about its training: plain JSON, part of `model.summary`. */
export function trainingSummary({ seed }: Pick<TaskTraining, 'seed'>, result: TrainingResult) {
  const best = result.history[result.bestEpoch - 1];
  return {
    seed,
    epochs: result.history.length,
    steps: result.steps,
    seconds: Math.round(result.seconds * 10) / 10,
    stopped: result.stopped,
    bestEpoch: result.bestEpoch,
    trainLoss: best?.trainLoss ?? null,
    validationLoss: best?.validationLoss ?? null,
  };
}
