import { setImmediate } from 'node:timers/promises';
import { checkString } from '../arguments.js';
import { CudnnGruError } from '../errors.js';
import { type ByteSource, FileSource } from '../formats/byte_source.js';

/** A sound with one channel. */
export interface Audio {
  /** From -1 to 1. */
  readonly samples: Float32Array;
  /** Samples per second. */
  readonly sampleRate: number;
}

// More bytes of sound than this (three hours of stereo at 48 kHz, 16 bits) are refused.
const largest = 2 ** 31 - 1;
// Chunks that are gone through to find the sound.
const chunkLimit = 1000;
const pieceBytes = 1 << 20;

interface Format {
  readonly kind: 'integer' | 'float';
  readonly channels: number;
  readonly sampleRate: number;
  readonly bytesPerSample: number;
}

/**
 * Reads a WAV file (RIFF): integers of 8, 16, 24 or 32 bits, or floats of 32 or 64; several channels become one, their mean.
 *
 * @throws TypeError; CudnnGruError `ERR_FILE`; `ERR_FORMAT` for a file that is no WAV file, is damaged, or has no sample; `ERR_UNSUPPORTED`
 * for compressed sound
 */
export async function readWav(path: string): Promise<Audio> {
  const source = await FileSource.open(checkString(path, 'path'));
  try {
    return await parseWav(source);
  } catch (error) {
    if (!(error instanceof CudnnGruError) || (error.code !== 'ERR_FORMAT' && error.code !== 'ERR_UNSUPPORTED'))
      throw error;
    throw new CudnnGruError(error.code, `${path}: ${error.message}`, { cause: error });
  } finally {
    await source.close();
  }
}

/** @internal The sound of a WAV file. @throws CudnnGruError as `readWav` */
export async function parseWav(source: ByteSource): Promise<Audio> {
  const start = await bytesOf(source, 0, 12, 'it is too short for a WAV file');
  const [container, kind] = [start.toString('latin1', 0, 4), start.toString('latin1', 8, 12)];
  if (container === 'RF64' || container === 'RIFX') throw unsupported(`a WAV file of the kind ${container}`);
  if (container !== 'RIFF' || kind !== 'WAVE') throw damaged('it is no WAV file: it does not begin as one');
  let format: Format | undefined;
  let position = 12;
  for (let chunk = 0; chunk < chunkLimit; chunk++) {
    const header = await bytesOf(source, position, 8, 'it ends before its sound; is it truncated?');
    const [name, size] = [header.toString('latin1', 0, 4), header.readUInt32LE(4)];
    position += 8;
    if (name === 'fmt ') format = readFormat(await bytesOf(source, position, size, 'its format is cut off'));
    if (name === 'data') {
      if (format === undefined) throw damaged('its sound comes before its format');
      return { samples: await readSamples(source, position, size, format), sampleRate: format.sampleRate };
    }
    // Chunks begin at even positions.
    position += size + (size % 2);
  }
  throw damaged(`there is no sound among its first ${chunkLimit} chunks`);
}

const tags: Readonly<Record<number, string>> = {
  2: 'ADPCM',
  6: 'A-law',
  7: 'µ-law',
  17: 'ADPCM',
  49: 'GSM',
  85: 'MP3',
};
const extensible = 0xfffe;
// The rest of the GUID whose first two bytes are the tag.
const guidTail = '000000001000800000aa00389b71';

function readFormat(bytes: Buffer): Format {
  if (bytes.length < 16) throw damaged(`its format has ${bytes.length} bytes; at least 16 are needed`);
  let tag = bytes.readUInt16LE(0);
  if (tag === extensible && bytes.length >= 40 && bytes.toString('hex', 26, 40) === guidTail)
    tag = bytes.readUInt16LE(24);
  const [channels, sampleRate] = [bytes.readUInt16LE(2), bytes.readUInt32LE(4)];
  const [blockBytes, bits] = [bytes.readUInt16LE(12), bytes.readUInt16LE(14)];
  if (tag !== 1 && tag !== 3)
    throw unsupported(`sound as ${tags[tag] ?? `format ${tag}`}`, '; convert it to 16-bit PCM');
  if (channels < 1 || channels > 256) throw damaged(`it claims ${channels} channels`);
  if (sampleRate < 1 || sampleRate > 1e6) throw damaged(`it claims ${sampleRate} samples per second`);
  const widths = tag === 1 ? [8, 16, 24, 32] : [32, 64];
  if (!widths.includes(bits)) throw unsupported(`${tag === 1 ? 'integers' : 'floats'} of ${bits} bits`);
  if (blockBytes !== (channels * bits) / 8) {
    throw damaged(`${channels} channels of ${bits} bits do not make the ${blockBytes} bytes that it claims`);
  }
  return { kind: tag === 1 ? 'integer' : 'float', channels, sampleRate, bytesPerSample: bits / 8 };
}

async function readSamples(source: ByteSource, start: number, size: number, format: Format): Promise<Float32Array> {
  const { channels, bytesPerSample } = format;
  const frameBytes = channels * bytesPerSample;
  if (start + size > source.size) {
    throw damaged(`its sound should have ${size} bytes, and ${source.size - start} are there; is it truncated?`);
  }
  if (size > largest) throw unsupported(`more than ${largest} bytes of sound`);
  if (size % frameBytes !== 0) throw damaged(`its ${size} bytes of sound are no whole samples of ${frameBytes} bytes`);
  if (size === 0) throw damaged('it has no sound: not one sample');
  const sampleAt = readerOf(format);
  const samples = new Float32Array(size / frameBytes);
  const framesPerPiece = Math.max(1, Math.floor(pieceBytes / frameBytes));
  for (let first = 0; first < samples.length; first += framesPerPiece) {
    const frames = Math.min(framesPerPiece, samples.length - first);
    const piece = await bytesOf(source, start + first * frameBytes, frames * frameBytes, 'its sound is cut off');
    for (let frame = 0; frame < frames; frame++) {
      let sum = 0;
      for (let channel = 0; channel < channels; channel++)
        sum += sampleAt(piece, (frame * channels + channel) * bytesPerSample);
      samples[first + frame] = sum / channels;
      if (!Number.isFinite(samples[first + frame])) throw damaged(`sample ${first + frame} is no finite number`);
    }
    await setImmediate();
  }
  return samples;
}

function readerOf({ kind, bytesPerSample }: Format): (bytes: Buffer, at: number) => number {
  if (kind === 'float')
    return bytesPerSample === 4 ? (bytes, at) => bytes.readFloatLE(at) : (bytes, at) => bytes.readDoubleLE(at);
  // Integers of 8 bits, and only those, have no sign.
  if (bytesPerSample === 1) return (bytes, at) => ((bytes[at] as number) - 128) / 128;
  const scale = 2 ** (8 * bytesPerSample - 1);
  return (bytes, at) => bytes.readIntLE(at, bytesPerSample) / scale;
}

async function bytesOf(source: ByteSource, position: number, size: number, otherwise: string): Promise<Buffer> {
  if (position + size > source.size) throw damaged(otherwise);
  const bytes = Buffer.alloc(size);
  await source.read(bytes, position);
  return bytes;
}

function damaged(reason: string): CudnnGruError {
  return new CudnnGruError('ERR_FORMAT', reason);
}

function unsupported(what: string, remedy = ''): CudnnGruError {
  return new CudnnGruError('ERR_UNSUPPORTED', `${what} cannot be read${remedy}`);
}
