import { CudnnGruError } from '../errors.js';
import type { OptimizerReport } from '../optimizers/optimizer.js';
import type { MeanLoss } from './mean_loss.js';
import type { EpochRecord, TrainerOptions } from './types.js';

type Options = Omit<TrainerOptions, 'loss'>;

// Milliseconds between two looks at the device.
const interval = 100;
// This many steps skipped in a row end a training.
const skippedLimit = 20;

/**
 * Looks at a training's figures now and then, without waiting for the device: a read is started, and its answer is used when it has
 * come. Notices when the gradients do not become finite again.
 */
export class ProgressReader {
  validationLoss: number | null = null;
  readonly #options: Options;
  readonly #mean: MeanLoss;
  readonly #stepsPerEpoch: number;
  readonly #firstStep: number;
  readonly #started = performance.now();
  #lastLook = performance.now();
  #reading = false;
  #trainLoss: number | null = null;
  #report: OptimizerReport | null = null;
  #stepsWhenSound = 0;
  #skippedWhenSound = 0;
  #failure: unknown = null;
  #examples = 0;
  #examplesSeen = 0;

  constructor(options: Options, mean: MeanLoss, stepsPerEpoch: number, firstStep: number) {
    this.#options = options;
    this.#mean = mean;
    this.#stepsPerEpoch = stepsPerEpoch;
    this.#firstStep = firstStep;
    this.#examplesSeen = mean.examples;
  }

  /** After every optimizer step. @throws what a read in the meantime found */
  async afterStep(step: number, history: readonly EpochRecord[], epochEnded: boolean): Promise<void> {
    this.#examples += this.#mean.examples - this.#examplesSeen;
    this.#examplesSeen = epochEnded ? 0 : this.#mean.examples;
    if (this.#failure) throw this.#failure;
    if (epochEnded) {
      await this.#read(step);
    } else if (!this.#reading && performance.now() - this.#lastLook > interval) {
      void this.#read(step).catch((error) => {
        this.#failure = error;
      });
      this.#tell(step, history);
    }
    if (epochEnded) this.#tell(step, history);
  }

  /** At the end of the training. */
  async last(step: number, history: readonly EpochRecord[]): Promise<void> {
    this.#tell(step, history);
  }

  async #read(step: number): Promise<void> {
    this.#reading = true;
    this.#lastLook = performance.now();
    try {
      const [trainLoss, report] = await Promise.all([this.#mean.read(), this.#options.optimizer.report()]);
      this.#trainLoss = trainLoss;
      this.#report = report;
      if (report.steps > this.#stepsWhenSound || report.skipped < this.#skippedWhenSound) {
        this.#stepsWhenSound = report.steps;
        this.#skippedWhenSound = report.skipped;
      } else if (report.skipped - this.#skippedWhenSound >= skippedLimit) {
        throw this.#nonFinite(report, step);
      }
    } finally {
      this.#reading = false;
    }
  }

  #nonFinite(report: OptimizerReport, step: number): CudnnGruError {
    const { model, optimizer, checkpoint } = this.#options;
    const at = report.nonFinite;
    const parameter = at && optimizer.groups[at.group]?.parameters[at.parameter];
    const name = [...model.namedParameters()].find(([, tensor]) => tensor === parameter)?.[0];
    const where = at ? ` of parameter ${name ?? at.parameter} (group ${at.group})` : '';
    const kept = checkpoint ? `; the last good checkpoint is ${checkpoint}` : '';
    return new CudnnGruError(
      'ERR_NON_FINITE',
      `training stopped at step ${step}: the last ${report.skipped - this.#skippedWhenSound} steps were skipped because the gradient${where} is not finite${kept}`,
    );
  }

  #tell(step: number, history: readonly EpochRecord[]): void {
    const { onProgress, epochs, optimizer } = this.#options;
    if (!onProgress) return;
    const seconds = (performance.now() - this.#started) / 1000;
    const steps = this.#stepsPerEpoch * epochs;
    onProgress({
      epoch: Math.min(history.length + 1, epochs),
      epochs,
      step,
      steps,
      trainLoss: this.#trainLoss,
      validationLoss: this.validationLoss,
      learningRate: optimizer.learningRate,
      sequencesPerSecond: this.#examples / seconds,
      secondsLeft: ((steps - step) * seconds) / Math.max(1, step - this.#firstStep),
      gradientNorm: this.#report?.gradientNorm ?? null,
    });
  }
}
