import { describe, expect, it } from 'vitest';
import { decoding, tensor } from '../../lib/index.js';
import { SmallModel, sum } from './token_models.js';

const { generate, stream } = decoding;

/** A model that remembers nothing: the same logits whatever came. */
function constant(logits: readonly number[]): decoding.TokenModel {
  return {
    vocabularySize: logits.length,
    device: 'cpu',
    step: (tokens) => ({
      logits: tensor(Array.from({ length: tokens.size }, () => logits).flat(), [tokens.size, logits.length]),
      state: [],
    }),
  };
}

/** How often each token came among `count` drawn ones. */
async function shares(logits: readonly number[], options: Partial<decoding.GenerateOptions>): Promise<number[]> {
  const rows = 200;
  const found = await generate(constant(logits), {
    start: new Int32Array(rows),
    maxLength: 50,
    temperature: 1,
    seed: 7,
    ...options,
  });
  const counts = new Array<number>(logits.length).fill(0);
  for (const token of found.flatMap(({ tokens }) => tokens)) counts[token] = (counts[token] as number) + 1;
  return counts.map((count) => count / (rows * 50));
}

const probabilities = [0.5, 0.25, 0.15, 0.07, 0.03];
const logits = probabilities.map(Math.log);
// Five standard deviations of a share among 10,000.
const near = (p: number) => 5 * Math.sqrt((p * (1 - p)) / 10_000) + 1e-9;

function expectShares(actual: number[], expected: number[]): void {
  const all = sum(expected);
  for (const [token, share] of actual.entries()) {
    const p = (expected[token] as number) / all;
    expect(Math.abs(share - p), `token ${token}: ${share} for ${p}`).toBeLessThanOrEqual(near(p));
  }
}

describe('sampling', () => {
  it('draws from the probabilities', async () => expectShares(await shares(logits, {}), probabilities));
  it('temperature', async () =>
    expectShares(
      await shares(logits, { temperature: 0.5 }),
      probabilities.map((p) => p * p),
    ));
  it('topK', async () => expectShares(await shares(logits, { topK: 2 }), [0.5, 0.25, 0, 0, 0]));
  it('topP: the fewest tokens that have the probability', async () => {
    expectShares(await shares(logits, { topP: 0.76 }), [0.5, 0.25, 0.15, 0, 0]);
    expectShares(await shares(logits, { topP: 0.1 }), [1, 0, 0, 0, 0]);
  });
  it('temperature 0 takes the most probable, the first of equal ones', async () => {
    const [found] = await generate(constant([0, 2, 2, 1]), { start: [0], maxLength: 3 });
    expect(found?.tokens).toEqual([1, 1, 1]);
  });
  it('logits of -Infinity are never drawn, large ones do not overflow', async () => {
    const found = await generate(constant([Number.NEGATIVE_INFINITY, 1e4, 1e4]), {
      start: [0],
      maxLength: 100,
      temperature: 1,
    });
    expect(new Set(found[0]?.tokens)).toEqual(new Set([1, 2]));
  });

  it('follows from the seed and the row alone', async () => {
    const model = new SmallModel(3, 9);
    const options = { start: [1, 2], state: model.initialState(2), maxLength: 20, temperature: 1.3, seed: 5 };
    const first = await generate(model, options);
    expect(await generate(model, options)).toEqual(first);
    expect((await generate(model, { ...options, seed: 6 })).map(({ tokens }) => tokens)).not.toEqual(
      first.map(({ tokens }) => tokens),
    );
    const [state] = model.initialState(2);
    const alone = await generate(model, { ...options, start: [1], state: state ? [state.slice(1, 0, 1)] : [] });
    expect(alone[0]?.tokens).toEqual(first[0]?.tokens);
  });

  it('log-probabilities are the model’s own, the end token’s included', async () => {
    const model = new SmallModel(4, 5);
    const options = { start: [0, 1], state: model.initialState(2), maxLength: 15, endToken: 4, temperature: 1 };
    for (const [row, { tokens, finished, logProbability }] of (await generate(model, options)).entries()) {
      const all = finished ? [...tokens, 4] : tokens;
      expect(logProbability).toBeCloseTo(sum(await model.logProbabilities(row, all, 2, row)), 3);
    }
  });

  it('streams tokens as they are found, and stops where the loop is left', async () => {
    const model = new SmallModel(5, 6);
    const options = { start: [0], state: model.initialState(1), maxLength: 100 };
    const whole = await generate(model, options);
    const seen: number[] = [];
    model.passes.length = 0;
    for await (const { row, token } of stream(model, options)) {
      expect(row).toBe(0);
      seen.push(token);
      if (seen.length === 7) break;
    }
    expect(seen).toEqual(whole[0]?.tokens.slice(0, 7));
    expect(model.passes).toHaveLength(7);
  });

  it('other work goes on between the tokens', async () => {
    const model = new SmallModel(6, 6);
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    await generate(model, { start: [0], state: model.initialState(1), maxLength: 3000 });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(5);
  });

  it('NaN in the logits is an error, and so are wrong options', async () => {
    const options = { start: [0], maxLength: 3 };
    await expect(generate(constant([0, Number.NaN]), options)).rejects.toMatchObject({ code: 'ERR_NON_FINITE' });
    for (const bad of [{ temperature: -1 }, { topK: 0 }, { topP: 0 }, { topP: 1.1 }, { seed: -1 }, { start: [] }]) {
      await expect(generate(constant([0, 1]), { ...options, ...bad }), JSON.stringify(bad)).rejects.toThrow(RangeError);
    }
    await expect(generate(constant([0, 1]), {} as never)).rejects.toThrow(TypeError);
  });
});
