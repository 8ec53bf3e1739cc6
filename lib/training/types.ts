import type { Batch, BatchSource } from '../data/types.js';
import type { Module } from '../layers/module.js';
import type { Lengths } from '../ops/index.js';
import type { Optimizer } from '../optimizers/optimizer.js';
import type { PlateauSchedule, Schedule } from '../optimizers/schedules.js';
import type { ComputePrecision } from '../tensor/precision.js';
import type { Tensor } from '../tensor/tensor.js';

/** What truncated BPTT carries from batch to batch: the state of one layer or stack, or a list of several. */
export type Carried = Tensor | readonly Tensor[];

/**
 * One batch on the device, as the loss function gets it. Its tensors are disposed after the step.
 *
 * @typeParam H what is carried: `Tensor`, or `readonly Tensor[]` in a `Trainer<readonly Tensor[]>`
 */
export interface TrainingBatch<H extends Carried = Tensor> {
  inputs: Tensor;
  targets: Tensor;
  /** Valid steps of each row; undefined when all are. */
  lengths: Lengths | undefined;
  /**
   * Truncated BPTT: the state that the loss function gave for the batch before, detached, when this batch continues its sequences;
   * else null.
   */
  hidden: H | null;
  /** As the data source gave it. */
  batch: Batch;
}

/** From a batch to its loss, one number that is a mean over the batch; with truncated BPTT also the state to carry on. */
export type LossFunction<H extends Carried = Tensor> = (
  batch: TrainingBatch<H>,
) => Tensor | { loss: Tensor; hidden: H };

/** One epoch of a training. */
export interface EpochRecord {
  /** Counted from 1. */
  epoch: number;
  /** Optimizer steps since the beginning of the training. */
  step: number;
  /** Mean over the epoch's examples. */
  trainLoss: number;
  /** Mean over the validation examples; null without validation. */
  validationLoss: number | null;
  learningRate: number;
  /** Seconds since the beginning of the training, without interruptions. */
  seconds: number;
}

/** How far a training is, reported every few steps. */
export interface Progress {
  epoch: number;
  epochs: number;
  /** Optimizer steps so far, of how many in all. */
  step: number;
  steps: number;
  /** Mean training loss of this epoch so far; null until the first was read. */
  trainLoss: number | null;
  /** That of the last validation; null before. */
  validationLoss: number | null;
  learningRate: number;
  sequencesPerSecond: number;
  /** Estimated from the speed so far. */
  secondsLeft: number;
  gradientNorm: number | null;
}

export interface TrainerOptions<H extends Carried = Tensor> {
  model: Module;
  // biome-ignore lint/suspicious/noExplicitAny: any optimizer will do.
  optimizer: Optimizer<any>;
  loss: LossFunction<H>;
  /** The training batches. */
  data: BatchSource;
  /** Batches to validate on after each epoch. Default: none. */
  validation?: BatchSource;
  /** Passes over the data. */
  epochs: number;
  /** Factor of the optimizer's learning rate by step, or a plateau schedule that looks at the validation loss. */
  schedule?: Schedule | PlateauSchedule;
  /** Batches whose gradients make one optimizer step; their mean is used. Default: 1. */
  accumulate?: number;
  /** Stop after this many epochs without a lower validation loss. Default: never. */
  patience?: number;
  /** A lower loss must be lower by this much to count. Default: 0. */
  minimumImprovement?: number;
  /** End with the parameters of the epoch with the lowest validation loss. Default: true with validation. */
  keepBest?: boolean;
  /** A file to write the whole state to, and to go on from with `fit({ resume: true })`. */
  checkpoint?: string;
  /** Optimizer steps between checkpoints. Default: one after each epoch only. */
  checkpointEvery?: number;
  /** Seeds the training's own random numbers (dropout). Default: 0. */
  seed?: number;
  /** How `gru`, `linear` and `matmul` compute in training and validation; parameters stay float32, and no loss scale is needed: see `withPrecision`. Default: 'float32'. */
  precision?: ComputePrecision;
  /** Ends the training after the step at hand; a checkpoint is written. */
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  onEpoch?: (record: EpochRecord) => void | Promise<void>;
}

export interface TrainingResult {
  history: EpochRecord[];
  /** Why it ended. */
  stopped: 'finished' | 'patience' | 'aborted';
  /** The epoch with the lowest validation loss (without validation: the last). */
  bestEpoch: number;
  steps: number;
  /** Steps that were skipped because a gradient was not finite. */
  skippedSteps: number;
  seconds: number;
}
