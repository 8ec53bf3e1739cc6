import { setImmediate } from 'node:timers/promises';
import { checkInteger, checkNumber, checkOptions, checkPositiveInteger, given, wrongKind } from '../arguments.js';
import type { Tensor } from '../tensor/tensor.js';
import { type CtcDecodingOptions, type Frames, readFrames } from './ctc_greedy.js';
import type { PrefixModel } from './prefix_model.js';
import { largest } from './scores.js';

export interface CtcBeamSearchOptions extends CtcDecodingOptions {
  /** Prefixes that are followed. Default: 16. */
  width?: number;
  /** Label sequences to give for each row, the best first. Default: 1. */
  nBest?: number;
  /** Only so many most probable classes of a frame may extend a prefix. Default: all. */
  classesPerFrame?: number;
  /** Judges the label sequences. Default: none. */
  languageModel?: PrefixModel;
  /** Weight of the language model's log-probability; 0: it is not asked. Default: 0.5 with a language model. */
  languageModelWeight?: number;
  /** What each label adds to the score; with a language model, against short answers. Default: 0. */
  labelBonus?: number;
  /** Stops the search with its `reason`. */
  signal?: AbortSignal;
}

/** One label sequence. */
export interface CtcHypothesis {
  labels: number[];
  /** log Σ p over its alignments that were followed: all of them, when `width` is large enough. */
  logProbability: number;
  /** logProbability + languageModelWeight · log p of the language model + labelBonus · labels. */
  score: number;
}

interface Prefix {
  labels: readonly number[];
  /** log p of the alignments that end in a blank, and in the last label. */
  blank: number;
  label: number;
  /** What is added to the log-probability for the score. */
  bonus: number;
}

const none = Number.NEGATIVE_INFINITY;

/** @internal What of the options does not belong to the logits. */
export type CtcSearchOptions = Omit<CtcBeamSearchOptions, keyof CtcDecodingOptions>;

/** @internal */
export const ctcSearchOptions: readonly string[] = [
  'width',
  'nBest',
  'classesPerFrame',
  'languageModel',
  'languageModelWeight',
  'labelBonus',
  'signal',
];

/** @internal Prefix beam search over the frames of one row that come one after another. */
export class CtcPrefixSearch {
  readonly #classes: number;
  readonly #blank: number;
  readonly #width: number;
  readonly #nBest: number;
  readonly #classesPerFrame: number;
  readonly #languageModel: PrefixModel | undefined;
  readonly #weight: number;
  readonly #labelBonus: number;
  readonly #signal: AbortSignal | undefined;
  #beams: Prefix[] = [{ labels: [], blank: 0, label: none, bonus: 0 }];

  /** @throws TypeError, RangeError */
  constructor({ classes, blank }: Pick<Frames, 'classes' | 'blank'>, options: CtcSearchOptions) {
    checkOptions(options, 'options', ctcSearchOptions);
    const { languageModel, signal } = options;
    if (languageModel !== undefined && typeof languageModel?.next !== 'function') {
      throw wrongKind('languageModel', 'a PrefixModel', languageModel);
    }
    if (signal !== undefined && !(signal instanceof AbortSignal)) throw wrongKind('signal', 'an AbortSignal', signal);
    this.#classes = classes;
    this.#blank = blank;
    this.#width = checkPositiveInteger(options.width ?? 16, 'width');
    this.#nBest = checkInteger(options.nBest ?? 1, 'nBest', { min: 1, max: this.#width });
    this.#classesPerFrame = checkPositiveInteger(options.classesPerFrame ?? classes, 'classesPerFrame');
    this.#weight = checkNumber(options.languageModelWeight ?? 0.5, 'languageModelWeight', { min: 0 });
    // Without weight it is not asked: 0 · log 0 would be NaN.
    this.#languageModel = this.#weight === 0 ? undefined : languageModel;
    this.#labelBonus = checkNumber(options.labelBonus ?? 0, 'labelBonus');
    this.#signal = signal;
  }

