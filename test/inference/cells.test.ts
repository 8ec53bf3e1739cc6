import { expect, it } from 'vitest';
import { CellReader } from '../../lib/inference/batch/cells.js';
import { fc } from '../fast_check.js';

function read(text: string): number | string {
  const reader = new CellReader(1, ',');
  const bytes = Buffer.from(text);
  return reader.read(bytes, 0, bytes.length, [true]) ?? (reader.values[0] as number);
}

it('a cell is the float32 that Number makes of it', () => {
  const digits = (most: number) => fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: most });
  const decimal = fc.tuple(fc.constantFrom('', '-', '+'), digits(22), fc.constantFrom('', '.'), digits(22));
  const exponent = fc.tuple(fc.constantFrom('', 'e', 'E+', 'e-'), fc.integer({ min: 0, max: 30 }));
  fc.assert(
    fc.property(decimal, exponent, ([sign, before, point, after], [e, power]) => {
      const text = `${sign}${before}${point}${point && after}${e}${e && power}`;
      expect(Math.fround(read(text) as number)).toBe(Math.fround(Number(text)));
    }),
    { numRuns: 20_000, seed: 1 },
  );
  // Halfway between two float32 numbers, and next to it.
  for (const end of ['', '0001', '00000000000001']) {
    const text = `16777217${end && '.'}${end}`;
    expect(Math.fround(read(text) as number)).toBe(Math.fround(Number(text)));
  }
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(Math.fround(read(String(value)) as number)).toBe(Math.fround(Number(String(value))));
    }),
    { numRuns: 5000, seed: 1 },
  );
});

it('whole numbers are exact as far as float64 is', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      if (String(Math.abs(value)).length <= 15) expect(read(String(value))).toBe(value === 0 ? 0 : value);
    }),
  );
});
