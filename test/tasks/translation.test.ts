import { describe, expect, it } from 'vitest';
import { Generator, loadModel, losses, saveModel, type Tensor, tensor } from '../../lib/index.js';
import {
  alignmentOf,
  EncoderDecoder,
  type EncoderDecoderOptions,
  evaluateTranslator,
  scoreTranslations,
  type TextPair,
  trainTranslator,
  translate,
  translationTokenizersOf,
} from '../../lib/tasks/translation/index.js';
import { temporaryFolder } from '../formats/temporary_folder.js';

const letters = 'abcdefgh';

/** Words of letters, to be spelt backwards. */
function pairs(count: number, first = 0): TextPair[] {
  return Array.from({ length: count }, (_, i) => {
    let state = (first + i) * 7919 + 13;
    const word = Array.from({ length: 2 + ((first + i) % 4) }, () => {
      state = (state * 48271) % 2147483647;
      return letters[state % letters.length];
    });
    return [word.join(''), [...word].reverse().join(' ')] as const;
  });
}

const settings = {
  pairs: pairs(600),
  validation: pairs(60, 700),
  sourceTokens: 'characters',
  targetTokens: 'whitespace',
  embeddingSize: 24,
  hiddenSize: 48,
  epochs: 16,
  batchSize: 32,
  learningRate: 0.01,
} as const;

const sizes = { sourceVocabularySize: 9, targetVocabularySize: 7, embeddingSize: 5, hiddenSize: 6 };
const source = () => tensor(Int32Array.of(4, 5, 6, 7, 8, 0), [2, 3]);
const target = () => tensor(Int32Array.of(2, 4, 5, 2, 6, 4), [2, 3]);

const folder = temporaryFolder();

