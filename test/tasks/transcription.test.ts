import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { Generator, loadModel, losses, saveModel, type Tensor, tasks, tensor } from '../../lib/index.js';
import { fitFrames, normalizeClips } from '../../lib/tasks/transcription/clip_dataset.js';
import { spectrogramMasks } from '../../lib/tasks/transcription/masks.js';
import { temporaryFolder } from '../formats/temporary_folder.js';
import { spoken, spokenTexts } from './spoken.js';

const path = temporaryFolder();
const settings = {
  clips: spokenTexts(24),
  hiddenSize: 24,
  numLayers: 1,
  frontEnd: { bands: 20 },
  epochs: 40,
  batchSize: 8,
  learningRate: 0.02,
  masking: false,
} as const;

describe('trainTranscriber', () => {
  it('learns a small alphabet of tones, travels in one file, and says where each letter begins', async () => {
    const held = spokenTexts(12, 300);
    const trained = await tasks.trainTranscriber({
      ...settings,
      validation: spokenTexts(12, 200),
      test: held,
      seed: 3,
    });
    const { model, evaluation } = trained;
    expect(evaluation?.characters.tokenErrorRate).toBeLessThan(0.02);
    expect(evaluation?.words.tokenErrorRate).toBeLessThan(0.1);
    expect(model.summary).toMatchObject({ clips: 24, stopped: 'finished' });
    await saveModel(path('model.safetensors'), model);
    const again = await loadModel<tasks.Transcriber>(path('model.safetensors'));
    const found = await tasks.transcribe(again, held);
    expect(found.map(([best]) => best)).toEqual(evaluation?.transcripts);
    const [[best] = []] = await tasks.transcribe(again, [spoken('abba', 77)]);
    expect(best?.text).toBe('abba');
    for (const [i, time] of (best?.times ?? []).entries()) expect(Math.abs(time - 0.12 * i)).toBeLessThan(0.13);
    // Alone as among others.
    const [alone] = await tasks.transcribe(again, [held[4] as tasks.Clip]);
    expect(alone?.[0]?.text).toBe(found[4]?.[0]?.text);
    expect(alone?.[0]?.logProbability).toBeCloseTo(found[4]?.[0]?.logProbability as number, 4);

    // The search finds the same, n-best in order, and follows a language model that insists.
    const searched = await tasks.transcribe(again, held, { width: 8, nBest: 3 });
    for (const [i, list] of searched.entries()) {
      expect(list[0]?.text).toBe(found[i]?.[0]?.text);
      expect(list[0]?.times).toBeNull();
      for (let n = 1; n < list.length; n++) expect(list[n]?.score).toBeLessThanOrEqual(list[n - 1]?.score as number);
    }
    const languageModel = tasks.transcriptLanguageModel(again, Array<string>(50).fill('dd'), { order: 3 });
    const [[insisted] = []] = await tasks.transcribe(again, [spoken('cd', 5)], {
      languageModel,
      languageModelWeight: 30,
    });
    expect(insisted?.text).not.toBe('cd');
    const [[calm] = []] = await tasks.transcribe(again, [spoken('cd', 5)], { languageModel, languageModelWeight: 0 });
    expect(calm?.text).toBe('cd');

    await tasks.writeTranscriberReport(path('report.html'), trained, held, { title: 'Tones' });
    const page = readFileSync(path('report.html'), 'utf8');
    expect(page).toContain('Character error rate');
    expect(page).toContain('data:image/png;base64,iVBOR');
    expect(page).toContain('img-src data:');
    expect(page).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/);
  });

  it('the same seed gives the same bits, stopped and resumed as well, with masks and speeds', async () => {
    const small = {
      ...settings,
      clips: spokenTexts(8),
      speeds: [0.9, 1],
      masking: true,
      dropout: 0.2,
      epochs: 3,
    };
    const bits = async (model: tasks.Transcriber) => {
      const state = await model.stateDict();
      return Object.values(state).map(({ data }) => Buffer.from(data.buffer).toString('base64'));
    };
    const { model: first, result } = await tasks.trainTranscriber({ ...small, seed: 4 });
    expect(result.steps).toBe(3 * 2);
    const { model: second } = await tasks.trainTranscriber({ ...small, seed: 4 });
    expect(await bits(second)).toEqual(await bits(first));
    const { model: other } = await tasks.trainTranscriber({ ...small, seed: 5 });
    expect(await bits(other)).not.toEqual(await bits(first));
    const controller = new AbortController();
    const checkpoint = path('checkpoint.safetensors');
    const stopped = await tasks.trainTranscriber({
      ...small,
      seed: 4,
      checkpoint,
      signal: controller.signal,
      onEpoch: () => controller.abort(),
    });
    expect(stopped.result.stopped).toBe('aborted');
    const { model: resumed } = await tasks.trainTranscriber({ ...small, seed: 4, checkpoint, resume: true });
    expect(await bits(resumed)).toEqual(await bits(first));
  });

  it('what cannot be is refused', async () => {
    const fails = (options: object) => expect(tasks.trainTranscriber({ ...settings, ...options } as never)).rejects;
    const clip = spoken('ab');
    await fails({ clips: [{ ...clip, text: 'abababababababababababababababab' }] }).toMatchObject({
      code: 'ERR_DATA',
      message: expect.stringMatching(/needs 32 steps, and its sound has 8 of 3 frames/),
    });
    // Equal neighbours need a blank between them.
    await fails({ clips: [{ ...clip, text: 'aaaaa' }] }).toMatchObject({
      message: expect.stringMatching(/needs 9 steps/),
    });
    await fails({ clips: [] }).toMatchObject({ code: 'ERR_DATA' });
    await fails({ clips: [{ audio: clip.audio }] }).toThrow(/clips\[0\]\.text/);
    await fails({ clips: [clip, spoken('ab', 1, 16000)] }).toMatchObject({
      code: 'ERR_DATA',
      message: expect.stringMatching(/clips\[1\]: the sound has 16000 samples per second/),
    });
    const empty = { audio: { samples: new Float32Array(0), sampleRate: 8000 }, text: 'a' };
    await fails({ clips: [clip], validation: [empty] }).toMatchObject({
      code: 'ERR_DATA',
      message: expect.stringMatching(/validation\[0\]: the sound has 0 samples/),
    });
    await fails({ speeds: [0] }).toThrow(/speeds\[0\]/);
    await fails({ speeds: [] }).toThrow(/speeds/);
    await fails({ stacking: 0 }).toThrow(/stacking/);
    await fails({ lr: 1 }).toThrow(/learningRate/);
    const model = new tasks.Transcriber({ inputSize: 4, vocabularySize: 5 });
    await expect(tasks.transcribe(model, [clip])).rejects.toMatchObject({ code: 'ERR_FORMAT' });
    expect(() => model.forward(tensor(new Float32Array(8), [1, 2, 4]))).toThrow(/at least 3/);
    expect(() => model.forward(tensor(new Float32Array(12), [1, 3, 4]), { lengths: [4] })).toThrow(/lengths/);
  });
});

