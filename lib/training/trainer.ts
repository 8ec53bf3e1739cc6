import { stat } from 'node:fs/promises';
import {
  checkBoolean,
  checkFunction,
  checkInteger,
  checkNumber,
  checkOneOf,
  checkOptions,
  checkSeed,
  checkString,
  wrongKind,
  wrongRange,
} from '../arguments.js';
import { noGrad } from '../autograd/tape.js';
import { CudnnGruError } from '../errors.js';
import { Module } from '../layers/module.js';
import { addon } from '../native/load.js';
import { clone } from '../ops/index.js';
import { upload } from '../ops/result.js';
import { Optimizer } from '../optimizers/optimizer.js';
import { Generator } from '../tensor/generator.js';
import { type ComputePrecision, computePrecisions, withPrecision } from '../tensor/precision.js';
import { keepFromScope, scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { readCheckpoint, type TrainingState, writeCheckpoint } from './checkpoint.js';
import { CarriedState, examplesIn, lossOf } from './device_batch.js';
import { MeanLoss, meanLossOver } from './mean_loss.js';
import { ProgressReader } from './progress_reader.js';
import type { Carried, EpochRecord, TrainerOptions, TrainingResult } from './types.js';

const optionNames = [
  'model',
  'optimizer',
  'loss',
  'data',
  'validation',
  'epochs',
  'schedule',
  'accumulate',
  'patience',
  'minimumImprovement',
  'keepBest',
  'checkpoint',
  'checkpointEvery',
  'seed',
  'precision',
  'signal',
  'onProgress',
  'onEpoch',
];

/**
 * Trains a module by backpropagation through time: whole sequences, or truncated where the data source cuts long ones and the loss
 * function hands the state on. Nothing in a step waits for the device. A training that is stopped, by a signal or by the end of the
 * process, and resumed from its checkpoint gives the same bits as one that was never stopped.
 *
 * @typeParam H what truncated BPTT carries: `Tensor`, or `readonly Tensor[]` for the states of several layers
 *
 * @throws TypeError, RangeError
 */
export class Trainer<H extends Carried = Tensor> {
  readonly #options: TrainerOptions<H>;
  readonly #generator: Generator;
  readonly #accumulate: number;
  readonly #keepBest: boolean;
  readonly #precision: ComputePrecision;
  readonly #mean: MeanLoss;
  readonly #carried = new CarriedState<H>();
  readonly #initialRates: number[];
  readonly #best = new Map<string, Tensor>();
  readonly #history: EpochRecord[] = [];
  #step = 0;
  #bestEpoch = 0;
  #bestLoss = Number.POSITIVE_INFINITY;
  #waited = 0;
  #secondsBefore = 0;
  #started = performance.now();

  constructor(options: TrainerOptions<H>) {
    checkOptions(options, 'options', optionNames);
    if (!(options.model instanceof Module)) throw wrongKind('model', 'a Module', options.model);
    if (options.model.parameters().length === 0) throw wrongRange('model', 'a Module with parameters', options.model);
    if (!(options.optimizer instanceof Optimizer)) throw wrongKind('optimizer', 'an Optimizer', options.optimizer);
    checkFunction(options.loss, 'loss');
    if (typeof options.data?.next !== 'function') throw wrongKind('data', 'a source of batches', options.data);
    checkInteger(options.epochs, 'epochs', { min: 1 });
    if (options.patience !== undefined) checkInteger(options.patience, 'patience', { min: 1 });
    if (options.patience !== undefined && !options.validation)
      throw wrongKind('validation', 'batches, as patience needs them', undefined);
    if (options.checkpoint !== undefined) checkString(options.checkpoint, 'checkpoint');
    if (options.checkpointEvery !== undefined) checkInteger(options.checkpointEvery, 'checkpointEvery', { min: 1 });
    if (options.signal !== undefined && !(options.signal instanceof AbortSignal))
      throw wrongKind('signal', 'an AbortSignal', options.signal);
    checkNumber(options.minimumImprovement ?? 0, 'minimumImprovement', { min: 0 });
    this.#options = options;
    this.#accumulate = checkInteger(options.accumulate ?? 1, 'accumulate', { min: 1 });
    this.#precision = checkOneOf(options.precision ?? 'float32', 'precision', computePrecisions);
    this.#keepBest = options.keepBest ?? options.validation !== undefined;
    this.#generator = new Generator(checkSeed(options.seed ?? 0));
    this.#initialRates = options.optimizer.groups.map((group) => group.options.learningRate);
    this.#mean = new MeanLoss(this.#device);
  }

  get #device() {
    return (this.#options.model.parameters()[0] as Tensor).on;
  }

  /** Optimizer steps of one epoch. */
  get stepsPerEpoch(): number {
    return Math.ceil(this.#options.data.batchesPerEpoch / this.#accumulate);
  }

  /** Whether the checkpoint that `fit({ resume: true })` would go on from is there. */
  async canResume(): Promise<boolean> {
    const { checkpoint } = this.#options;
    return (
      checkpoint !== undefined &&
      (await stat(checkpoint).then(
        () => true,
        () => false,
      ))
    );
  }

  /**
   * Trains until the last epoch, the end of patience, or the signal.
   *
   * @param options resume: go on from the checkpoint file. Default: false.
   * @throws CudnnGruError `ERR_NON_FINITE` when steps keep being skipped because gradients are not finite: the checkpoint stays as it
   * was; `ERR_FILE`, `ERR_FORMAT` for a checkpoint that cannot be read or written; errors of the device
   */
  async fit(options: { resume?: boolean } = {}): Promise<TrainingResult> {
    checkOptions(options, 'options', ['resume']);
    const resume = checkBoolean(options.resume ?? false, 'resume');
    const { model, data, epochs, signal, onProgress } = this.#options;
    adoptGenerator(model, this.#generator);
    model.train();
    this.#started = performance.now();
    if (resume) await this.#restore();
    const reader = new ProgressReader(this.#options, this.#mean, this.stepsPerEpoch, this.#step);
    let stopped: TrainingResult['stopped'] = 'finished';
    while (this.#history.length < epochs) {
      if (signal?.aborted) {
        stopped = 'aborted';
        break;
      }
      if (this.#isOutOfPatience()) {
        stopped = 'patience';
        break;
      }
      await this.#trainStep();
      const { batch, epoch } = data.position();
      const epochEnded = batch === data.batchesPerEpoch || epoch > this.#history.length;
      await reader.afterStep(this.#step, this.#history, epochEnded);
      if (epochEnded) await this.#endEpoch(reader);
      if (this.#isCheckpointDue(epochEnded)) await this.#save();
    }
    if (onProgress) await reader.last(this.#step, this.#history);
    if (stopped === 'aborted') await this.#save();
    else if (this.#keepBest) this.#restoreBest();
    const { skipped } = await this.#options.optimizer.report();
    return {
      history: [...this.#history],
      stopped,
      bestEpoch: this.#bestEpoch || this.#history.length,
      steps: this.#step,
      skippedSteps: skipped,
      seconds: this.#seconds(),
    };
  }

  /** Gives the trainer's own memory back. Model and optimizer stay. */
  dispose(): void {
    for (const tensor of this.#best.values()) tensor.dispose();
    this.#best.clear();
    this.#carried.keep(null);
    this.#mean.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  // One optimizer step, of as many batches as are accumulated.
  async #trainStep(): Promise<void> {
    const { data, loss, optimizer } = this.#options;
    this.#schedule();
    const left = data.batchesPerEpoch - (data.position().batch % data.batchesPerEpoch);
    const batches = Math.min(this.#accumulate, left);
    for (let index = 0; index < batches; index++) {
      const batch = data.next() ?? data.next();
      if (!batch) throw new CudnnGruError('ERR_DATA', 'the training data has no batch');
      scope(() => {
        const batchLoss = withPrecision(this.#precision, () => lossOf(loss, batch, this.#device, this.#carried));
        this.#mean.add(batchLoss.detach(), examplesIn(batch));
        (batches === 1 ? batchLoss : batchLoss.mul(1 / batches)).backward();
      });
    }
    await optimizer.step();
    optimizer.zeroGrad();
    this.#step++;
  }

  #schedule(): void {
    const { schedule, optimizer } = this.#options;
    if (schedule === undefined) return;
    const factor = typeof schedule === 'function' ? schedule(this.#step) : schedule.state().factor;
    for (const [index, group] of optimizer.groups.entries())
      group.options.learningRate = (this.#initialRates[index] as number) * factor;
  }

  async #endEpoch(reader: ProgressReader): Promise<void> {
    const { model, loss, validation, schedule, optimizer, onEpoch, minimumImprovement = 0 } = this.#options;
    const trainLoss = await this.#mean.read();
    const validationLoss = validation
      ? await meanLossOver(model, loss, validation, this.#device, this.#precision)
      : null;
    const epoch = this.#history.length + 1;
    const record = {
      epoch,
      step: this.#step,
      trainLoss,
      validationLoss,
      learningRate: optimizer.learningRate,
      seconds: this.#seconds(),
    };
    this.#history.push(record);
    this.#mean.reset();
    if (validationLoss !== null && validationLoss < this.#bestLoss - (this.#bestEpoch ? minimumImprovement : 0)) {
      this.#bestLoss = validationLoss;
      this.#bestEpoch = epoch;
      this.#waited = 0;
      if (this.#keepBest) this.#rememberBest();
    } else this.#waited++;
    if (schedule && typeof schedule !== 'function') schedule.update(validationLoss ?? trainLoss);
    reader.validationLoss = validationLoss;
    await onEpoch?.(record);
  }

  #isOutOfPatience(): boolean {
    const { patience } = this.#options;
    return patience !== undefined && this.#waited >= patience;
  }

  #rememberBest(): void {
    for (const [name, parameter] of this.#options.model.namedParameters()) {
      const kept = this.#best.get(name);
      if (kept) addon.copy(parameter.on.index, parameter.size, parameter.handle, kept.handle);
      else this.#best.set(name, keepFromScope(noGrad(() => clone(parameter))));
    }
  }

  #restoreBest(): void {
    for (const [name, parameter] of this.#options.model.namedParameters()) {
      const kept = this.#best.get(name);
      if (!kept) continue;
      addon.copy(parameter.on.index, parameter.size, kept.handle, parameter.handle);
      parameter.storage.version++;
    }
  }

  #seconds(): number {
    return this.#secondsBefore + (performance.now() - this.#started) / 1000;
  }

  #isCheckpointDue(epochEnded: boolean): boolean {
    const { checkpoint, checkpointEvery } = this.#options;
    return (
      checkpoint !== undefined && (epochEnded || (checkpointEvery !== undefined && this.#step % checkpointEvery === 0))
    );
  }

  async #save(): Promise<void> {
    const { checkpoint, model, optimizer, data, schedule } = this.#options;
    if (checkpoint === undefined) return;
    // While gradients are not finite, the checkpoint from before stays.
    if ((await optimizer.report()).nonFinite) return;
    const plateau = schedule && typeof schedule !== 'function' ? schedule.state() : null;
    const state: TrainingState = {
      step: this.#step,
      position: data.position(),
      generator: this.#generator.state(),
      history: this.#history,
      bestEpoch: this.#bestEpoch,
      bestLoss: Number.isFinite(this.#bestLoss) ? this.#bestLoss : null,
      waited: this.#waited,
      examples: this.#mean.examples,
      seconds: this.#seconds(),
      choices: addon.choices(this.#device.index),
      plateau: plateau && { ...plateau, best: Number.isFinite(plateau.best) ? plateau.best : null },
    };
    const own: Record<string, Tensor> = { lossSum: this.#mean.sum };
    for (const [name, tensor] of this.#carried.named()) own[name] = tensor;
    for (const [name, tensor] of this.#best) own[`best/${name}`] = tensor;
    await writeCheckpoint(checkpoint, model, optimizer, state, own);
  }

  async #restore(): Promise<void> {
    const { checkpoint, model, optimizer, data, schedule } = this.#options;
    if (checkpoint === undefined) throw wrongKind('checkpoint', 'the path to resume from', checkpoint);
    const parameters = optimizer.groups.reduce((count, group) => count + group.parameters.length, 0);
    const saved = await readCheckpoint(checkpoint, parameters);
    const { state } = saved;
    addon.followChoices(this.#device.index, state.choices);
    await model.loadStateDict(saved.model);
    optimizer.loadState(saved.optimizer);
    data.restore(state.position);
    this.#generator.restore(state.generator);
    this.#step = state.step;
    this.#history.length = 0;
    for (const record of state.history) this.#history.push(record);
    this.#bestEpoch = state.bestEpoch;
    this.#bestLoss = state.bestLoss ?? Number.POSITIVE_INFINITY;
    this.#waited = state.waited;
    this.#secondsBefore = state.seconds;
    this.#mean.reset(saved.own.lossSum?.data[0] ?? 0, state.examples);
    if (schedule && typeof schedule !== 'function' && state.plateau) {
      schedule.restore({ ...state.plateau, best: state.plateau.best ?? Number.POSITIVE_INFINITY });
    }
    const hidden = new Map<string, Tensor>();
    for (const [name, { shape, data: numbers }] of Object.entries(saved.own)) {
      if (name === 'hidden' || name.startsWith('hidden/')) hidden.set(name, upload(numbers, shape, this.#device));
      if (name.startsWith('best/'))
        this.#best.set(name.slice('best/'.length), keepFromScope(upload(numbers, shape, this.#device)));
    }
    this.#carried.restore(hidden);
  }
}

// Dropout draws from the training's own generator, so that two trainings side by side do not disturb each other.
function adoptGenerator(module: Module, generator: Generator): void {
  if ('generator' in module && module.generator instanceof Generator) module.generator = generator;
  for (const [, child] of module.children()) adoptGenerator(child, generator);
}
