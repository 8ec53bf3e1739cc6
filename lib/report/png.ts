import { crc32, deflateSync } from 'node:zlib';

// More shades than these the eye does not tell apart, and noise in them makes large files.
const shades = 64;

/**
 * A PNG picture of numbers, from dark to light, as a data address.
 *
 * @param values from 0 to 1, row by row from the top: [height, width]
 */
export function pngAddress(values: ArrayLike<number>, width: number, height: number): string {
  // Each row begins with the number of its filter, none.
  const pixels = Buffer.alloc(height * (1 + width));
  for (let i = 0; i < width * height; i++) {
    const value = Math.min(1, Math.max(0, values[i] as number));
    pixels[i + Math.floor(i / width) + 1] = Math.round(value * (shades - 1));
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // A byte for each pixel, a number into the palette.
  header.set([8, 3, 0, 0, 0], 8);
  const palette = Buffer.from(Array.from({ length: shades }, (_, shade) => colourOf(shade / (shades - 1))).flat());
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const data = chunk('IDAT', deflateSync(pixels));
  const parts = [signature, chunk('IHDR', header), chunk('PLTE', palette), data, chunk('IEND', Buffer.alloc(0))];
  return `data:image/png;base64,${Buffer.concat(parts).toString('base64')}`;
}

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

// Corners of matplotlib's colour map magma, at equal distances.
const magma = [
  [0, 0, 4],
  [59, 15, 112],
  [140, 41, 129],
  [222, 73, 104],
  [254, 159, 109],
  [252, 253, 191],
] as const;

function colourOf(value: number): number[] {
  const place = value * (magma.length - 1);
  const below = Math.min(magma.length - 2, Math.floor(place));
  const [from, to] = [magma[below], magma[below + 1]] as [readonly number[], readonly number[]];
  return from.map((channel, i) => Math.round(channel + (place - below) * ((to[i] as number) - channel)));
}
