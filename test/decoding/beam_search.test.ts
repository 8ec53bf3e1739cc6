import { describe, expect, it } from 'vitest';
import { decoding } from '../../lib/index.js';
import { fc } from '../fast_check.js';
import { SmallModel, sum } from './token_models.js';

const { beamSearch, generate } = decoding;

/** Every sequence that a search can end with, the end token being the last one of the vocabulary. */
function allSequences(vocabularySize: number, maxLength: number): { tokens: number[]; finished: boolean }[] {
  const grow = (tokens: number[]): { tokens: number[]; finished: boolean }[] =>
    tokens.length === maxLength
      ? [{ tokens, finished: false }]
      : [
          { tokens, finished: true },
          ...Array.from({ length: vocabularySize - 1 }, (_, token) => grow([...tokens, token])).flat(),
        ];
  return grow([]);
}

describe('beam search', () => {
  it('width 1 is greedy search', async () => {
    for (const seed of [1, 2, 3, 4]) {
      const model = new SmallModel(seed, 6);
      const options = { start: [0, 1, 2], state: model.initialState(3), maxLength: 12, endToken: 5 };
      const [beams, greedy] = [await beamSearch(model, { ...options, width: 1 }), await generate(model, options)];
      expect(beams.map(([best]) => best?.tokens)).toEqual(greedy.map(({ tokens }) => tokens));
      for (const [row, [best]] of beams.entries()) {
        expect(best?.logProbability).toBeCloseTo(greedy[row]?.logProbability as number, 5);
        expect(best?.finished).toBe(greedy[row]?.finished);
      }
    }
  });

  it('a width that holds every sequence finds them all, the best one first, with the scores of the model', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 1e6 }),
        fc.constantFrom(0, 0.7, 1.5),
        fc.constantFrom(2, 3, 4),
        async (seed, lengthPenalty, vocabularySize) => {
          const model = new SmallModel(seed, vocabularySize, 1);
          const endToken = vocabularySize - 1;
          const sequences = allSequences(vocabularySize, 3);
          const [found = []] = await beamSearch(model, {
            start: [0],
            state: model.initialState(1),
            maxLength: 3,
            endToken,
            width: sequences.length,
            lengthPenalty,
          });
          expect(found).toHaveLength(sequences.length);
          const scores = new Map<string, number>();
          for (const { tokens, finished } of sequences) {
            const all = finished ? [...tokens, endToken] : tokens;
            const logProbability = sum(await model.logProbabilities(0, all));
            scores.set(`${tokens} ${finished}`, logProbability / all.length ** lengthPenalty);
          }
          for (const { tokens, finished, score, logProbability } of found) {
            const expected = scores.get(`${tokens} ${finished}`) as number;
            expect(score).toBeCloseTo(expected, 4);
            expect(logProbability).toBeCloseTo(score * (tokens.length + Number(finished)) ** lengthPenalty, 4);
          }
          expect(found[0]?.score).toBeCloseTo(Math.max(...scores.values()), 4);
        },
      ),
      { numRuns: 12, seed: 3 },
    );
  });

  it('hypotheses are different, in order, and finished ones are not extended', async () => {
    for (const seed of [11, 12, 13]) {
      const model = new SmallModel(seed, 5);
      const rows = await beamSearch(model, {
        start: [0, 3],
        state: model.initialState(2),
        maxLength: 9,
        endToken: 4,
        width: 7,
      });
      for (const [row, found] of rows.entries()) {
        expect(new Set(found.map(({ tokens, finished }) => `${tokens} ${finished}`)).size).toBe(found.length);
        const scores = found.map(({ score }) => score);
        expect(scores).toEqual([...scores].sort((a, b) => b - a));
        for (const { tokens, finished, logProbability } of found) {
          expect(tokens).not.toContain(4);
          expect(finished || tokens.length === 9).toBe(true);
          const all = finished ? [...tokens, 4] : tokens;
          expect(logProbability).toBeCloseTo(sum(await model.logProbabilities([0, 3][row] as number, all, 2, row)), 3);
        }
      }
    }
  });

  it('a row gives the same alone and beside others; each step is one pass of rows × width', async () => {
    const model = new SmallModel(21, 7);
    const options = { maxLength: 6, endToken: 6, width: 4 };
    const together = await beamSearch(model, { ...options, start: [0, 1, 2], state: model.initialState(3) });
    expect(new Set(model.passes)).toEqual(new Set([12]));
    expect(model.passes.length).toBeLessThanOrEqual(6);
    const [state] = model.initialState(3);
    for (const row of [0, 1, 2]) {
      const alone = await beamSearch(model, {
        ...options,
        start: [row],
        state: state ? [state.slice(1, row, row + 1)] : [],
      });
      expect(alone[0]).toEqual(together[row]);
    }
  });

  it('conditions: lengths, allowed tokens, repetition', async () => {
    const model = new SmallModel(31, 6);
    const options = { start: [0], state: model.initialState(1), maxLength: 6, endToken: 5, width: 5 };
    const [long = []] = await beamSearch(model, { ...options, minLength: 4 });
    expect(long.every(({ tokens }) => tokens.length >= 4)).toBe(true);
    // Tokens that never go down.
    const allowed = (tokens: readonly number[]) => [0, 1, 2, 3, 4, 5].filter((token) => token >= (tokens.at(-1) ?? 0));
    const [rising = []] = await beamSearch(model, { ...options, allowed });
    for (const { tokens } of rising) expect(tokens).toEqual([...tokens].sort());
    const [varied = []] = await beamSearch(model, { ...options, minLength: 4, repetitionPenalty: 1000 });
    expect(new Set(varied[0]?.tokens).size).toBe(varied[0]?.tokens.length);
    expect(varied[0]?.score).toBeLessThanOrEqual(varied[0]?.logProbability as number);
    const [two = []] = await beamSearch(model, { ...options, nBest: 2 });
    expect(two).toHaveLength(2);
  });

  it('what cannot be is refused', async () => {
    const model = new SmallModel(41, 4);
    const options = { start: [0], state: model.initialState(1), maxLength: 3 };
    await expect(beamSearch(model, { ...options, width: 0 })).rejects.toThrow(RangeError);
    await expect(beamSearch(model, { ...options, width: 2, nBest: 3 })).rejects.toThrow(RangeError);
    await expect(beamSearch(model, { ...options, start: [4] })).rejects.toThrow(/start\[0\]/);
    await expect(beamSearch(model, { ...options, start: [0, 0] })).rejects.toThrow(/state\[0\]/);
    await expect(beamSearch(model, { ...options, minLength: 4 })).rejects.toThrow(/minLength/);
    await expect(beamSearch(model, { ...options, beams: 4 } as never)).rejects.toThrow(/beams/);
    await expect(beamSearch(model, { ...options, allowed: () => [] })).rejects.toThrow(/allowed/);
    await expect(beamSearch(model, { ...options, allowed: () => [9] })).rejects.toThrow(/allowed/);
    await expect(
      beamSearch(model, { ...options, endToken: 3, minLength: 2, allowed: () => [3] }),
    ).rejects.toMatchObject({ code: 'ERR_DATA' });
    await expect(beamSearch(model, { ...options, signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
      'enough',
    );
    await expect(beamSearch({} as never, options)).rejects.toThrow(TypeError);
  });
});
