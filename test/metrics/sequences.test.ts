import { expect, it } from 'vitest';
import { editCounts, sequenceErrors } from '../../lib/metrics/sequences.js';
import { fc } from '../fast_check.js';

it('counts edits', () => {
  expect(editCounts([...'sitting'], [...'kitten'])).toEqual({ substitutions: 2, insertions: 1, deletions: 0 });
  expect(editCounts([], [1, 2])).toEqual({ substitutions: 0, insertions: 0, deletions: 2 });
  expect(editCounts([1, 2, 3], [1, 3])).toEqual({ substitutions: 0, insertions: 1, deletions: 0 });
});

it('is 0 for equal sequences only, the same both ways, and no more than the longer one', () => {
  const sequence = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 8 });
  const edits = (a: number[], b: number[]) => Object.values(editCounts(a, b)).reduce((sum, n) => sum + n, 0);
  fc.assert(
    fc.property(sequence, sequence, (a, b) => {
      expect(edits(a, b) === 0).toBe(String(a) === String(b));
      expect(edits(a, b)).toBe(edits(b, a));
      expect(edits(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
      const { insertions, deletions } = editCounts(a, b);
      expect(insertions - deletions).toBe(a.length - b.length);
    }),
    { seed: 1 },
  );
});

it('error rates take the nearest of several answers', () => {
  const errors = sequenceErrors<string>([[...'abc'], [...'xy']], [[[...'abd'], [...'abc']], [[...'xz']]]);
  expect(errors).toMatchObject({ substitutions: 1, insertions: 0, deletions: 0, expectedTokens: 5 });
  expect(errors.tokenErrorRate).toBeCloseTo(1 / 5, 12);
  expect(errors.sequenceErrorRate).toBe(0.5);
});
