import { setImmediate } from 'node:timers/promises';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { audio, loadModel, saveModel, tasks } from '../../lib/index.js';
import { temporaryFolder } from '../formats/temporary_folder.js';
import { spoken, spokenTexts } from './spoken.js';

const path = temporaryFolder();
const { TranscriptionStream } = tasks;
let model: tasks.Transcriber;
let trained: tasks.TrainedTranscriber;
const settings = {
  hiddenSize: 24,
  numLayers: 2,
  bidirectional: false,
  frontEnd: { bands: 20 },
  batchSize: 8,
  learningRate: 0.02,
  masking: false,
} as const;
beforeAll(async () => {
  trained = await tasks.trainTranscriber({ ...settings, clips: spokenTexts(24), epochs: 30, seed: 3 });
  model = trained.model;
});

/** The sound in pieces of these sizes, in turn. */
function* pieces({ samples, sampleRate }: audio.Audio, sizes: readonly number[]): Generator<audio.Audio> {
  for (let start = 0, i = 0; start < samples.length; i++) {
    const size = sizes[i % sizes.length] as number;
    yield { samples: samples.slice(start, start + size), sampleRate };
    start += size;
  }
}

async function live(sound: audio.Audio, sizes: readonly number[], options: tasks.TranscriptionStreamOptions = {}) {
  using stream = new TranscriptionStream(model, options);
  const parts: tasks.LiveTranscript[] = [];
  for (const piece of pieces(sound, sizes)) parts.push(await stream.push(piece));
  return { parts, last: await stream.end() };
}

/** So much noise that the letters are in doubt. */
const noisy = ({ audio: { samples, sampleRate } }: tasks.Clip, seed: number): tasks.SpokenClip => ({
  audio: { samples: samples.map((sample, i) => sample + 0.5 * Math.sin(0.37 * (i + seed) ** 2)), sampleRate },
});

const cuts = [[1_000_000], [80], [160, 7, 0, 333], [1], [900, 1]];

describe('MelFrontEnd.stream', () => {
  it.each([
    { sampleRate: 8000 },
    { sampleRate: 8000, windowSize: 255, hopSize: 37, bands: 7 },
    // Frames further apart than a transform is long.
    { sampleRate: 8000, windowSize: 64, hopSize: 200, bands: 9 },
    { sampleRate: 8000, windowSize: 128, hopSize: 90, bands: 9 },
  ])('%j: the bits of logMel, however the sound is cut', async (options) => {
    const frontEnd = new audio.MelFrontEnd(options);
    for (const length of [129, 130, 200, 255, 256, 257, 1000, 3001]) {
      const samples = Float32Array.from({ length }, (_, i) => Math.sin(i * i * 0.001));
      const sound = { samples, sampleRate: 8000 };
      const { data, shape } = await frontEnd.logMel(sound);
      expect(shape).toEqual([1 + Math.floor(length / frontEnd.settings.hopSize), frontEnd.settings.bands]);
      for (const sizes of cuts) {
        const stream = await frontEnd.stream();
        const found = [...pieces(sound, sizes)].map((piece) => stream.push(piece));
        found.push(stream.end());
        expect(Buffer.concat(found.map((part) => Buffer.from(part.data.buffer)))).toEqual(Buffer.from(data.buffer));
      }
    }
  });

  it('a frame comes as soon as its samples are there', async () => {
    const stream = await new audio.MelFrontEnd({ sampleRate: 8000 }).stream();
    const push = (count: number) => stream.push({ samples: new Float32Array(count), sampleRate: 8000 }).shape[0];
    expect([push(128), push(1), push(78), push(1), push(80), push(159), push(1)]).toEqual([0, 1, 0, 1, 1, 1, 1]);
  });

  it('what cannot be is refused', async () => {
    const stream = await new audio.MelFrontEnd({ sampleRate: 8000 }).stream();
    expect(() => stream.end()).toThrow(/0 samples; at least 129/);
    expect(() => stream.push({ samples: new Float32Array(9), sampleRate: 16000 })).toThrow(/16000 samples per second/);
    expect(() => stream.push({ samples: [1] as never, sampleRate: 8000 })).toThrow(TypeError);
    stream.push({ samples: new Float32Array(200), sampleRate: 8000 });
    expect(stream.end().shape[0]).toBe(2);
    expect(() => stream.end()).toThrow(/after its end/);
    expect(() => stream.push({ samples: new Float32Array(9), sampleRate: 8000 })).toThrow(/after its end/);
  });
});

