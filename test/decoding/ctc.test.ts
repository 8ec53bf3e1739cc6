import { describe, expect, it } from 'vitest';
import { decoding, Generator, losses, randn, type Tensor, tensor } from '../../lib/index.js';
import { SmallModel } from './token_models.js';

const { ctcBeamSearch, ctcGreedy, NgramModel, tokenPrefixModel } = decoding;

const random = (seed: number, shape: number[]) => randn(shape, { generator: new Generator(seed) }).mul(2);

/** Frames that each say one class clearly. */
function frames(classes: readonly number[], count = 4): Tensor {
  return tensor(
    classes.flatMap((c) => Array.from({ length: count }, (_, i) => (i === c ? 9 : 0))),
    [1, classes.length, count],
  );
}

describe('CTC greedy', () => {
  it('merges repeats, removes blanks, and says where labels begin', async () => {
    const [found] = await ctcGreedy(frames([0, 1, 1, 0, 1, 2, 2, 0, 3]));
    expect(found?.labels).toEqual([1, 1, 2, 3]);
    expect(found?.frames).toEqual([1, 4, 5, 8]);
    const [other] = await ctcGreedy(frames([3, 0, 0, 3, 1]), { blank: 3 });
    expect(other?.labels).toEqual([0, 1]);
  });

  it('does not look beyond a row’s length', async () => {
    const logits = random(1, [2, 6, 4]);
    const rows = await ctcGreedy(logits, { lengths: [3, 0] });
    const [alone] = await ctcGreedy(logits.slice(0, 0, 1).slice(1, 0, 3));
    expect(rows[0]).toEqual(alone);
    expect(rows[1]).toEqual({ labels: [], frames: [], logProbability: 0 });
  });
});

describe('CTC prefix beam search', () => {
  it('with room for every prefix the probabilities are those of the loss, and the best one comes first', async () => {
    for (const seed of [2, 3, 4]) {
      const logits = random(seed, [1, 5, 3]);
      const [found = []] = await ctcBeamSearch(logits, { width: 1000, nBest: 1000 });
      let total = 0;
      for (const { labels, logProbability, score } of found) {
        const target = tensor(Int32Array.from(labels.length ? labels : [1]), [1, Math.max(1, labels.length)]);
        const loss = losses.ctc(logits, target, { targetLengths: [labels.length], reduction: 'sum' });
        expect(-(await loss.item())).toBeCloseTo(logProbability, 4);
        expect(score).toBe(logProbability);
        total += Math.exp(logProbability);
      }
      expect(total).toBeCloseTo(1, 5);
      expect(new Set(found.map(({ labels }) => String(labels))).size).toBe(found.length);
      const values = found.map(({ logProbability }) => logProbability);
      expect(values).toEqual([...values].sort((a, b) => b - a));
      const [narrow] = await ctcBeamSearch(logits, { width: 8 });
      expect(narrow?.[0]?.labels).toEqual(found[0]?.labels);
    }
  });

  it('sums alignments where greedy takes one', async () => {
    // The best alignment is all blank, p = 0.36, but 'a' has three: 0.24 + 0.24 + 0.16.
    const logits = tensor([0.6, 0.4, 0.6, 0.4].map(Math.log), [1, 2, 2]);
    expect((await ctcGreedy(logits))[0]?.labels).toEqual([]);
    const [[best] = []] = await ctcBeamSearch(logits);
    expect(best?.labels).toEqual([1]);
    expect(best?.logProbability).toBeCloseTo(Math.log(0.64), 5);
  });

  it('rows, lengths, blank and pruned classes', async () => {
    const logits = random(5, [3, 7, 5]);
    const lengths = [7, 4, 0];
    const together = await ctcBeamSearch(logits, { lengths, blank: 4, nBest: 3 });
    expect(together[2]).toEqual([{ labels: [], logProbability: 0, score: 0 }]);
    const [alone] = await ctcBeamSearch(logits.slice(0, 1, 2).slice(1, 0, 4), { blank: 4, nBest: 3 });
    expect(together[1]).toEqual(alone);
    const [pruned] = await ctcBeamSearch(frames([0, 1, 0, 2]), { classesPerFrame: 1 });
    expect(pruned?.[0]?.labels).toEqual([1, 2]);
  });

  it('a language model decides between labels that sound alike', async () => {
    const logits = tensor([0, 5, 0, 0, 9, 0, 0, 0, 0, 0, 5, 5], [1, 3, 4]);
    const bigrams = new NgramModel([[1, 3, 1, 3, 1, 3]], { order: 2, vocabularySize: 4 });
    for (const languageModel of [bigrams]) {
      const [[best] = []] = await ctcBeamSearch(logits, { languageModel, languageModelWeight: 1 });
      expect(best?.labels).toEqual([1, 3]);
      const expected =
        (best?.logProbability as number) +
        (bigrams.logProbabilities([])[1] as number) +
        (bigrams.logProbabilities([1])[3] as number);
      expect(best?.score).toBeCloseTo(expected, 5);
    }
  });

  it('a recurrent language model scores prefixes as it would whole sequences', async () => {
    const model = new SmallModel(8, 4);
    const languageModel = tokenPrefixModel(model, 0, model.initialState(1));
    const [found = []] = await ctcBeamSearch(random(9, [1, 8, 4]), {
      languageModel,
      languageModelWeight: 0.7,
      labelBonus: 0.3,
      width: 12,
      nBest: 12,
    });
    expect(found).toHaveLength(12);
    for (const { labels, logProbability, score } of found) {
      const judged = labels.length ? await model.logProbabilities(0, labels) : [];
      const bonus = judged.reduce((sum, value) => sum + 0.7 * value + 0.3, 0);
      expect(score).toBeCloseTo(logProbability + bonus, 3);
    }
    // Without an initial state the model begins from its own.
    const bare = tokenPrefixModel(model, 0);
    await bare.next([[]]);
    const [, longer] = await bare.next([[1], [2, 3]]);
    const zeros = tokenPrefixModel(model, 0, [tensor(new Float32Array(16), [2, 1, 8])]);
    expect(longer).toEqual((await zeros.next([[2, 3]]))[0]);
    // Prefixes that were never asked for before are worked out from the beginning.
    const [rows] = await tokenPrefixModel(model, 0, model.initialState(1)).next([[1, 2, 3]]);
    expect(rows?.[2]).toBeCloseTo((await model.logProbabilities(0, [1, 2, 3, 2]))[3] as number, 4);
  });

  it('one recurrent language model serves several searches at once', async () => {
    const model = new SmallModel(8, 4);
    const logits = [random(9, [1, 8, 4]), random(10, [1, 8, 4]), random(11, [1, 8, 4])];
    const search = (one: Tensor, languageModel = tokenPrefixModel(model, 0)) =>
      ctcBeamSearch(one, { languageModel, width: 6, nBest: 6 });
    const shared = tokenPrefixModel(model, 0);
    const together = await Promise.all(logits.map((one) => search(one, shared)));
    for (const [i, one] of logits.entries()) expect(together[i]).toEqual(await search(one));
  });

  it('wrong arguments are refused', async () => {
    const logits = random(1, [1, 3, 4]);
    await expect(ctcBeamSearch(logits, { width: 2, nBest: 3 })).rejects.toThrow(/nBest/);
    await expect(ctcBeamSearch(logits, { blank: 4 })).rejects.toThrow(/blank/);
    await expect(ctcBeamSearch(logits, { lengths: [4] })).rejects.toThrow(/lengths/);
    await expect(ctcBeamSearch(logits, { languageModel: {} as never })).rejects.toThrow(/languageModel/);
    await expect(ctcGreedy(logits.reshape(3, 4))).rejects.toThrow(/logits/);
  });
});

