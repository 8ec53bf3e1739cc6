import { checkNumber, wrongKind, wrongRange } from '../../arguments.js';
import { Scaler } from '../../data/scalers.js';
import { CudnnGruError } from '../../errors.js';
import type { AnomalyDetector } from './detector.js';
import { type DetectionPreprocessing, detectionPreprocessingOf } from './preprocessing.js';
import { RowJudge } from './row_judge.js';
import { type RowReader, rowReader } from './row_reader.js';

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
  readonly #reader: RowReader;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(model: AnomalyDetector) {
    this.#model = model;
    this.#preprocessing = detectionPreprocessingOf(model);
    this.#scaler = Scaler.fromJSON(this.#preprocessing.scaler);
    this.#reader = rowReader(model, this.#preprocessing.window, new RowJudge(this.#preprocessing));
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
    this.#last = this.#last.then(() => this.#reader.dispose());
  }

  async #judge(row: Float32Array): Promise<Detection> {
    if (this.#closed) throw new CudnnGruError('ERR_DISPOSED', 'push: the stream is closed');
    if (this.#model.training) this.#model.eval();
    const [score] = (await this.#reader.read(row)) as unknown as [number];
    return { score, alarm: score > this.#preprocessing.threshold };
  }
}
