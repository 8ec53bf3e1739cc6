import { wrongKind, wrongRange } from '../../arguments.js';
import type { Batch, Dataset } from '../../data/types.js';
import { CudnnGruError } from '../../errors.js';
import { specialTokens, type Tokenizer } from '../../text/index.js';

/** A text and what it is to become. */
export type TextPair = readonly [source: string, target: string];

/** A source and a target, as tokens. */
export interface TokenPair {
  readonly source: Int32Array;
  /** Without start and end. */
  readonly target: Int32Array;
}

/** Pairs of token sequences, padded batch by batch: inputs [batch, longest source], targets [batch, longest target + 1] with the end token. */
export class PairDataset implements Dataset {
  readonly #pairs: readonly TokenPair[];

  /** @throws RangeError for an empty source */
  constructor(pairs: readonly TokenPair[]) {
    const empty = pairs.findIndex(({ source }) => source.length === 0);
    if (empty >= 0) throw wrongRange(`pairs[${empty}].source`, 'at least one token', pairs[empty]?.source);
    this.#pairs = pairs;
  }

  get length(): number {
    return this.#pairs.length;
  }

  lengthOf(index: number): number {
    const { source, target } = this.#pairs[index] as TokenPair;
    return Math.max(source.length, target.length);
  }

  get(indices: ArrayLike<number>): Batch {
    const pairs = Array.from(indices, (index) => this.#pairs[index] as TokenPair);
    return {
      inputs: padded(pairs.map(({ source }) => source)),
      targets: padded(pairs.map(({ target }) => Int32Array.of(...target, specialTokens.end))),
      lengths: Int32Array.from(pairs, ({ source }) => source.length),
    };
  }
}

/** @internal Rows filled up with the padding token. */
export function padded(rows: readonly Int32Array[]): { data: Int32Array; shape: [number, number] } {
  const longest = Math.max(...rows.map((row) => row.length));
  const data = new Int32Array(rows.length * longest).fill(specialTokens.padding);
  for (const [i, row] of rows.entries()) data.set(row, i * longest);
  return { data, shape: [rows.length, longest] };
}

/** @internal What the decoder reads: the start token, then the target without its last column. */
export function decoderInput({ data, shape }: { data: ArrayLike<number>; shape: readonly number[] }): Int32Array {
  const columns = shape[1] as number;
  return Int32Array.from(data, (_, i) => (i % columns === 0 ? specialTokens.start : (data[i - 1] as number)));
}

/** @internal @throws TypeError */
export function checkPairs(pairs: unknown, name: string): readonly TextPair[] {
  if (!Array.isArray(pairs)) throw wrongKind(name, 'an array of [source, target]', pairs);
  for (const [i, pair] of pairs.entries()) {
    if (!Array.isArray(pair) || pair.length !== 2 || pair.some((text) => typeof text !== 'string'))
      throw wrongKind(`${name}[${i}]`, 'two strings', pair);
  }
  return pairs as TextPair[];
}

/** @internal @throws CudnnGruError `ERR_DATA` for a source without tokens */
export function encodePair([text, answer]: TextPair, source: Tokenizer, target: Tokenizer): TokenPair {
  const tokens = source.encode(text);
  if (tokens.length === 0) throw new CudnnGruError('ERR_DATA', `a source has no tokens; it stands beside ${answer}`);
  return { source: tokens, target: target.encode(answer) };
}
