import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseWav } from '../../lib/audio/wav.js';
import { MemorySource } from '../../lib/formats/byte_source.js';
import { audio } from '../../lib/index.js';
import { fuzz } from '../formats/fuzz.js';
import { temporaryFolder } from '../formats/temporary_folder.js';
import { type WavOptions, wavBytes } from './wav_bytes.js';

const path = temporaryFolder();
const parse = (bytes: Buffer) => parseWav(new MemorySource(bytes));
// Whole steps of 8 bits: every width holds them exactly.
const steps = Float32Array.from([0, 1, -1, 64, -128, 127, 3], (value) => value / 128);

describe('WAV files', () => {
  const kinds: [WavOptions][] = [8, 16, 24, 32].map((bits) => [{ bits }]);
  kinds.push([{ bits: 32, float: true }], [{ bits: 64, float: true }], [{ bits: 24, extensible: true }]);
  it.each(kinds)('%o: the samples that were written', async (options) => {
    expect(await parse(wavBytes(steps, { sampleRate: 11025, ...options }))).toEqual({
      samples: steps,
      sampleRate: 11025,
    });
  });

  it('channels become their mean', async () => {
    const { samples } = await parse(wavBytes([0.5, -0.25, 1 / 128, 0.25, 0.5, -1 / 64], { channels: 3 }));
    expect(samples).toEqual(Float32Array.of((0.25 + 1 / 128) / 3, (0.75 - 1 / 64) / 3));
  });

  it('other chunks are passed over, those of odd size with the byte that fills them', async () => {
    const extra = { LIST: Buffer.from('abc'), junk: Buffer.alloc(0) };
    expect((await parse(wavBytes(steps, { extra }))).samples).toEqual(steps);
  });

  it('a file, in pieces', async () => {
    const long = Float32Array.from({ length: 700_001 }, (_, i) => ((i % 255) - 127) / 128);
    writeFileSync(path('long.wav'), wavBytes(long));
    const { samples } = await audio.readWav(path('long.wav'));
    expect(Buffer.from(samples.buffer).equals(Buffer.from(long.buffer))).toBe(true);
  });
});

describe('what is no sound', () => {
  const changed = (position: number, value: number, size: number) => {
    const bytes = wavBytes(steps);
    bytes.writeUIntLE(value, position, size);
    return bytes;
  };
  const replaced = (from: string, to: string) =>
    Buffer.from(wavBytes(steps).toString('latin1').replace(from, to), 'latin1');

  it.each<[string, Buffer, string, RegExp]>([
    ['nothing', Buffer.alloc(0), 'ERR_FORMAT', /too short for a WAV file/],
    ['text', Buffer.from('file,text\na.wav,hello\n'), 'ERR_FORMAT', /does not begin as one/],
    ['big-endian', replaced('RIFF', 'RIFX'), 'ERR_UNSUPPORTED', /RIFX/],
    ['RF64', replaced('RIFF', 'RF64'), 'ERR_UNSUPPORTED', /RF64/],
    ['no sound chunk', replaced('data', 'date'), 'ERR_FORMAT', /ends before its sound/],
    ['sound before format', replaced('fmt ', 'fmtx'), 'ERR_FORMAT', /before its format/],
    ['no sample', wavBytes([]), 'ERR_FORMAT', /not one sample/],
    ['A-law', changed(20, 6, 2), 'ERR_UNSUPPORTED', /A-law cannot be read/],
    ['an unknown format', changed(20, 0x1234, 2), 'ERR_UNSUPPORTED', /format 4660/],
    ['no channel', changed(22, 0, 2), 'ERR_FORMAT', /0 channels/],
    ['many channels', changed(22, 65535, 2), 'ERR_FORMAT', /65535 channels/],
    ['no rate', changed(24, 0, 4), 'ERR_FORMAT', /0 samples per second/],
    ['a rate that cannot be', changed(24, 0xffffffff, 4), 'ERR_FORMAT', /4294967295 samples per second/],
    ['12 bits', changed(34, 12, 2), 'ERR_UNSUPPORTED', /integers of 12 bits/],
    ['blocks of another size', changed(32, 3, 2), 'ERR_FORMAT', /do not make the 3 bytes/],
    ['4 GiB claimed', changed(40, 0xffffffff, 4), 'ERR_FORMAT', /4294967295 bytes, and 14 are there/],
    ['half a sample', changed(40, 13, 4), 'ERR_FORMAT', /no whole samples/],
    ['NaN', wavBytes([0, Number.NaN], { bits: 32, float: true }), 'ERR_FORMAT', /sample 1 is no finite number/],
    ['too large for a float32', wavBytes([1e300], { bits: 64, float: true }), 'ERR_FORMAT', /sample 0/],
  ])('%s', async (_, bytes, code, message) => {
    await expect(parse(bytes)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('very many chunks', async () => {
    const chunks = Buffer.concat(Array.from({ length: 2000 }, () => Buffer.from('junk\0\0\0\0')));
    await expect(parse(Buffer.concat([wavBytes(steps).subarray(0, 12), chunks]))).rejects.toThrow(/first 1000 chunks/);
  });

  it('the file is named', async () => {
    writeFileSync(path('text.wav'), 'no sound at all');
    await expect(audio.readWav(path('text.wav'))).rejects.toThrow(/text\.wav: it is no WAV file/);
    await expect(audio.readWav(path('none.wav'))).rejects.toMatchObject({ code: 'ERR_FILE' });
    await expect(audio.readWav(path('.'))).rejects.toMatchObject({ code: 'ERR_FILE' });
    await expect(audio.readWav(7 as never)).rejects.toThrow(TypeError);
  });
});

const corpus = [
  wavBytes(steps),
  // Without the byte that fills an odd chunk, which may be missing.
  wavBytes(steps.subarray(1), { bits: 24, extensible: true }),
  wavBytes([0.5, 0.25], { channels: 2, bits: 32, float: true, extra: { LIST: Buffer.from('ab') } }),
];
fuzz('WAV', corpus, async (bytes) => (await parse(bytes)).samples.byteLength);
