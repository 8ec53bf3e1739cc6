import { checkInteger, checkOptions, checkPositiveInteger, wrongKind, wrongRange } from '../arguments.js';
import type { PrefixModel } from './prefix_model.js';

export interface NgramModelOptions {
  /** Tokens that a prediction looks back on, and itself: 5 looks at 4. Default: 5. */
  order?: number;
  vocabularySize: number;
}

/** What followed one context: counts of tokens. */
interface Followers {
  counts: Map<number, number>;
  total: number;
  /** How many tokens followed once, twice, three times or more. */
  byCount: [number, number, number];
}

/**
 * A language model of n-grams with interpolated, modified Kneser–Ney smoothing (Chen and Goodman 1999):
 *
 *     p(w | c) = max(0, n(c w) - D) / n(c) + γ(c) p(w | c without its first token)
 *
 * with a discount D for tokens seen once, twice, and more often after their context, and γ(c) the mass that was taken. The highest order, and
 * contexts at a sequence's beginning, count how often a token came; lower ones before how many different tokens. At the end stands the uniform
 * distribution.
 */
export class NgramModel implements PrefixModel {
  readonly order: number;
  readonly vocabularySize: number;
  /** By context length: what followed each context. */
  readonly #levels: Map<string, Followers>[];
  readonly #discounts: [number, number, number][];

  /**
   * Counts the sequences.
   * @param sequences of tokens 0 to vocabularySize - 1; nothing reaches from one into the next
   * @throws TypeError, RangeError
   */
  constructor(sequences: Iterable<ArrayLike<number>>, options: NgramModelOptions) {
    checkOptions(options, 'options', ['order', 'vocabularySize']);
    this.order = checkInteger(options.order ?? 5, 'order', { min: 1, max: 20 });
    this.vocabularySize = checkPositiveInteger(options.vocabularySize, 'vocabularySize');
    if (typeof sequences?.[Symbol.iterator] !== 'function')
      throw wrongKind('sequences', 'sequences of tokens', sequences);
    this.#levels = Array.from({ length: this.order }, () => new Map<string, Followers>());
    for (const sequence of sequences) this.#count(sequence);
    this.#discounts = this.#levels.map(discountsOf);
  }

  #count(sequence: ArrayLike<number>): void {
    const tokens = Array.from(sequence, (token, i) =>
      checkInteger(token, `sequences[${i}]`, { min: 0, max: this.vocabularySize - 1 }),
    );
    for (let end = 0; end < tokens.length; end++) {
      const token = tokens[end] as number;
      const longest = Math.min(this.order - 1, end);
      // A shorter context counts a token only when the longer one had not led to it: different ways to come to it.
      for (let length = longest; length >= 0; length--) {
        if (!add(this.#levels[length] as Map<string, Followers>, contextOf(tokens, end, length), token)) break;
      }
    }
  }

  /** log p of every token after a prefix. */
  logProbabilities(prefix: readonly number[]): Float32Array {
    let p = new Float64Array(this.vocabularySize).fill(1 / this.vocabularySize);
    for (let length = 0; length < Math.min(this.order, prefix.length + 1); length++) {
      const followers = this.#levels[length]?.get(contextOf(prefix, prefix.length, length));
      // Longer contexts than one that never came did not come either.
      if (followers === undefined) break;
      const { counts, total, byCount } = followers;
      const discounts = this.#discounts[length] as [number, number, number];
      const taken = byCount.reduce((sum, types, i) => sum + types * (discounts[i] as number), 0);
      p = p.map((lower) => (lower * taken) / total);
      for (const [token, count] of counts) {
        p[token] = (p[token] as number) + Math.max(0, count - (discounts[Math.min(count, 3) - 1] as number)) / total;
      }
    }
    return Float32Array.from(p, Math.log);
  }

  /** The mean of -log2 p of each token of a sequence, after those before it. @throws RangeError for an empty one */
  bitsPerToken(sequence: ArrayLike<number>): number {
    if (sequence.length === 0) throw wrongRange('sequence', 'at least one token', sequence);
    const recent: number[] = [];
    let nats = 0;
    for (let i = 0; i < sequence.length; i++) {
      const token = checkInteger(sequence[i], `sequence[${i}]`, { min: 0, max: this.vocabularySize - 1 });
      nats -= this.logProbabilities(recent)[token] as number;
      recent.push(token);
      if (recent.length === this.order) recent.shift();
    }
    return nats / Math.LN2 / sequence.length;
  }

  async next(prefixes: readonly (readonly number[])[]): Promise<readonly Float32Array[]> {
    return prefixes.map((prefix) => this.logProbabilities(prefix));
  }
}

function contextOf(tokens: readonly number[], end: number, length: number): string {
  return tokens.slice(end - length, end).join();
}

/** @returns whether the token had not followed the context before */
function add(level: Map<string, Followers>, context: string, token: number): boolean {
  let followers = level.get(context);
  if (followers === undefined) {
    followers = { counts: new Map(), total: 0, byCount: [0, 0, 0] };
    level.set(context, followers);
  }
  const before = followers.counts.get(token) ?? 0;
  followers.counts.set(token, before + 1);
  followers.total += 1;
  const { byCount } = followers;
  if (before >= 1 && before <= 2) byCount[before - 1] = (byCount[before - 1] as number) - 1;
  if (before <= 2) byCount[before] = (byCount[before] as number) + 1;
  return before === 0;
}

// D_k = k - (k + 1) Y n_{k+1} / n_k with Y = n_1 / (n_1 + 2 n_2), n_k the number of n-grams that came k times.
function discountsOf(level: Map<string, Followers>): [number, number, number] {
  const n = [0, 0, 0, 0, 0];
  for (const { counts } of level.values()) {
    for (const count of counts.values()) if (count <= 4) n[count] = (n[count] as number) + 1;
  }
  const at = (k: number) => n[k] as number;
  const y = at(1) / Math.max(1, at(1) + 2 * at(2));
  const discount = (k: number) => {
    const value = at(k) > 0 ? k - ((k + 1) * y * at(k + 1)) / at(k) : k / 2;
    return Math.min(k, Math.max(0, value));
  };
  return [discount(1), discount(2), discount(3)];
}
