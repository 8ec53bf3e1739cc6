import { setImmediate } from 'node:timers/promises';
import { checkOptions, checkPositiveInteger } from '../arguments.js';
import type { JsonValue } from '../layers/module.js';
import { checkText, checkTexts, countPieces, specialTokens, type Tokenizer, Vocabulary } from './tokenizer.js';

export interface SubwordTokenizerOptions {
  /** Characters and merges together. Default: 2000. */
  pieces?: number;
  /** Characters that came less often are unknown. Default: 1. */
  minCount?: number;
}

// Stands for the space before a word, as in SentencePiece.
const space = '▁';
const mergesAtOnce = 64;

/**
 * Byte-pair encoding of words (Sennrich et al. 2016): words are spelt in characters, and the pair of neighbours that is most frequent becomes a
 * piece, again and again. Frequent words are one token, rare ones a few, and none is unknown whose characters are known.
 */
export class SubwordTokenizer implements Tokenizer {
  readonly #vocabulary: Vocabulary;
  /** Merges in the order in which they were learnt: 'left right' to its rank. */
  readonly #ranks: Map<string, number>;
  readonly #known = new Map<string, readonly number[]>();

  /** @internal */
  constructor(
    characters: readonly string[],
    private readonly merges: readonly string[],
  ) {
    this.#ranks = new Map(merges.map((merge, i) => [merge, i]));
    this.#vocabulary = new Vocabulary(new Set([...characters, ...merges.map((merge) => merge.replace(' ', ''))]));
    this.characters = characters;
  }

  private readonly characters: readonly string[];

  /** Learns pieces from texts; other work gets its turn in between. @throws TypeError, RangeError */
  static async of(texts: Iterable<string>, options: SubwordTokenizerOptions = {}): Promise<SubwordTokenizer> {
    checkOptions(options, 'options', ['pieces', 'minCount']);
    const most = checkPositiveInteger(options.pieces ?? 2000, 'pieces');
    const minCount = checkPositiveInteger(options.minCount ?? 1, 'minCount');
    const words = new Map<string, number>();
    for (const text of checkTexts(texts)) countPieces(spelt(text), words);
    const characters = new Map<string, number>();
    for (const [text, count] of words) for (const c of text) characters.set(c, (characters.get(c) ?? 0) + count);
    const kept = Vocabulary.ofCounts(characters, minCount, most).own;
    const pairs = new PairCounts(words);
    const merges: string[] = [];
    while (kept.length + merges.length < most) {
      const best = pairs.mostFrequent();
      if (best === undefined) break;
      pairs.merge(best);
      merges.push(best);
      if (merges.length % mergesAtOnce === 0) await setImmediate();
    }
    return new SubwordTokenizer(kept, merges);
  }

  get vocabularySize(): number {
    return this.#vocabulary.size;
  }

  encode(text: string): Int32Array {
    return Int32Array.from(spelt(checkText(text)).flatMap((piece) => this.#encodeWord(piece)));
  }

  decode(tokens: ArrayLike<number>): string {
    return this.#vocabulary.textsOf(tokens).join('').replaceAll(space, ' ').replace(/^ /, '');
  }

  toJSON(): JsonValue {
    return { kind: 'subwords', characters: this.characters, merges: this.merges };
  }

  #encodeWord(text: string): readonly number[] {
    const known = this.#known.get(text);
    if (known) return known;
    let pieces = [...text];
    for (;;) {
      let best: string | undefined;
      let rank = Number.POSITIVE_INFINITY;
      for (let i = 0; i + 1 < pieces.length; i++) {
        const pair = `${pieces[i]} ${pieces[i + 1]}`;
        const found = this.#ranks.get(pair) ?? rank;
        if (found < rank) [best, rank] = [pair, found];
      }
      if (best === undefined) break;
      pieces = joined(pieces, best);
    }
    const tokens = pieces.map((piece) => this.#vocabulary.numberOf(piece));
    // A bound on what outside texts can make it keep.
    if (this.#known.size < 100_000 && tokens.every((token) => token !== specialTokens.unknown))
      this.#known.set(text, tokens);
    return tokens;
  }
}

// Words with the mark of a space before each.
function spelt(text: string): string[] {
  return text.split(/\s+/).flatMap((piece) => (piece === '' ? [] : [space + piece]));
}

function joined(pieces: readonly string[], pair: string): string[] {
  const [left, right] = pair.split(' ') as [string, string];
  const next: string[] = [];
  for (let i = 0; i < pieces.length; i++) {
    if (pieces[i] === left && pieces[i + 1] === right) {
      next.push(left + right);
      i += 1;
    } else next.push(pieces[i] as string);
  }
  return next;
}

/** How often each pair of neighbours comes in all words, kept up to date from merge to merge. */
class PairCounts {
  readonly #words: { pieces: string[]; count: number }[];
  readonly #counts = new Map<string, number>();
  /** The words in which a pair came. */
  readonly #places = new Map<string, Set<number>>();

  constructor(words: ReadonlyMap<string, number>) {
    this.#words = Array.from(words, ([text, count]) => ({ pieces: [...text], count }));
    for (const index of this.#words.keys()) this.#add(index, 1);
  }

  /** The first in the alphabet of equally frequent ones; undefined when no pair comes twice. */
  mostFrequent(): string | undefined {
    let best: string | undefined;
    let most = 1;
    for (const [pair, count] of this.#counts) {
      if (count > most || (count === most && best !== undefined && pair < best)) [best, most] = [pair, count];
    }
    return best;
  }

  merge(pair: string): void {
    for (const index of [...(this.#places.get(pair) ?? [])]) {
      this.#add(index, -1);
      const word = this.#words[index] as { pieces: string[] };
      word.pieces = joined(word.pieces, pair);
      this.#add(index, 1);
    }
  }

  #add(index: number, sign: 1 | -1): void {
    const { pieces, count } = this.#words[index] as { pieces: string[]; count: number };
    for (let i = 0; i + 1 < pieces.length; i++) {
      const pair = `${pieces[i]} ${pieces[i + 1]}`;
      const now = (this.#counts.get(pair) ?? 0) + sign * count;
      if (now > 0) this.#counts.set(pair, now);
      else this.#counts.delete(pair);
      const places = this.#places.get(pair) ?? new Set();
      if (sign > 0) this.#places.set(pair, places.add(index));
      else places.delete(index);
    }
  }
}
