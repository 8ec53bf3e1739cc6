import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { audio, type NumpyArray, readNpz } from '../../lib/index.js';

let arrays: Record<string, NumpyArray>;
beforeAll(async () => {
  arrays = await readNpz(fileURLToPath(new URL('../fixtures/audio/features.npz', import.meta.url)));
});

// As in test/fixtures/audio/make.py: samples, frames under odd windows and hops, sounds that barely fill one window.
const cases: [string, audio.MelFrontEndOptions][] = [
  ['a', { sampleRate: 8000 }],
  ['b', { sampleRate: 16000, bands: 23, minFrequency: 64, maxFrequency: 7600 }],
  ['c', { sampleRate: 8000, windowSize: 255, hopSize: 37, bands: 7, maxFrequency: 3500 }],
  ['d', { sampleRate: 11025, windowSize: 301, hopSize: 113, bands: 31, minFrequency: 20 }],
];

const tone = (frequency: number, sampleRate: number, length: number) =>
  Float32Array.from({ length }, (_, n) => 0.5 * Math.sin((2 * Math.PI * frequency * n) / sampleRate));

describe('log-mel and MFCC', () => {
  it.each(cases)('%s: what librosa computes in float64', async (name, options) => {
    const frontEnd = new audio.MelFrontEnd(options);
    const samples = arrays[`${name}.samples`]?.data as Float32Array;
    const sound = { samples, sampleRate: options.sampleRate };
    for (const [key, found] of [
      ['log_mel', await frontEnd.logMel(sound)],
      ['mfcc', await frontEnd.mfcc(sound, Math.min(13, frontEnd.settings.bands))],
    ] as const) {
      const { shape, data } = arrays[`${name}.${key}`] as NumpyArray;
      expect(found.shape).toEqual(shape);
      let worst = 0;
      for (const [i, value] of data.entries()) {
        worst = Math.max(worst, Math.abs((found.data[i] as number) - value) / Math.max(1, Math.abs(value)));
      }
      expect(worst, key).toBeLessThan(1e-6);
    }
  });

  it('silence is the logarithm of 1e-6, and a long sound leaves others their turn', async () => {
    const frontEnd = new audio.MelFrontEnd({ sampleRate: 8000 });
    const { data, shape } = await frontEnd.logMel({ samples: new Float32Array(500), sampleRate: 8000 });
    expect(shape).toEqual([7, 40]);
    for (const value of data) expect(value).toBeCloseTo(Math.log(1e-6), 5);
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    await frontEnd.logMel({ samples: new Float32Array(80 * 20_000), sampleRate: 8000 });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(3);
  });

  it('what cannot be is refused', async () => {
    const frontEnd = new audio.MelFrontEnd({ sampleRate: 8000 });
    const of = (samples: unknown, sampleRate = 8000) => frontEnd.logMel({ samples, sampleRate } as never);
    const data = { code: 'ERR_DATA' };
    await expect(of(new Float32Array(0))).rejects.toMatchObject({
      ...data,
      message: expect.stringMatching(/0 samples; at least 129/),
    });
    await expect(of(new Float32Array(128))).rejects.toMatchObject(data);
    expect((await of(new Float32Array(129))).shape).toEqual([2, 40]);
    await expect(of(new Float32Array(999), 16000)).rejects.toMatchObject({
      ...data,
      message: expect.stringMatching(/16000 samples per/),
    });
    await expect(of(new Float32Array(999).fill(Number.NaN, 7))).rejects.toMatchObject({
      ...data,
      message: expect.stringMatching(/sample 7/),
    });
    await expect(of([0, 1])).rejects.toThrow(TypeError);
    await expect(frontEnd.logMel(null as never)).rejects.toThrow(TypeError);
    await expect(frontEnd.mfcc({ samples: new Float32Array(999), sampleRate: 8000 }, 41)).rejects.toThrow(RangeError);
    const make = (options: object) => () => new audio.MelFrontEnd({ sampleRate: 8000, ...options });
    expect(make({ fftSize: 300 })).toThrow(/power of two/);
    expect(make({ fftSize: 128 })).toThrow(/fftSize/);
    expect(make({ bands: 129 })).toThrow(/bands/);
    expect(make({ maxFrequency: 4001 })).toThrow(/maxFrequency/);
    expect(make({ minFrequency: 4000 })).toThrow(/maxFrequency/);
    expect(make({ hopSize: 0 })).toThrow(/hopSize/);
    expect(make({ nMels: 80 })).toThrow(/unknown option/);
  });
});

describe('resample', () => {
  it.each([
    [8000, 16000],
    [16000, 8000],
    [44100, 16000],
    [8000, 7200],
  ])('%i to %i: a tone stays a tone', async (from, to) => {
    const { samples, sampleRate } = await audio.resample({ samples: tone(700, from, 4001), sampleRate: from }, to);
    expect(sampleRate).toBe(to);
    expect(samples.length).toBe(Math.ceil((4001 * to) / from));
    const expected = tone(700, to, samples.length);
    // Beyond the ends lies silence, which reaches in a little.
    for (let n = 60; n < samples.length - 60; n++) {
      expect(Math.abs((samples[n] as number) - (expected[n] as number))).toBeLessThan(0.01);
    }
  });

  it('what the new rate cannot hold is gone, and the same rate changes nothing', async () => {
    const sound = { samples: tone(7000, 16000, 4000), sampleRate: 16000 };
    const { samples } = await audio.resample(sound, 8000);
    for (const value of samples.subarray(60, -60)) expect(Math.abs(value)).toBeLessThan(0.01);
    expect(await audio.resample(sound, 16000)).toEqual(sound);
    await expect(audio.resample(sound, 0)).rejects.toThrow(/sampleRate/);
    await expect(audio.resample({} as never, 8000)).rejects.toThrow(TypeError);
  });
});
