import { setImmediate } from 'node:timers/promises';
import { checkInteger, checkNumber, checkOptions, checkPositiveInteger, wrongKind } from '../arguments.js';
import type { Tensor } from '../tensor/tensor.js';
import { type CtcDecodingOptions, readFrames } from './ctc_greedy.js';
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
  /** Weight of the language model's log-probability. Default: 0.5 with a language model. */
  languageModelWeight?: number;
  /** What each label adds to the score; with a language model, against short answers. Default: 0. */
  labelBonus?: number;
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

/**
 * Prefix beam search: the label sequences whose alignments together are most probable (Graves et al. 2006; Hannun et al. 2014), with a language
 * model if one is given. Frames are gone through on the host, and other work gets its turn after each.
 *
 * @param logits [batch, time, classes]
 * @returns for each row up to `nBest` different label sequences
 * @throws TypeError, RangeError
 */
export async function ctcBeamSearch(logits: Tensor, options: CtcBeamSearchOptions = {}): Promise<CtcHypothesis[][]> {
  checkOptions(options, 'options', [
    'lengths',
    'blank',
    'width',
    'nBest',
    'classesPerFrame',
    'languageModel',
    'languageModelWeight',
    'labelBonus',
  ]);
  const { languageModel } = options;
  if (languageModel !== undefined && typeof languageModel?.next !== 'function') {
    throw wrongKind('languageModel', 'a PrefixModel', languageModel);
  }
  const width = checkPositiveInteger(options.width ?? 16, 'width');
  const nBest = checkInteger(options.nBest ?? 1, 'nBest', { min: 1, max: width });
  const weight = checkNumber(options.languageModelWeight ?? 0.5, 'languageModelWeight', { min: 0 });
  const labelBonus = checkNumber(options.labelBonus ?? 0, 'labelBonus');
  const classesPerFrame = options.classesPerFrame && checkPositiveInteger(options.classesPerFrame, 'classesPerFrame');
  const { classes, blank, rows } = await readFrames(logits, options);
  const found: CtcHypothesis[][] = [];
  for (const frames of rows) {
    let beams: Prefix[] = [{ labels: [], blank: 0, label: none, bonus: 0 }];
    for (let start = 0; start < frames.length; start += classes) {
      const frame = frames.subarray(start, start + classes);
      const scores = await languageModel?.next(beams.map(({ labels }) => labels));
      const bonusOf = (beam: number, label: number) =>
        labelBonus + (scores ? weight * ((scores[beam] as ArrayLike<number>)[label] as number) : 0);
      beams = extend(beams, frame, blank, largest(frame, classesPerFrame ?? classes), bonusOf)
        .sort((a, b) => scoreOf(b) - scoreOf(a))
        .slice(0, width);
      await setImmediate();
    }
    found.push(
      beams.slice(0, nBest).map((beam) => ({
        labels: [...beam.labels],
        logProbability: logOfSum(beam.blank, beam.label),
        score: scoreOf(beam),
      })),
    );
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
