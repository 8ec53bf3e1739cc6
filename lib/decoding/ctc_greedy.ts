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

/**
 * The most probable class of each frame, repeated ones merged and blanks removed: the labels of the single best alignment.
 *
 * @param logits [batch, time, classes]
 * @throws TypeError, RangeError
 */
export async function ctcGreedy(logits: Tensor, options: CtcDecodingOptions = {}): Promise<CtcGreedyResult[]> {
  checkOptions(options, 'options', ['lengths', 'blank']);
  const { classes, blank, rows } = await readFrames(logits, options);
  return rows.map((frames) => {
    const found: CtcGreedyResult = { labels: [], frames: [], logProbability: 0 };
    let before = blank;
    for (let t = 0; t * classes < frames.length; t++) {
      let best = 0;
      const at = (c: number) => frames[t * classes + c] as number;
      for (let c = 1; c < classes; c++) if (at(c) > at(best)) best = c;
      found.logProbability += at(best);
      if (best !== before && best !== blank) {
        found.labels.push(best);
        found.frames.push(t);
      }
      before = best;
    }
    return found;
  });
}
