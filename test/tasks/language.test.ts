import { describe, expect, it } from 'vitest';
import { loadModel, saveModel, tensor } from '../../lib/index.js';
import {
  evaluateLanguageModel,
  generateText,
  LanguageModel,
  surpriseOf,
  trainLanguageModel,
} from '../../lib/tasks/language/index.js';
import { temporaryFolder } from '../formats/temporary_folder.js';

const text = 'the quick brown fox jumps over the lazy dog. '.repeat(120);

async function written(...[model, prompt, options]: Parameters<typeof generateText>): Promise<string> {
  let all = '';
  for await (const piece of generateText(model, prompt, options)) all += piece;
  return all;
}

const settings = { text, hiddenSize: 48, embeddingSize: 16, streams: 8, steps: 24, epochs: 12, learningRate: 0.01 };

const folder = temporaryFolder();

describe('language model', () => {
  it('learns a text by heart, writes it on, and travels in one file', async () => {
    const { model, evaluation, result } = await trainLanguageModel({ ...settings, seed: 1 });
    expect(result.stopped).toBe('finished');
    expect(evaluation?.bitsPerCharacter).toBeLessThan(0.3);
    expect(evaluation?.perplexity).toBeCloseTo(2 ** (evaluation?.bitsPerToken as number), 6);
    expect(await written(model, 'the quick', { length: 30 })).toBe(' brown fox jumps over the lazy');
    // Characters that it never saw are unknown tokens, and are never written.
    expect(await written(model, '漢字', { length: 9, temperature: 3 })).toMatch(/^[a-z. ]{9}$/);
    await expect(written(model, '')).rejects.toThrow(/prompt/);
    const path = folder('model.safetensors');
    await saveModel(path, model);
    const again = await loadModel<LanguageModel>(path);
    const options = { length: 40, temperature: 1.5, seed: 3 };
    expect(await written(again, 'fox', options)).toBe(await written(model, 'fox', options));
    expect(await evaluateLanguageModel(again, text.slice(0, 3000))).toEqual(
      await evaluateLanguageModel(model, text.slice(0, 3000)),
    );
  });

  it('says how surprising each token is', async () => {
    const { model } = await trainLanguageModel({ ...settings, epochs: 3 });
    const passage = text.slice(0, 2500);
    const { tokens, bits } = await surpriseOf(model, passage);
    expect(tokens.join('')).toBe(passage);
    expect(bits[0]).toBe(0);
    const { bitsPerToken } = await evaluateLanguageModel(model, passage);
    expect(bits.reduce((sum, value) => sum + value, 0) / (bits.length - 1)).toBeCloseTo(bitsPerToken, 5);
  });

  it.each(['words', 'subwords'] as const)('%s', async (tokenizer) => {
    const { model } = await trainLanguageModel({ ...settings, tokenizer, vocabulary: 60, steps: 10 });
    expect(await written(model, 'the quick', { length: 3 })).toBe(' brown fox jumps');
  });

  it.each([
    [16, 16],
    [16, 48],
  ])('tied embeddings of %i features, %i in the state', async (embeddingSize, hiddenSize) => {
    const model = new LanguageModel({ vocabularySize: 20, embeddingSize, hiddenSize, tied: true });
    const names = Array.from(model.namedParameters(), ([name]) => name);
    expect(names).not.toContain('head.weight');
    expect(names.includes('projection.weight')).toBe(embeddingSize !== hiddenSize);
    const path = folder('tied.safetensors');
    await saveModel(path, model);
    const again = await loadModel<LanguageModel>(path);
    expect(again.head.weight).toBe(again.embedding.weight);
    const tokens = tensor(Int32Array.of(4, 9, 7), [1, 3]);
    const [before, after] = [model, again].map((one) => one.eval().forward(tokens).logits.dataSync());
    expect(after).toEqual(before);
    model.forward(tokens).logits.sum().backward();
    expect(model.embedding.weight.grad?.shape).toEqual([20, embeddingSize]);
  });

  it('step by step gives what the whole sequence gives', async () => {
    const model = new LanguageModel({ vocabularySize: 11, hiddenSize: 9, embeddingSize: 5, numLayers: 2 }).eval();
    const tokens = [3, 1, 4, 1, 5];
    const { logits } = model.forward(tensor(Int32Array.from(tokens), [1, 5]));
    const search = model.searchModel();
    let state = search.step(tensor(Int32Array.of(3)), []);
    for (const token of tokens.slice(1)) state = search.step(tensor(Int32Array.of(token)), state.state);
    expect(await state.logits.data()).toEqual((await logits.data()).slice(-11));
  });

  it('minCount: rare words are the unknown token, in training too', async () => {
    let count = 0;
    const rare = text.replaceAll('lazy', () => `w${'q'.repeat(count++)}`);
    const short = { ...settings, text: rare, tokenizer: 'words', epochs: 1 } as const;
    const { model } = await trainLanguageModel({ ...short, minCount: 3 });
    // The special tokens, seven words that come again and the full stop.
    expect(model.vocabularySize).toBe(12);
    await expect(trainLanguageModel({ ...short, minCount: 1.5 })).rejects.toThrow(/minCount/);
  });

  it('what cannot be is refused', async () => {
    await expect(trainLanguageModel({ text: '' })).rejects.toThrow(RangeError);
    await expect(trainLanguageModel({ text: 'short' })).rejects.toMatchObject({ code: 'ERR_DATA' });
    await expect(trainLanguageModel({ ...settings, tokenizer: 'letters' as never })).rejects.toThrow(/tokenizer/);
    await expect(trainLanguageModel({ ...settings, test: 0.6, validation: 0.5 })).rejects.toThrow(/validation/);
    const model = new LanguageModel({ vocabularySize: 11 });
    await expect(written(model, 'a')).rejects.toMatchObject({ code: 'ERR_FORMAT' });
    await expect(evaluateLanguageModel(model, text)).rejects.toMatchObject({ code: 'ERR_FORMAT' });
    expect(() => model.forward(tensor([[1, 2]]))).toThrow(TypeError);
  });
});
