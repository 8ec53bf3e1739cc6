import { checkNumber, wrongKind, wrongRange } from '../../arguments.js';
import { noGrad } from '../../autograd/tape.js';
import { Scaler } from '../../data/scalers.js';
import { CudnnGruError } from '../../errors.js';
import { upload } from '../../ops/result.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { AnomalyDetector } from './detector.js';
import { type DetectionPreprocessing, detectionPreprocessingOf } from './preprocessing.js';
import { scoresOf } from './score_rows.js';

/** What a detector says about one row. */
export interface Detection {
  /** As `scoreRows` gives it. */
  readonly score: number;
  /** Whether the score is above the model's threshold. */
  readonly alarm: boolean;
}

/**
 * Judges the rows of one live series as they come. The scores are those of `scoreRows` over the whole series.
 *
 * @throws CudnnGruError `ERR_FORMAT` for a model without preprocessing
 */
export class DetectionStream {
  readonly #model: AnomalyDetector;
  readonly #preprocessing: DetectionPreprocessing;
  readonly #scaler: Scaler;
  // What the next row will be judged by: the state after the row before, or the rows of the window.
  #hidden: Tensor | null = null;
  #window: Float32Array[] = [];
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(model: AnomalyDetector) {
    this.#model = model;
    this.#preprocessing = detectionPreprocessingOf(model);
    this.#scaler = Scaler.fromJSON(this.#preprocessing.scaler);
  }

  /**
   * @param row one number for each of the model's columns, in their units
   * @throws TypeError, RangeError; CudnnGruError `ERR_DISPOSED` after `close`
   */
  push(row: ArrayLike<number>): Promise<Detection> {
    const { inputs } = this.#preprocessing;
    if (typeof row !== 'object' || row === null || typeof row.length !== 'number')
      throw wrongKind('row', 'an array of numbers', row);
    if (row.length !== inputs.length) throw wrongRange('row', `${inputs.length} numbers (${inputs.join(', ')})`, row);
    for (const [i, name] of inputs.entries()) checkNumber(row[i], `row[${i}] (${name})`);
    const scaled = this.#scaler.transform(row);
    // Rows are judged in the order in which they came.
    const detection = this.#last.then(() => this.#judge(scaled));
    this.#last = detection.catch(() => undefined);
    return detection;
  }

  /** Gives the memory of the state back; rows that still wait are refused. */
  close(): void {
    this.#closed = true;
    this.#hidden?.dispose();
    this.#hidden = null;
  }

  async #judge(row: Float32Array): Promise<Detection> {
    if (this.#closed) throw new CudnnGruError('ERR_DISPOSED', 'push: the stream is closed');
    const { errorScale, threshold } = this.#preprocessing;
    const expected = this.#model.method === 'forecast' ? this.#expectNext(row) : this.#reconstruct(row);
    const guess = await expected.data();
    expected.dispose();
    const from = guess.length - row.length;
    const errors = row.map((value, i) => value - (guess[from + i] as number));
    const score = scoresOf(errors, { errorScale })[0] as number;
    return { score, alarm: score > threshold };
  }

  #expectNext(row: Float32Array): Tensor {
    const before = this.#hidden;
    const { expected, hidden } = this.#run(row, 1, { hidden: before });
    before?.dispose();
    this.#hidden = hidden;
    return expected;
  }

  #reconstruct(row: Float32Array): Tensor {
    this.#window = [...this.#window, row].slice(-this.#preprocessing.window);
    const rows = new Float32Array(this.#window.length * row.length);
    for (const [i, one] of this.#window.entries()) rows.set(one, i * row.length);
    const { expected, hidden } = this.#run(rows, this.#window.length, {});
    hidden.dispose();
    return expected;
  }

  #run(rows: Float32Array, time: number, inputs: { hidden?: Tensor | null }): { expected: Tensor; hidden: Tensor } {
    const model = this.#model;
    if (model.training) model.eval();
    return scope(() =>
      noGrad(() => model.forward(upload(rows, [1, time, rows.length / time], model.head.weight.on), inputs)),
    );
  }
}
