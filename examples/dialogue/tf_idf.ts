/** Texts as words weighted by how rare they are: tf · ln(N / n) over the texts learnt from, of length 1. */
export class TfIdf {
  readonly #weights = new Map<string, number>();
  readonly #newWord: number;

  constructor(texts: readonly string[]) {
    const counts = new Map<string, number>();
    for (const text of texts) for (const word of new Set(wordsOf(text))) counts.set(word, (counts.get(word) ?? 0) + 1);
    for (const [word, count] of counts) this.#weights.set(word, Math.log(texts.length / count));
    this.#newWord = Math.log(texts.length);
  }

  vector(text: string): Map<string, number> {
    const vector = new Map<string, number>();
    for (const word of wordsOf(text))
      vector.set(word, (vector.get(word) ?? 0) + (this.#weights.get(word) ?? this.#newWord));
    const length = Math.hypot(...vector.values()) || 1;
    for (const [word, weight] of vector) vector.set(word, weight / length);
    return vector;
  }
}

/** The cosine of two vectors of length 1. */
export function similarity(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const [word, weight] of a) sum += weight * (b.get(word) ?? 0);
  return sum;
}

function wordsOf(text: string): string[] {
  return text.match(/\p{L}[\p{L}']*/gu) ?? [];
}
