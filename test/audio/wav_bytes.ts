export interface WavOptions {
  sampleRate?: number;
  /** Default: 16. */
  bits?: number;
  float?: boolean;
  channels?: number;
  extensible?: boolean;
  /** Chunks between the format and the sound, by name. */
  extra?: Record<string, Buffer>;
}

/** A WAV file with these samples, from -1 to 1, of all channels in turn. */
export function wavBytes(samples: ArrayLike<number>, options: WavOptions = {}): Buffer {
  const { sampleRate = 8000, bits = 16, float = false, channels = 1, extensible = false, extra = {} } = options;
  const bytes = bits / 8;
  const tag = float ? 3 : 1;
  const format = Buffer.alloc(extensible ? 40 : 16);
  format.writeUInt16LE(extensible ? 0xfffe : tag, 0);
  format.writeUInt16LE(channels, 2);
  format.writeUInt32LE(sampleRate, 4);
  format.writeUInt32LE(sampleRate * channels * bytes, 8);
  format.writeUInt16LE(channels * bytes, 12);
  format.writeUInt16LE(bits, 14);
  if (extensible) {
    format.writeUInt16LE(22, 16);
    format.writeUInt16LE(bits, 18);
    format.writeUInt16LE(tag, 24);
    format.set(Buffer.from('000000001000800000aa00389b71', 'hex'), 26);
  }
  const data = Buffer.alloc(samples.length * bytes);
  for (let i = 0; i < samples.length; i++) {
    const value = samples[i] as number;
    if (float) bits === 32 ? data.writeFloatLE(value, i * bytes) : data.writeDoubleLE(value, i * bytes);
    else if (bits === 8) data[i] = Math.round(value * 128) + 128;
    else data.writeIntLE(Math.round(value * 2 ** (bits - 1)), i * bytes, bytes);
  }
  const chunks = Object.entries({ 'fmt ': format, ...extra, data }).map(([name, body]) => {
    const head = Buffer.alloc(8);
    head.write(name, 'latin1');
    head.writeUInt32LE(body.length, 4);
    return Buffer.concat([head, body, Buffer.alloc(body.length % 2)]);
  });
  const all = Buffer.concat([Buffer.from('WAVE'), ...chunks]);
  const head = Buffer.from('RIFF....');
  head.writeUInt32LE(all.length, 4);
  return Buffer.concat([head, all]);
}