describe('translation', () => {
  it('learns to spell backwards words that it never saw, and travels in one file', async () => {
    const { model, result } = await trainTranslator({ ...settings, seed: 2 });
    expect(result.stopped).toBe('finished');
    const unseen = pairs(60, 2000);
    const sources = unseen.map(([word]) => word);
    const answers = unseen.map(([, answer]) => [answer]);
    const { errors } = await evaluateTranslator(model, sources, answers);
    expect(errors.tokenErrorRate).toBeLessThan(0.1);
    const path = folder('model.safetensors');
    await saveModel(path, model);
    const again = await loadModel<EncoderDecoder>(path);
    const options = { width: 3, nBest: 3 };
    // Given answers are judged as the search judges what it finds, in batches and alone.
    const found = await translate(again, sources.slice(0, 9), options);
    const judged = found.flatMap((list, i) => list.map(({ text }) => [sources[i] as string, text] as const));
    const finished = found.flat().map((one) => one.finished);
    const scores = await scoreTranslations(again, judged, { batchSize: 4 });
    expect(scores.length).toBe(27);
    for (const [i, { logProbability, tokens }] of found.flat().entries()) {
      if (!finished[i]) continue;
      expect(scores[i]?.logProbability).toBeCloseTo(logProbability, 3);
      expect(scores[i]?.tokens).toBe(tokens.length + 1);
    }
    expect(finished.filter(Boolean).length).toBeGreaterThan(9);
    expect((await scoreTranslations(again, judged.slice(5, 6)))[0]?.logProbability).toBeCloseTo(
      scores[5]?.logProbability as number,
      4,
    );
    await expect(scoreTranslations(again, [['', 'a']])).rejects.toThrow(/no tokens/);
    await expect(scoreTranslations(again, ['ab'] as never)).rejects.toThrow(/pairs\[0\]/);
    expect(await scoreTranslations(again, [])).toEqual([]);
    expect(await translate(again, sources.slice(0, 9), options)).toEqual(
      await translate(model, sources.slice(0, 9), options),
    );
    // One text alone is what it is among others.
    const [alone] = await translate(model, [sources[5] as string], options);
    const among = (await translate(model, sources.slice(0, 9), options))[5];
    expect(alone?.map(({ text }) => text)).toEqual(among?.map(({ text }) => text));
    // An answer is no longer than any in training, whatever the model thinks.
    const { longestTarget, target } = translationTokenizersOf(model);
    expect(longestTarget).toBe(5);
    const endless = await translate(model, sources, { width: 1 });
    expect(endless.every(([best]) => (best?.tokens.length as number) <= 5)).toBe(true);
    expect((await translate(model, sources, { maxLength: 1 })).flat().every(({ tokens }) => tokens.length <= 1)).toBe(
      true,
    );
    // Letters that it never saw are unknown tokens; a text without any is refused.
    const [unknown] = await translate(model, ['zz7']);
    expect(unknown?.[0]?.tokens.every((token) => token > 3 && token < target.vocabularySize)).toBe(true);
    await expect(translate(model, ['ab', ''])).rejects.toMatchObject({ code: 'ERR_DATA' });
    expect(await translate(model, [])).toEqual([]);
    // The last letter is read first.
    const [[best] = []] = await translate(model, ['abcd']);
    if (!best) throw new Error('no answer');
    const { weights, sourceTokens, targetTokens } = await alignmentOf(model, 'abcd', best);
    expect(sourceTokens).toEqual(['a', 'b', 'c', 'd']);
    expect(targetTokens).toHaveLength(weights.length);
    for (const row of weights) expect(row.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5);
  });

  it('with input feeding and scheduled sampling', async () => {
    const { model } = await trainTranslator({
      ...settings,
      pairs: pairs(300),
      epochs: 10,
      inputFeeding: true,
      attention: 'additive',
      sampling: 0.3,
    });
    const trained = pairs(40);
    const answers = trained.map(([, answer]) => [answer]);
    const { errors } = await evaluateTranslator(
      model,
      trained.map(([word]) => word),
      answers,
      { width: 2 },
    );
    expect(errors.tokenErrorRate).toBeLessThan(0.3);
  });

  const variants: Partial<EncoderDecoderOptions>[] = [
    { attention: 'general' },
    { attention: 'additive' },
    { attention: 'dot' },
    { attention: 'additive', inputFeeding: true, numLayers: 2 },
    { bidirectional: false, attention: 'dot', numLayers: 2 },
    { tied: true },
    { tied: true, embeddingSize: 6, inputFeeding: true },
  ];

  it.each(variants)('%o: every parameter has the gradient that differences give', async (variant) => {
    const model = new EncoderDecoder({ ...sizes, ...variant, generator: new Generator(5) });
    const wanted = tensor(Int32Array.of(4, 5, 3, 6, 4, 3), [2, 3]);
    const loss = () => losses.crossEntropy(model.forward(source(), target(), { lengths: [3, 2] }).logits, wanted);
    loss().backward();
    for (const [name, parameter] of model.namedParameters()) {
      const grad = (await (parameter.grad as Tensor).data()) as Float32Array;
      const values = (await parameter.data()) as Float32Array;
      // The element that matters most.
      const i = grad.reduce((best, value, j) => (Math.abs(value) > Math.abs(grad[best] as number) ? j : best), 0);
      const at = async (step: number) => {
        parameter.write(values.map((value, j) => (j === i ? value + step : value)));
        return loss().item();
      };
      const numerical = ((await at(0.01)) - (await at(-0.01))) / 0.02;
      parameter.write(values);
      expect(Math.abs(numerical - (grad[i] as number)), name).toBeLessThan(2e-3 + 0.03 * Math.abs(grad[i] as number));
    }
  });

  it.each(variants)('%o: the search takes the steps that training takes', async (variant) => {
    const model = new EncoderDecoder({ ...sizes, ...variant, generator: new Generator(6) }).eval();
    const { logits } = model.forward(source(), target(), { lengths: [3, 2] });
    const memory = model.encode(source(), [3, 2]);
    let state = model.searchState(memory);
    const search = model.searchModel(memory);
    const found: number[][] = [[], []];
    for (const column of [0, 1, 2]) {
      const tokens = target().slice(1, column, column + 1);
      const next = search.step(tokens.reshape(2), state);
      state = [...next.state];
      const values = await next.logits.data();
      for (const row of [0, 1]) found[row]?.push(...values.slice(row * 7, row * 7 + 7));
    }
    const expected = [...(await logits.data())];
    for (const [i, value] of found.flat().entries()) expect(value).toBeCloseTo(expected[i] as number, 5);
  });

  it('scheduled sampling of share 1 reads the model’s own answers', async () => {
    const model = new EncoderDecoder({ ...sizes, generator: new Generator(7) }).eval();
    const first = (await model.forward(source(), target()).logits.data()) as Float32Array;
    const answers = Array.from({ length: 6 }, (_, row) => {
      const values = first.subarray(row * 7, row * 7 + 7);
      return values.indexOf(Math.max(...values));
    });
    const own = Int32Array.from([0, 1].flatMap((b) => [2, answers[3 * b] as number, answers[3 * b + 1] as number]));
    const expected = await model.forward(source(), tensor(own, [2, 3])).logits.data();
    const sampled = await model.forward(source(), target(), { sampling: 1 }).logits.data();
    for (const [i, value] of sampled.entries()) expect(value).toBeCloseTo(expected[i] as number, 5);
  });

  it('padding of the source changes nothing', async () => {
    const model = new EncoderDecoder({ ...sizes, generator: new Generator(8) }).eval();
    const alone = await model.forward(source().slice(0, 1, 2).slice(1, 0, 2), target().slice(0, 1, 2)).logits.data();
    const both = await model.forward(source(), target(), { lengths: [3, 2] }).logits.data();
    for (const [i, value] of alone.entries()) expect(both[21 + i]).toBeCloseTo(value, 5);
  });

  it('minCount: rare words are the unknown token, of both sides', async () => {
    const few = pairs(60).map(([word, answer], i): TextPair => [`${word} w${i}`, `${answer} v${i}`]);
    const short = { ...settings, pairs: few, sourceTokens: 'whitespace', epochs: 1 } as const;
    const { model } = await trainTranslator({ ...short, minCount: 2 });
    const { source, target } = translationTokenizersOf(model);
    expect([...source.encode('w3 w4')]).toEqual([1, 1]);
    expect([...target.encode('a v3')].map((token) => token === 1)).toEqual([false, true]);
    expect(target.decode(target.encode('a v3'))).toBe('a �');
    await expect(trainTranslator({ ...short, minCount: -1 })).rejects.toThrow(/minCount/);
  });

  it('what cannot be is refused', async () => {
    const model = new EncoderDecoder(sizes);
    await expect(translate(model, ['a'])).rejects.toMatchObject({ code: 'ERR_FORMAT' });
    await expect(trainTranslator({ ...settings, pairs: [['', 'a']] })).rejects.toMatchObject({ code: 'ERR_DATA' });
    await expect(trainTranslator({ ...settings, pairs: [['a']] as never })).rejects.toThrow(/pairs\[0\]/);
    await expect(trainTranslator({ ...settings, sourceTokens: 'x' as never })).rejects.toThrow(/sourceTokens/);
    expect(() => new EncoderDecoder({ ...sizes, attention: 'luong' as never })).toThrow(/attention/);
    expect(() => model.forward(source(), tensor(Int32Array.of(1), [1, 1]))).toThrow(/target/);
    expect(() => model.forward(source(), target(), { sampling: 2 })).toThrow(/sampling/);
  });
});
