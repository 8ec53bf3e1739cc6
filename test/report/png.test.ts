import { inflateSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { pngAddress } from '../../lib/report/png.js';

// The polynomial division of the PNG specification, bit by bit.
function check(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

it('a picture of three by two numbers', () => {
  const bytes = Buffer.from(pngAddress([0, 0.2, 1, -5, 7, 0.1], 3, 2).replace('data:image/png;base64,', ''), 'base64');
  expect(bytes.toString('latin1', 0, 8)).toBe('\u0089PNG\r\n\u001a\n');
  const chunks: Record<string, Buffer> = {};
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const body = bytes.subarray(at + 4, at + 8 + length);
    expect(bytes.readUInt32BE(at + 8 + length)).toBe(check(body));
    chunks[body.toString('latin1', 0, 4)] = body.subarray(4);
    at += 12 + length;
  }
  expect(Object.keys(chunks)).toEqual(['IHDR', 'PLTE', 'IDAT', 'IEND']);
  expect(chunks.IHDR?.toString('hex')).toBe('00000003000000020803000000');
  const palette = [...(chunks.PLTE as Buffer)];
  expect(palette).toHaveLength(3 * 64);
  expect([palette.slice(0, 3), palette.slice(-3)]).toEqual([
    [0, 0, 4],
    [252, 253, 191],
  ]);
  expect([...inflateSync(chunks.IDAT as Buffer)]).toEqual([0, 0, 13, 63, 0, 0, 63, 6]);
});
