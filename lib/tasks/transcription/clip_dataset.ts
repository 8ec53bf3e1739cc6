import { quote, wrongKind } from '../../arguments.js';
import { type Audio, type Frames, MelFrontEnd, type MelFrontEndOptions } from '../../audio/index.js';
import { fitStandardScaler, padSequences, type Scaler } from '../../data/index.js';
import type { Batch, Dataset } from '../../data/types.js';
import { CudnnGruError } from '../../errors.js';

/** A sound that somebody speaks. */
export interface SpokenClip {
  readonly audio: Audio;
  /** Who speaks: sounds of one speaker are normalised together. Default: as the training sounds were. */
  readonly speaker?: string | undefined;
}

/** A sound and what is said. */
export interface Clip extends SpokenClip {
  readonly text: string;
}

/** @internal The features of each clip, not normalised. @throws TypeError; CudnnGruError `ERR_DATA` naming the clip */
export async function clipFeatures(
  clips: readonly SpokenClip[],
  options: MelFrontEndOptions,
  name = 'clips',
): Promise<Frames[]> {
  if (!Array.isArray(clips)) throw wrongKind(name, 'an array of { audio }', clips);
  const frontEnd = new MelFrontEnd(options);
  const found: Frames[] = [];
  for (const [i, clip] of clips.entries()) {
    try {
      found.push(await frontEnd.logMel(clip?.audio));
    } catch (error) {
      if (!(error instanceof CudnnGruError) || error.code !== 'ERR_DATA') throw error;
      throw new CudnnGruError('ERR_DATA', `${name}[${i}]: ${error.message}`, { cause: error });
    }
  }
  return found;
}

/** @internal Mean 0 and variance 1 of each feature, over all frames. */
export function fitFrames(features: readonly Frames[]): Scaler {
  const size = features[0]?.shape[1] as number;
  const all = new Float32Array(features.reduce((sum, { data }) => sum + data.length, 0));
  let done = 0;
  for (const { data } of features) {
    all.set(data, done);
    done += data.length;
  }
  return fitStandardScaler(all, size);
}

/** @internal Each clip by its speaker's mean and variance, or by `general` where the speaker is not known. */
export function normalizeClips(features: readonly Frames[], clips: readonly SpokenClip[], general: Scaler): Frames[] {
  const bySpeaker = new Map<string, Frames[]>();
  for (const [i, { speaker }] of clips.entries()) {
    if (speaker === undefined) continue;
    const own = bySpeaker.get(speaker) ?? [];
    own.push(features[i] as Frames);
    bySpeaker.set(speaker, own);
  }
  const scalers = new Map(Array.from(bySpeaker, ([speaker, own]) => [speaker, fitFrames(own)]));
  return features.map(({ data, shape }, i) => {
    const { speaker } = clips[i] as SpokenClip;
    const scaler = (speaker === undefined ? undefined : scalers.get(speaker)) ?? general;
    return { data: scaler.transform(data), shape };
  });
}

/** Frames with the tokens that are said in them, padded batch by batch: inputs [batch, frames, features], targets [batch, labels], 0 behind. */
export class ClipDataset implements Dataset {
  readonly #frames: readonly Frames[];
  readonly #labels: readonly Int32Array[];

  /**
   * @param stacking frames of a step
   * @throws CudnnGruError `ERR_DATA` for a clip whose steps are fewer than its labels need: each one, and one between two equal ones
   */
  constructor(frames: readonly Frames[], labels: readonly Int32Array[], texts: readonly string[], stacking: number) {
    this.#frames = frames;
    this.#labels = labels;
    for (const [i, tokens] of labels.entries()) {
      const steps = Math.floor((frames[i]?.shape[0] as number) / stacking);
      const needed = Math.max(1, tokens.length + tokens.filter((token, j) => j > 0 && token === tokens[j - 1]).length);
      if (steps >= needed) continue;
      throw new CudnnGruError(
        'ERR_DATA',
        `the text ${quote(texts[i] as string)} needs ${needed} steps, and its sound has ${steps} of ${stacking} frames: ` +
          'it is too short for so much text, or stacking too large',
      );
    }
  }

  get length(): number {
    return this.#frames.length;
  }

  lengthOf(index: number): number {
    return this.#frames[index]?.shape[0] as number;
  }

  get(indices: ArrayLike<number>): Batch {
    const chosen = Array.from(indices, (index) => this.#frames[index] as Frames);
    const labels = Array.from(indices, (index) => this.#labels[index] as Int32Array);
    const longest = Math.max(1, ...labels.map((tokens) => tokens.length));
    const targets = new Int32Array(labels.length * longest);
    for (const [i, tokens] of labels.entries()) targets.set(tokens, i * longest);
    return {
      inputs: padSequences(chosen),
      targets: { data: targets, shape: [labels.length, longest] },
      lengths: Int32Array.from(chosen, ({ shape }) => shape[0] as number),
    };
  }
}

/** @internal How many labels each row has: [batch]. */
export function labelCounts({ data, shape }: Batch['targets']): Int32Array {
  const [rows, columns] = shape as [number, number];
  return Int32Array.from({ length: rows }, (_, row) => {
    const end = data.subarray(row * columns, (row + 1) * columns).indexOf(0);
    return end < 0 ? columns : end;
  });
}