  /**
   * Other work gets its turn after each frame.
   *
   * @param frames log-probabilities: [frames, classes]
   */
  async push(frames: Float32Array): Promise<void> {
    for (let start = 0; start < frames.length; start += this.#classes) {
      this.#signal?.throwIfAborted();
      const frame = frames.subarray(start, start + this.#classes);
      const scores = await this.#languageModel?.next(this.#beams.map(({ labels }) => labels));
      const bonusOf = (beam: number, label: number) =>
        this.#labelBonus + (scores ? this.#weight * ((scores[beam] as ArrayLike<number>)[label] as number) : 0);
      this.#beams = extend(this.#beams, frame, this.#blank, largest(frame, this.#classesPerFrame), bonusOf)
        .sort((a, b) => scoreOf(b) - scoreOf(a))
        .slice(0, this.#width);
      await setImmediate();
    }
  }

  /** Up to `nBest` different label sequences for the frames so far. */
  get best(): CtcHypothesis[] {
    return this.#beams.slice(0, this.#nBest).map((beam) => ({
      labels: [...beam.labels],
      logProbability: logOfSum(beam.blank, beam.label),
      score: scoreOf(beam),
    }));
  }

  /** How many labels, from the first, all followed prefixes have in common: later frames do not change them. */
  get common(): number {
    const [first, ...others] = this.#beams.map(({ labels }) => labels);
    const end = first?.findIndex((label, i) => others.some((labels) => labels[i] !== label)) ?? 0;
    return end < 0 ? (first as readonly number[]).length : end;
  }
}

/**
 * Prefix beam search: the label sequences whose alignments together are most probable (Graves et al. 2006; Hannun et al. 2014), with a language
 * model if one is given. Frames are gone through on the host, and other work gets its turn after each.
 *
 * @param logits [batch, time, classes]
 * @returns for each row up to `nBest` different label sequences
 * @throws TypeError, RangeError
 */
export async function ctcBeamSearch(logits: Tensor, options: CtcBeamSearchOptions = {}): Promise<CtcHypothesis[][]> {
  checkOptions(options, 'options', ['lengths', 'blank', ...ctcSearchOptions]);
  const { lengths, blank, ...search } = options;
  const { rows, ...sizes } = await readFrames(logits, given({ lengths, blank }));
  const found: CtcHypothesis[][] = [];
  for (const frames of rows) {
    const searching = new CtcPrefixSearch(sizes, search);
    await searching.push(frames);
    found.push(searching.best);
  }
  return found;
}

function scoreOf({ blank, label, bonus }: Prefix): number {
  return logOfSum(blank, label) + bonus;
}

// Every prefix after one more frame: what stays as it is, and what gets a label more.
function extend(
  beams: readonly Prefix[],
  frame: Float32Array,
  blank: number,
  candidates: readonly number[],
  bonusOf: (beam: number, label: number) => number,
): Prefix[] {
  const next = new Map<string, Prefix>();
  const at = (labels: readonly number[], key: string, bonus: number): Prefix => {
    const known = next.get(key);
    if (known) return known;
    const made = { labels, blank: none, label: none, bonus };
    next.set(key, made);
    return made;
  };
  for (const [i, beam] of beams.entries()) {
    const { labels, bonus } = beam;
    const key = labels.join();
    const last = labels.at(-1);
    const total = logOfSum(beam.blank, beam.label);
    const same = at(labels, key, bonus);
    same.blank = logOfSum(same.blank, total + (frame[blank] as number));
    if (last !== undefined) same.label = logOfSum(same.label, beam.label + (frame[last] as number));
    for (const label of candidates) {
      if (label === blank) continue;
      // The last label again is a new one only behind a blank.
      const before = label === last ? beam.blank : total;
      if (before === none) continue;
      const longer = at([...labels, label], labels.length ? `${key},${label}` : `${label}`, bonus + bonusOf(i, label));
      longer.label = logOfSum(longer.label, before + (frame[label] as number));
    }
  }
  return [...next.values()].filter((prefix) => scoreOf(prefix) > none);
}

function logOfSum(a: number, b: number): number {
  const most = Math.max(a, b);
  return most === none ? none : most + Math.log1p(Math.exp(Math.min(a, b) - most));
}
