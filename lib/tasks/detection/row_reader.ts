import { noGrad } from '../../autograd/tape.js';
import { upload } from '../../ops/result.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { AnomalyDetector } from './detector.js';
import type { ErrorJudge } from './row_judge.js';

// Rows that are computed together: of a long series, and windows of an autoencoder.
const rowsPerCall = 4096;

/** @internal Reads one series, in pieces of any size; where it is cut changes no score. */
export interface RowReader {
  /** @param rows [rows, features], scaled @returns scores [rows] */
  read(rows: Float32Array): Promise<Float64Array>;
  dispose(): void;
}

/** @internal The model has to be in `eval` mode. */
export function rowReader(model: AnomalyDetector, window: number, judge: ErrorJudge): RowReader {
  return model.method === 'forecast'
    ? new ForecastReader(model, judge)
    : new ReconstructionReader(model, window, judge);
}

class ForecastReader implements RowReader {
  readonly #model: AnomalyDetector;
  readonly #judge: ErrorJudge;
  // After the rows until now, as they were fed.
  #hidden: Tensor | null = null;
  #previous: Float32Array | null = null;
  #piece = rowsPerCall;

  constructor(model: AnomalyDetector, judge: ErrorJudge) {
    this.#model = model;
    this.#judge = judge;
  }

  async read(rows: Float32Array): Promise<Float64Array> {
    const features = this.#model.gru.inputSize;
    const count = rows.length / features;
    const scores = new Float64Array(count);
    let done = 0;
    while (done < count) {
      const length = Math.min(this.#piece, count - done);
      const piece = rows.slice(done * features, (done + length) * features);
      const { expected, hidden } = await this.#run(piece);
      let held = false;
      let row = 0;
      for (; row < length && !held; row++) {
        const errors = new Float32Array(features);
        // Of the first row of a series nothing is known.
        if (this.#previous !== null || row > 0) {
          for (let f = 0; f < features; f++) {
            errors[f] = (piece[row * features + f] as number) - (expected[row * features + f] as number);
          }
        }
        const judgement = this.#judge.judge(errors);
        scores[done + row] = judgement.score;
        held = judgement.held;
      }
      done += row;
      if (!held) {
        this.#carry(hidden, piece);
        // What is computed behind a held row is lost: after one, pieces begin small.
        this.#piece = Math.min(rowsPerCall, this.#piece * 2);
        continue;
      }
      hidden.dispose();
      const fed = piece.slice(0, row * features);
      fed.set(expected.subarray((row - 1) * features, row * features), (row - 1) * features);
      this.#carry((await this.#run(fed)).hidden, fed);
      this.#piece = 1;
    }
    return scores;
  }

  dispose(): void {
    this.#hidden?.dispose();
    this.#hidden = null;
  }

  #carry(hidden: Tensor, fed: Float32Array): void {
    this.#hidden?.dispose();
    this.#hidden = hidden;
    this.#previous = fed.slice(-this.#model.gru.inputSize);
  }

  async #run(rows: Float32Array): Promise<{ expected: Float32Array; hidden: Tensor }> {
    const { inputSize } = this.#model.gru;
    const on = this.#model.head.weight.on;
    const { expected, hidden } = scope(() =>
      noGrad(() =>
        this.#model.forward(upload(rows, [1, rows.length / inputSize, inputSize], on), {
          hidden: this.#hidden,
          previous: this.#previous && upload(this.#previous, [1, 1, inputSize], on),
        }),
      ),
    );
    try {
      return { expected: (await expected.data()) as Float32Array, hidden };
    } catch (error) {
      hidden.dispose();
      throw error;
    } finally {
      expected.dispose();
    }
  }
}

// A row is judged by the whole window that ends with it, which at the beginning is a shorter one.
class ReconstructionReader implements RowReader {
  readonly #model: AnomalyDetector;
  readonly #window: number;
  readonly #judge: ErrorJudge;
  #before = new Float32Array(0); // rows until now, at most a window less one

  constructor(model: AnomalyDetector, window: number, judge: ErrorJudge) {
    this.#model = model;
    this.#window = window;
    this.#judge = judge;
  }

  async read(rows: Float32Array): Promise<Float64Array> {
    const features = this.#model.gru.inputSize;
    const known = new Float32Array(this.#before.length + rows.length);
    known.set(this.#before);
    known.set(rows, this.#before.length);
    const count = rows.length / features;
    const before = this.#before.length / features;
    const scores = new Float64Array(count);
    const together = Math.max(1, Math.floor(rowsPerCall / this.#window));
    for (let first = 0; first < count; first += together) {
      const errors = await this.#errorsOf(known, before + first, Math.min(together, count - first));
      for (const [i, ofWindow] of errors.entries()) scores[first + i] = this.#judge.judge(ofWindow).score;
    }
    this.#before = known.slice(Math.max(0, known.length - (this.#window - 1) * features));
    return scores;
  }

  dispose(): void {}

  // Of the windows that end with the `batch` rows from `first` on: [rows, features] each.
  async #errorsOf(rows: Float32Array, first: number, batch: number): Promise<Float32Array[]> {
    const features = this.#model.gru.inputSize;
    const window = this.#window;
    const inputs = new Float32Array(batch * window * features);
    const lengths = Int32Array.from({ length: batch }, (_, i) => Math.min(window, first + i + 1));
    for (const [i, length] of lengths.entries()) {
      const end = first + i + 1;
      inputs.set(rows.subarray((end - length) * features, end * features), i * window * features);
    }
    const expected = scope(() =>
      noGrad(() => {
        const x = upload(inputs, [batch, window, features], this.#model.head.weight.on);
        return this.#model.forward(x, { lengths }).expected;
      }),
    );
    try {
      const guess = (await expected.data()) as Float32Array;
      return Array.from(lengths, (length, i) => {
        const at = i * window * features;
        return Float32Array.from(
          { length: length * features },
          (_, k) => (inputs[at + k] as number) - (guess[at + k] as number),
        );
      });
    } finally {
      expected.dispose();
    }
  }
}
