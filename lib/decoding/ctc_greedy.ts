import { checkInteger, checkOptions, wrongRange } from '../arguments.js';
import { noGrad } from '../autograd/tape.js';
import { checkTensor } from '../ops/result.js';
import { checkLengths, type Lengths } from '../ops/sequences.js';
import type { Tensor } from '../tensor/tensor.js';

export interface CtcDecodingOptions {
  /** Frames of each row that count. Default: all. */
  lengths?: Lengths | undefined;
  /** The class that stands for no label. Default: 0. */
  blank?: number;
}

/** The labels of one row. */
export interface CtcGreedyResult {
  labels: number[];
  /** The frame at which each label begins. */
  frames: number[];
  /** Of this one alignment: Σ log p of its frames. */
  logProbability: number;
}

/** @internal Rows of frames of log-probabilities, on the host. */
export interface Frames {
  classes: number;
  blank: number;
  /** [frames, classes] of each row. */
  rows: Float32Array[];
}

/** @internal @throws TypeError, RangeError */
export async function readFrames(logits: Tensor, options: CtcDecodingOptions): Promise<Frames> {
  checkTensor(logits, 'logits', 'float32', 3);
  if (logits.size === 0) throw wrongRange('logits', 'at least one row, frame and class', logits);
  const [batch, time, classes] = logits.shape as [number, number, number];
  const blank = checkInteger(options.blank ?? 0, 'blank', { min: 0, max: classes - 1 });
  const lengths = options.lengths
    ? checkLengths(options.lengths, 'lengths', batch, 0, time)
    : new Int32Array(batch).fill(time);
  const logProbabilities = noGrad(() => logits.logSoftmax());
  try {
    const data = (await logProbabilities.data()) as Float32Array;
    const size = time * classes;
    const rows = Array.from(lengths, (length, b) => data.subarray(b * size, b * size + length * classes));
    return { classes, blank, rows };
  } finally {
    logProbabilities.dispose();
  }
}

/** @internal The labels of the best alignment of frames that come one after another; earlier ones never change. */
export class CtcGreedyDecoder {
  readonly found: CtcGreedyResult = { labels: [], frames: [], logProbability: 0 };
  readonly #classes: number;
  readonly #blank: number;
  #before: number;
  #frame = 0;

  constructor({ classes, blank }: Pick<Frames, 'classes' | 'blank'>) {
    this.#classes = classes;
    this.#blank = blank;
    this.#before = blank;
  }

  /** @param frames log-probabilities: [frames, classes] */
  push(frames: Float32Array): void {
    const classes = this.#classes;
    for (let start = 0; start < frames.length; start += classes) {
      let best = 0;
      const at = (c: number) => frames[start + c] as number;
      for (let c = 1; c < classes; c++) if (at(c) > at(best)) best = c;
      this.found.logProbability += at(best);
      if (best !== this.#before && best !== this.#blank) {
        this.found.labels.push(best);
        this.found.frames.push(this.#frame);
      }
      this.#before = best;
      this.#frame++;
    }
  }
}

/**
 * The most probable class of each frame, repeated ones merged and blanks removed: the labels of the single best alignment.
 *
 * @param logits [batch, time, classes]
 * @throws TypeError, RangeError
 */
export async function ctcGreedy(logits: Tensor, options: CtcDecodingOptions = {}): Promise<CtcGreedyResult[]> {
  checkOptions(options, 'options', ['lengths', 'blank']);
  const { rows, ...sizes } = await readFrames(logits, options);
  return rows.map((frames) => {
    const decoder = new CtcGreedyDecoder(sizes);
    decoder.push(frames);
    return decoder.found;
  });
}