describe('n-grams', () => {
  const text = [0, 1, 2, 0, 1, 3, 0, 1, 2, 2, 1, 0, 0, 3];

  it.each([1, 2, 3, 5])('order %i: the probabilities after every context sum to 1', (order) => {
    const model = new NgramModel([text, [3, 3, 1]], { order, vocabularySize: 6 });
    for (const context of [[], [0], [0, 1], [5, 5], [2, 0, 1], [0, 1, 2, 0, 1, 3]]) {
      const p = [...model.logProbabilities(context)].map(Math.exp);
      expect(p.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
      expect(p.every((value) => value > 0)).toBe(true);
    }
  });

  it('of order 2, by hand', () => {
    // 0 1 0 1 0 2: bigrams 01 ×2, 10 ×2, 02 ×1. n1 = 1, n2 = 2: Y = 1 / 5, D1 = 1 - 2 Y n2 / n1 = 0.2, D2 = 2 (no n-gram came three times).
    // Unigrams count contexts: 0 begins the sequence once and follows 1 (2), 1 follows 0 (1), 2 follows 0 (1): n1 = 2, n2 = 1, Y = 1 / 2,
    // D1 = 1 - 2 · 0.5 · 1 / 2 = 0.5, D2 = 2.
    const model = new NgramModel([[0, 1, 0, 1, 0, 2]], { order: 2, vocabularySize: 3 });
    const uniform = 1 / 3;
    const unigramMass = (2 * 0.5 + 1 * 2) / 4;
    const unigram = [0, 0.5, 0.5].map((left) => left / 4 + unigramMass * uniform);
    const bigramMass = (0.2 + 2) / 3;
    const expected = [0, 0, 0.8].map((left, i) => left / 3 + bigramMass * (unigram[i] as number));
    for (const [i, value] of model.logProbabilities([0]).entries())
      expect(Math.exp(value)).toBeCloseTo(expected[i] as number, 6);
  });

  it('bits per token of a sequence are the mean of what each prefix foretells', () => {
    const model = new NgramModel([text], { order: 3, vocabularySize: 5 });
    const sequence = [0, 1, 2, 4, 1, 3];
    const bits = sequence.map(
      (token, i) => -(model.logProbabilities(sequence.slice(0, i))[token] as number) / Math.LN2,
    );
    expect(model.bitsPerToken(sequence)).toBeCloseTo(bits.reduce((sum, value) => sum + value, 0) / 6, 6);
    expect(() => model.bitsPerToken([])).toThrow(RangeError);
    expect(() => model.bitsPerToken([5])).toThrow(/sequence\[0\]/);
  });

  it('what came often is likely, and a longer context tells more', () => {
    const model = new NgramModel([Array.from({ length: 300 }, (_, i) => [0, 1, 0, 2][i % 4] as number)], {
      order: 3,
      vocabularySize: 4,
    });
    expect(Math.exp(model.logProbabilities([1, 0])[2] as number)).toBeGreaterThan(0.95);
    expect(Math.exp(model.logProbabilities([2, 0])[1] as number)).toBeGreaterThan(0.95);
    expect(() => new NgramModel([[9]], { vocabularySize: 4 })).toThrow(RangeError);
  });
});
