/** How a sequence differs from what it should be. */
export interface EditCounts {
  substitutions: number;
  insertions: number;
  deletions: number;
}

/**
 * The fewest substitutions, insertions and deletions that make `actual` of `expected` (Levenshtein distance); of equally few the one with the
 * fewest insertions and deletions.
 */
export function editCounts<T>(actual: ArrayLike<T>, expected: ArrayLike<T>): EditCounts {
  type Cell = readonly [edits: number, substitutions: number, insertions: number, deletions: number];
  const better = (a: Cell, b: Cell) => (a[0] < b[0] || (a[0] === b[0] && a[1] >= b[1]) ? a : b);
  let above: Cell[] = Array.from({ length: actual.length + 1 }, (_, j) => [j, 0, j, 0]);
  for (let i = 1; i <= expected.length; i++) {
    const row: Cell[] = [[i, 0, 0, i]];
    for (let j = 1; j <= actual.length; j++) {
      const [diagonal, up, left] = [above[j - 1], above[j], row[j - 1]] as [Cell, Cell, Cell];
      const same = Number(expected[i - 1] !== actual[j - 1]);
      let best: Cell = [diagonal[0] + same, diagonal[1] + same, diagonal[2], diagonal[3]];
      best = better(best, [up[0] + 1, up[1], up[2], up[3] + 1]);
      row.push(better(best, [left[0] + 1, left[1], left[2] + 1, left[3]]));
    }
    above = row;
  }
  const [, substitutions, insertions, deletions] = above[actual.length] as Cell;
  return { substitutions, insertions, deletions };
}

/** How far found sequences are from what they should be. */
export interface SequenceErrors extends EditCounts {
  /** Tokens of all expected sequences. */
  expectedTokens: number;
  /** (substitutions + insertions + deletions) / expectedTokens: word, character or phoneme error rate. */
  tokenErrorRate: number;
  /** The share of sequences that are not exactly right. */
  sequenceErrorRate: number;
}

/** The errors of all sequences together. `expected[i]` may be several right answers: the nearest one counts. */
export function sequenceErrors<T>(
  actual: readonly ArrayLike<T>[],
  expected: readonly (readonly ArrayLike<T>[])[],
): SequenceErrors {
  const total = { substitutions: 0, insertions: 0, deletions: 0, expectedTokens: 0 };
  let wrong = 0;
  for (const [i, answers] of expected.entries()) {
    const compared = answers.map((answer) => {
      const counts = editCounts(actual[i] as ArrayLike<T>, answer);
      return { counts, edits: counts.substitutions + counts.insertions + counts.deletions, length: answer.length };
    });
    const nearest = compared.reduce((best, one) => (one.edits < best.edits ? one : best));
    total.substitutions += nearest.counts.substitutions;
    total.insertions += nearest.counts.insertions;
    total.deletions += nearest.counts.deletions;
    total.expectedTokens += nearest.length;
    wrong += Number(nearest.edits > 0);
  }
  const edits = total.substitutions + total.insertions + total.deletions;
  return { ...total, tokenErrorRate: edits / total.expectedTokens, sequenceErrorRate: wrong / expected.length };
}
