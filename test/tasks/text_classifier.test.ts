import { loadModel, saveModel, tasks } from 'cudnn-gru';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../formats/temporary_folder.js';

const { Classifier, classifyTexts, evaluateTextClassifier, textPreprocessingOf, trainTextClassifier } = tasks;
const inFolder = temporaryFolder();

const openings = ['The film', 'Their soup', 'This phone', 'My seat', 'Her book'];
const verdicts = {
  bad: ['bored me', 'broke', 'smelled'],
  good: ['shone', 'was a joy', 'won'],
  odd: ['sang', 'flew off'],
};

/** Sentences whose last words tell the class; three classes. */
function sentences(count: number): { texts: string[]; labels: string[] } {
  const classes = Object.entries(verdicts);
  const rows = Array.from({ length: count }, (_, i) => {
    const [label, ends] = classes[(i * 7) % 3] as [string, string[]];
    return [
      `${openings[i % 5]} ${ends[Math.floor(i / 3) % ends.length] as string} ${'indeed '.repeat(i % 4)}.`,
      label,
    ] as const;
  });
  return { texts: rows.map(([text]) => text), labels: rows.map(([, label]) => label) };
}

const small = { embeddingSize: 12, hiddenSize: 10, epochs: 20, learningRate: 0.03, seed: 1 };

describe('text classification', () => {
  it.each(['words', 'characters', 'subwords'] as const)('%s: three classes', async (tokens) => {
    const { model, evaluation } = await trainTextClassifier({ ...sentences(200), ...small, tokens, vocabulary: 60 });
    expect(evaluation?.scores.accuracy).toBeGreaterThan(0.9);
    expect(evaluation?.labels).toHaveLength(40);
    expect(textPreprocessingOf(model)).toMatchObject({ classes: ['bad', 'good', 'odd'], lowerCase: true });
    model.dispose();
  });

  it.each(['mean', 'max', 'meanMax', 'attention'] as const)('pooling %s, with dropout of words', async (pooling) => {
    const { model, evaluation } = await trainTextClassifier({
      ...sentences(200),
      ...small,
      pooling,
      embeddingDropout: 0.1,
      classWeights: 'balanced',
    });
    expect(evaluation?.scores.accuracy).toBeGreaterThan(0.9);
    expect(model.architecture().options).toMatchObject({ pooling, embeddingDropout: 0.1 });
    model.dispose();
  });

  it('travels in one file, reads words that it never saw, and texts without any', async () => {
    const { model } = await trainTextClassifier({ ...sentences(150), ...small, pooling: 'attention', test: 0 });
    const path = inFolder('texts.safetensors');
    await saveModel(path, model);
    const again = await loadModel<tasks.Classifier>(path);
    const texts = ['THE FILM SHONE', 'the film shone', '', 'Zeppelins broke'];
    const { labels, probabilities } = await classifyTexts(again, texts);
    expect(labels[0]).toBe('good');
    expect(labels[3]).toBe('bad');
    expect(probabilities.slice(0, 3)).toEqual(probabilities.slice(3, 6));
    expect((await classifyTexts(model, texts)).probabilities).toEqual(probabilities);
    for (let row = 0; row < 4; row++) {
      expect(probabilities.slice(3 * row, 3 * row + 3).reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
    }
    const { scores } = await evaluateTextClassifier(again, ['The film shone', 'Her book broke'], ['good', 'odd']);
    expect(scores.accuracy).toBe(0.5);
    await tasks.writeClassifierReport(
      inFolder('texts.html'),
      await trainTextClassifier({ ...sentences(60), ...small, epochs: 1 }),
    );
  });

  it('the vocabulary is that of the training texts; long texts are cut', async () => {
    const { texts, labels } = sentences(100);
    // Each text has a word of its own.
    const own = texts.map((text, i) => `${text} w${String.fromCharCode(97 + (i % 26), 97 + Math.floor(i / 26))}q`);
    const { model } = await trainTextClassifier({ texts: own, labels, ...small, epochs: 1, maxTokens: 3 });
    const { tokenizer, maxTokens } = textPreprocessingOf(model);
    const known = own.filter((text) => !tokenizer.encode(text.toLowerCase()).includes(1)).length;
    expect(known).toBe(70);
    expect(maxTokens).toBe(3);
    const { probabilities } = await classifyTexts(model, ['The film broke', 'The film broke and shone']);
    expect(probabilities.slice(0, 3)).toEqual(probabilities.slice(3));
  });

  it('minCount: rare words are the unknown token, which is learnt', async () => {
    const { texts, labels } = sentences(200);
    // What tells this class is a word that no other text has.
    const rare = (i: number) => `z${String.fromCharCode(97 + (i % 26), 97 + Math.floor(i / 26))}`;
    const own = labels.map((label, i) => (label === 'odd' ? `${openings[i % 5]} ${rare(i)} .` : (texts[i] as string)));
    const { model } = await trainTextClassifier({ texts: own, labels, ...small, minCount: 2 });
    const { tokenizer } = textPreprocessingOf(model);
    expect([...tokenizer.encode('film zaa broke')].map((token) => token === 1)).toEqual([false, true, false]);
    const asked = openings.map((opening) => `${opening} zeppelined .`);
    expect((await classifyTexts(model, asked)).labels).toEqual(asked.map(() => 'odd'));
    await expect(trainTextClassifier({ texts, labels, minCount: 0 })).rejects.toThrow(/minCount/);
  });

  it('what cannot be is refused', async () => {
    const data = sentences(30);
    await expect(trainTextClassifier({ ...data, labels: ['a'] })).rejects.toThrow(/labels: expected 30 strings/);
    await expect(trainTextClassifier({ ...data, texts: [] })).rejects.toThrow(/texts/);
    await expect(trainTextClassifier({ ...data, labels: data.labels.map(() => 'one') })).rejects.toThrow(/classes/);
    await expect(trainTextClassifier({ ...data, tokens: 'letters' as never })).rejects.toThrow(/tokens/);
    await expect(trainTextClassifier({ ...data, inputSize: 3 } as never)).rejects.toThrow(/inputSize/);
    const numeric = new Classifier({ classes: 2, inputSize: 3 });
    await expect(classifyTexts(numeric, ['a'])).rejects.toMatchObject({ code: 'ERR_FORMAT' });
    const { model } = await trainTextClassifier({ ...data, ...small, epochs: 1 });
    await expect(evaluateTextClassifier(model, ['a'], ['great'])).rejects.toMatchObject({ code: 'ERR_DATA' });
    await expect(classifyTexts(model, 'a' as never)).rejects.toThrow(TypeError);
    const broken = { ...(model.preprocessing as object), lowerCase: 'yes' };
    model.preprocessing = broken as never;
    await expect(classifyTexts(model, ['a'])).rejects.toMatchObject({ code: 'ERR_FORMAT' });
  });
});