describe('Transcriber', () => {
  const generator = () => new Generator(5);
  const sizes = { inputSize: 3, vocabularySize: 4, hiddenSize: 5, numLayers: 2, stacking: 2 };
  const x = () =>
    tensor(
      Float32Array.from({ length: 2 * 7 * 3 }, (_, i) => Math.sin(i)),
      [2, 7, 3],
    );

  it('what is behind a row changes nothing, nor do frames that fill no step', async () => {
    const model = new tasks.Transcriber({ ...sizes, generator: generator() }).eval();
    const both = model.forward(x(), { lengths: [7, 5] });
    expect([...both.lengths]).toEqual([3, 2]);
    expect(both.logits.shape).toEqual([2, 3, 4]);
    const alone = model.forward(x().slice(0, 1, 2).slice(1, 0, 4));
    expect([...alone.lengths]).toEqual([2]);
    const [a, b] = [await alone.logits.data(), await both.logits.data()];
    for (const [i, value] of a.entries()) expect(b[12 + i]).toBeCloseTo(value, 5);
  });

  it.each([1, 2])(
    'streams step by step as in whole sounds if it reads forwards, %i frames a step',
    async (stacking) => {
      const model = new tasks.Transcriber({ ...sizes, stacking, bidirectional: false, generator: generator() }).eval();
      const expected = await model.forward(x()).logits.data();
      const frames = (await x().data()) as Float32Array;
      using stream = model.createStream();
      for (let t = 0; t < Math.floor(7 / stacking); t++) {
        const found = await stream.push(frames.slice(3 * stacking * t, 3 * stacking * (t + 1)));
        expect(found).toEqual(expected.slice(4 * t, 4 * t + 4));
      }
      expect(() => new tasks.Transcriber({ ...sizes, stacking: 1 }).createStream()).toThrow(/bidirectional/);
    },
  );

  it('every parameter has the gradient that differences give', async () => {
    const model = new tasks.Transcriber({ ...sizes, generator: generator() });
    const target = tensor(Int32Array.of(1, 2, 3, 0), [2, 2]);
    const loss = () => {
      const { logits, lengths } = model.forward(x(), { lengths: [7, 5] });
      return losses.ctc(logits, target, { inputLengths: lengths, targetLengths: [2, 1] });
    };
    loss().backward();
    for (const [name, parameter] of model.namedParameters()) {
      const grad = (await (parameter.grad as Tensor).data()) as Float32Array;
      const values = (await parameter.data()) as Float32Array;
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
});

describe('transcriptLanguageModel', () => {
  const texts = ['ab', 'abba', 'cab', 'dad', 'bad cab', 'add', 'a cab', 'dab', 'baa'];
  const heard = async (model: tasks.Transcriber, options: tasks.TranscribeOptions) =>
    (await tasks.transcribe(model, spokenTexts(6, 400), { width: 12, nBest: 4, ...options })).flat();
  let model: tasks.Transcriber;
  beforeAll(async () => {
    // As little as leaves it in doubt.
    ({ model } = await tasks.trainTranscriber({ ...settings, epochs: 8, seed: 3 }));
  });

  it("with a GRU: each score is the model's own log-probability of the characters, weighted", async () => {
    const training = { text: `${texts.join('\n')}\n`.repeat(20), embeddingSize: 8, hiddenSize: 16, test: 0 };
    const { model: characters } = await tasks.trainLanguageModel({ ...training, epochs: 3, streams: 4, steps: 16 });
    const languageModel = tasks.transcriptLanguageModel(model, characters);
    const own = tasks.languageTokenizerOf(characters);
    const search = { languageModel, languageModelWeight: 0.8, labelBonus: 0.5 };
    const found = await heard(model, search);
    expect(found.length).toBe(24);
    for (const { text, logProbability, score } of found) {
      // One pass over the whole line.
      const tokens = own.encode(`\n${text}`);
      const { logits } = characters.forward(tensor(tokens, [1, tokens.length]));
      const rows = (await logits.logSoftmax().data()) as Float32Array;
      let expected = logProbability;
      for (const [t, token] of tokens.subarray(1).entries())
        expected += 0.8 * (rows[t * characters.vocabularySize + token] as number) + 0.5;
      expect(score).toBeCloseTo(expected, 3);
    }
    // It changes what is chosen, as far as it has weight.
    const best = async (options: tasks.TranscribeOptions) =>
      (await heard(model, { nBest: 1, ...options })).map(({ text, logProbability }) => ({ text, logProbability }));
    const alone = await best({});
    expect(await best({ languageModel, languageModelWeight: 0 })).toEqual(alone);
    expect(await best({ languageModel, languageModelWeight: 4 })).not.toEqual(alone);
  });

  it('with n-grams that forbid, and weight 0', async () => {
    const vowels = { next: async (prefixes: readonly unknown[]) => prefixes.map(() => forbidding()) };
    const { tokenizer } = tasks.transcriberPreprocessingOf(model);
    const [forbidden] = tokenizer.encode('a') as unknown as [number];
    const forbidding = () => {
      const row = new Float32Array(tokenizer.vocabularySize);
      row[forbidden] = Number.NEGATIVE_INFINITY;
      return row;
    };
    const without = await heard(model, { languageModel: vowels });
    expect(without.every(({ text, score }) => !text.includes('a') && Number.isFinite(score))).toBe(true);
    const free = await heard(model, { languageModel: vowels, languageModelWeight: 0 });
    expect(free).toEqual(await heard(model, {}));
    expect(free.some(({ text }) => text.includes('a'))).toBe(true);
  });

  it('what cannot be is refused', async () => {
    const words = await tasks.trainLanguageModel({
      text: 'a cab is bad '.repeat(40),
      tokenizer: 'words',
      hiddenSize: 4,
      epochs: 1,
      streams: 2,
      test: 0,
      validation: 0,
    });
    expect(() => tasks.transcriptLanguageModel(model, words.model)).toThrow(/words or subwords/);
    const { LanguageModel } = tasks;
    expect(() => tasks.transcriptLanguageModel(model, new LanguageModel({ vocabularySize: 9 }))).toThrow(/tokenizer/);
    expect(() => tasks.transcriptLanguageModel(model, 'ab' as never)).toThrow(/texts/);
    expect(() => tasks.transcriptLanguageModel(model, words.model, { order: 3 })).toThrow(/order/);
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    await expect(heard(model, { signal: controller.signal })).rejects.toThrow('enough');
    await expect(heard(model, { signal: 5 as never })).rejects.toThrow(/signal/);
  });
});

describe('features of clips', () => {
  const frames = (values: number[]) => ({ data: Float32Array.from(values), shape: [values.length / 2, 2] });

  it('each speaker is normalised alone, who is not known as the training was', () => {
    const features = [frames([1, 10, 3, 30]), frames([5, 50]), frames([0, 0])];
    const general = fitFrames([frames([0, 0, 2, 20])]);
    const found = normalizeClips(features, [{ speaker: 'x' }, { speaker: 'x' }, {}] as never, general);
    const spread = Math.sqrt(8 / 3);
    const expected = [
      [-2 / spread, -2 / spread, 0, 0],
      [2 / spread, 2 / spread],
      [-1, -1],
    ];
    for (const [i, { data }] of found.entries()) {
      for (const [j, value] of data.entries()) expect(value).toBeCloseTo(expected[i]?.[j] as number, 5);
    }
  });

  it('masks hide whole frames within the length and whole bands, other ones each step', () => {
    const shape = [2, 300, 40] as const;
    const masks = spectrogramMasks(shape, [300, 150], 1, 0);
    expect(spectrogramMasks(shape, [300, 150], 1, 0)).toEqual(masks);
    expect(spectrogramMasks(shape, [300, 150], 1, 1)).not.toEqual(masks);
    expect(spectrogramMasks(shape, [300, 150], 2, 0)).not.toEqual(masks);
    const row = (r: number, t: number) => masks.subarray((r * 300 + t) * 40, (r * 300 + t + 1) * 40);
    const hidden = (values: Float32Array) => values.filter((value) => value === 0).length;
    let frames = 0;
    for (let t = 0; t < 300; t++) if (hidden(row(0, t)) === 40) frames++;
    expect(frames).toBeLessThanOrEqual(60);
    // Two masks of bands of at most 8.
    for (let t = 0; t < 300; t++) if (hidden(row(0, t)) < 40) expect(hidden(row(0, t))).toBeLessThanOrEqual(16);
    for (let t = 150; t < 300; t++) expect(hidden(row(1, t))).toBe(0);
    const shares = Array.from(
      { length: 50 },
      (_, step) => hidden(spectrogramMasks(shape, [300, 300], 7, step)) / masks.length,
    );
    const mean = shares.reduce((sum, share) => sum + share, 0) / 50;
    expect(mean).toBeGreaterThan(0.1);
    expect(mean).toBeLessThan(0.4);
  });
});