describe('TranscriptionStream', () => {
  it('without a search: what transcribe finds of the whole sound, bit for bit, and each text begins with the one before', async () => {
    await saveModel(path('model.safetensors'), model);
    const loaded = await loadModel<tasks.Transcriber>(path('model.safetensors'));
    const texts = new Set<string>();
    for (const clip of spokenTexts(6, 300)) {
      const [[whole] = []] = await tasks.transcribe(loaded, [clip]);
      texts.add(whole?.text as string);
      for (const sizes of cuts.slice(0, 3)) {
        const { parts, last } = await live(clip.audio, sizes);
        const { stable, ...transcript } = last;
        expect(transcript).toEqual(whole);
        expect(stable).toBe(transcript.text);
        for (const [i, { text, stable }] of parts.entries()) {
          expect(text.startsWith(parts[i - 1]?.text ?? '')).toBe(true);
          expect(stable).toBe(text);
        }
        expect(last.text.startsWith(parts.at(-1)?.text as string)).toBe(true);
        // Letters come while the sound goes on.
        if (sizes[0] === 80) expect(parts[Math.floor(parts.length / 2)]?.text.length).toBeGreaterThan(0);
      }
    }
    expect(texts.size).toBeGreaterThan(3);
  });

  it('with a search and a language model as well; what is called stable stays', async () => {
    const languageModel = tasks.transcriptLanguageModel(model, ['abba', 'cab', 'bad cab', 'dad'], { order: 3 });
    let [isRevised, settled] = [false, 0];
    // What is likely behind one prefix is not behind another: where it matters is seen late.
    const moody = {
      next: async (prefixes: readonly (readonly number[])[]) =>
        prefixes.map((prefix) =>
          Float32Array.from({ length: model.vocabularySize }, (_, label) => {
            return 5 * Math.sin(prefix.reduce((sum, token, i) => sum + token * (i + 2.3), 7.1 * label)) - 5;
          }),
        ),
    };
    for (const search of [
      { width: 6 },
      { languageModel, languageModelWeight: 1, labelBonus: 1, width: 8 },
      { languageModel: moody, languageModelWeight: 1, labelBonus: 5, width: 8 },
    ]) {
      for (const clip of spokenTexts(8, 320).map(noisy)) {
        const [[whole] = []] = await tasks.transcribe(model, [clip], search);
        const { parts, last } = await live(clip.audio, [240], search);
        const { stable: all, ...transcript } = last;
        expect(transcript).toEqual(whole);
        expect(transcript.text.startsWith(all)).toBe(true);
        for (const [i, { text, stable }] of parts.entries()) {
          expect(text.startsWith(stable)).toBe(true);
          for (const later of [...parts.slice(i), last]) expect(later.text.startsWith(stable)).toBe(true);
          isRevised ||= i > 0 && !text.startsWith(parts[i - 1]?.text as string);
        }
        settled += parts.at(-1)?.stable.length as number;
      }
    }
    // Else the promises above would be for nothing.
    expect(isRevised).toBe(true);
    expect(settled).toBeGreaterThan(10);
  });

  it('several at once, without waiting, with a buffer that is used again', async () => {
    const clips = spokenTexts(8, 340);
    const whole = await tasks.transcribe(model, clips);
    const found = await Promise.all(
      clips.map(async ({ audio: sound }) => {
        const stream = new TranscriptionStream(model);
        const buffer = new Float32Array(100);
        for (const piece of pieces(sound, [100])) {
          buffer.set(piece.samples);
          void stream.push({ samples: buffer.subarray(0, piece.samples.length), sampleRate: 8000 });
          buffer.fill(0);
        }
        return stream.end();
      }),
    );
    expect(found.map(({ text }) => text)).toEqual(whole.map(([best]) => best?.text));
  });

  it('a sound of fewer frames than a step, and many more than are computed in one turn', async () => {
    const short = { samples: Float32Array.from({ length: 150 }, (_, i) => Math.sin(i)), sampleRate: 8000 };
    const [[whole] = []] = await tasks.transcribe(model, [{ audio: short }]);
    expect((await live(short, [40])).last).toMatchObject(whole as object);
    const parts = spokenTexts(40, 360).map(({ audio: { samples } }) => samples);
    const long = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
    let done = 0;
    for (const part of parts) {
      long.set(part, done);
      done += part.length;
    }
    const sound = { samples: long, sampleRate: 8000 };
    expect(long.length).toBeGreaterThan(2 * 256 * 240);
    const [[best] = []] = await tasks.transcribe(model, [{ audio: sound }]);
    const take = vi.spyOn(audio.MelStream.prototype, 'take');
    try {
      expect((await live(sound, [long.length])).last).toMatchObject(best as object);
      // A thousand frames of 10 ms in a turn of the event loop.
      const most = 80_000;
      const sizes = take.mock.calls.map(([{ length }]) => length);
      expect(Math.max(...sizes)).toBe(most);
      expect(sizes.length).toBe(Math.ceil(long.length / most));
    } finally {
      take.mockRestore();
    }
  });

  it('a front end that cannot be leaves no stream behind, and one that does not load is told by the first push', async () => {
    const { preprocessing } = model;
    const { frontEnd, ...others } = preprocessing as { frontEnd: object };
    const create = vi.spyOn(model, 'createStream');
    try {
      model.preprocessing = { ...others, frontEnd: { ...frontEnd, hopSize: 0 } } as typeof preprocessing;
      expect(() => new TranscriptionStream(model)).toThrow(/hopSize/);
      expect(create).not.toHaveBeenCalled();
    } finally {
      model.preprocessing = preprocessing;
      create.mockRestore();
    }
    const load = vi.spyOn(audio.MelFrontEnd.prototype, 'stream').mockRejectedValueOnce(new Error('not installed'));
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    try {
      using stream = new TranscriptionStream(model);
      await setImmediate();
      expect(unhandled).not.toHaveBeenCalled();
      await expect(stream.push({ samples: new Float32Array(9), sampleRate: 8000 })).rejects.toThrow('not installed');
    } finally {
      process.off('unhandledRejection', unhandled);
      load.mockRestore();
    }
  });

  it('a running mean follows another microphone, from the training’s on', async () => {
    // Less loud moves each feature by the same number.
    const errors = async (normalization: 'training' | 'running') => {
      let wrong = 0;
      for (const clip of spokenTexts(4, 380)) {
        const { length } = clip.audio.samples;
        const samples = Float32Array.from({ length: 40 * length }, (_, i) => {
          return (clip.audio.samples[i % length] as number) / 10;
        });
        const { last } = await live({ samples, sampleRate: 8000 }, [4000], { normalization });
        // Of the last repetition, when the mean has been learnt.
        const from = (39 * length) / 8000 - 0.06;
        const heard = last.times?.filter((time) => time > from).length as number;
        wrong += Math.abs(heard - clip.text.length);
      }
      return wrong;
    };
    const [training, running] = [await errors('training'), await errors('running')];
    expect(training).toBeGreaterThan(4);
    expect(running).toBeLessThanOrEqual(1);
  });

  it('what cannot be is refused, and the stream goes on', async () => {
    const { audio: sound } = spoken('abba', 7);
    const [[whole] = []] = await tasks.transcribe(model, [{ audio: sound }]);
    const stream = new TranscriptionStream(model);
    expect(stream.sampleRate).toBe(8000);
    const half = sound.samples.length / 2;
    const part = (from: number, to?: number) => ({ samples: sound.samples.slice(from, to), sampleRate: 8000 });
    await stream.push(part(0, half));
    const bad = { code: 'ERR_DATA' };
    await expect(stream.push({ ...part(half), sampleRate: 16_000 })).rejects.toMatchObject(bad);
    await expect(stream.push({ samples: Float32Array.of(0, Number.NaN), sampleRate: 8000 })).rejects.toMatchObject({
      ...bad,
      message: expect.stringMatching(/sample 1 of the sound is no finite/),
    });
    await expect(stream.push({ samples: [1, 2], sampleRate: 8000 } as never)).rejects.toThrow(/audio.samples/);
    await expect(stream.push(sound.samples as never)).rejects.toThrow(TypeError);
    await expect(stream.push(null as never)).rejects.toThrow(TypeError);
    void stream.push(part(half));
    expect(await stream.end()).toMatchObject(whole as object);
    await expect(stream.push(part(0))).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
    await expect(stream.end()).rejects.toMatchObject({ code: 'ERR_DISPOSED' });

    const empty = new TranscriptionStream(model);
    expect(await empty.push({ samples: new Float32Array(0), sampleRate: 8000 })).toMatchObject({ text: '' });
    await expect(empty.end()).rejects.toMatchObject({
      ...bad,
      message: expect.stringMatching(/0 samples; at least 129/),
    });

    const cut = new TranscriptionStream(model);
    const waits = cut.push(part(0));
    cut.close();
    await expect(waits).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
    await expect(cut.push(part(0))).rejects.toMatchObject({ code: 'ERR_DISPOSED' });

    expect(() => new TranscriptionStream(model, { width: 0 })).toThrow(/width/);
    expect(() => new TranscriptionStream(model, { normalization: 'none' as never })).toThrow(/normalization/);
    expect(() => new TranscriptionStream(model, { nBest: 2 } as never)).toThrow(/nBest/);
    const bare = new tasks.Transcriber({ inputSize: 4, vocabularySize: 5, bidirectional: false });
    expect(() => new TranscriptionStream(bare)).toThrow(/preprocessing/);
    const both = new tasks.Transcriber({ inputSize: 20, vocabularySize: model.vocabularySize });
    both.preprocessing = model.preprocessing;
    expect(() => new TranscriptionStream(both)).toThrow(/bidirectional/);
  });
});
