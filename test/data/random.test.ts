import { expect, test } from 'vitest';
import { philox, RandomStream, range, shuffle } from '../../lib/data/random.js';
import { fc } from '../fast_check.js';

// Known answers of Philox4x32-10, published with the paper's Random123 library.
test.each([
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
] as const)('philox of counter %j', (counter, [key0, key1], words) => {
  expect(philox([...counter], key0, key1)).toEqual(words);
});

test('seed and stream both matter, also above 32 bits', () => {
  const first = (seed: number, stream: number) => new RandomStream(seed, stream).word();
  const words = [first(1, 1), first(1, 2), first(2, 1), first(1 + 2 ** 32, 1), first(2 ** 53 - 1, 2 ** 32 - 1)];
  expect(new Set(words).size).toBe(5);
  expect(first(1, 1)).toBe(words[0]);
  expect(() => new RandomStream(1, 0)).toThrow(RangeError);
  expect(() => new RandomStream(-1, 1)).toThrow(RangeError);
});

test('below() is even: 60,000 draws of 6 within five deviations', () => {
  const random = new RandomStream(3, 1);
  const counts = new Array<number>(6).fill(0);
  for (let i = 0; i < 60_000; i++) counts[random.below(6)] = (counts[random.below(6)] as number) + 1;
  const deviation = Math.sqrt((60_000 * 5) / 36);
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(5 * deviation);
});

test('below() of a limit that divides 2^32 badly draws the unfair words again', () => {
  const limit = 3 * 2 ** 30; // a quarter of all words is unfair; reused, they would fall below 2^30
  const random = new RandomStream(5, 1);
  let low = 0;
  for (let i = 0; i < 30_000; i++) if (random.below(limit) < 2 ** 30) low += 1;
  expect(Math.abs(low - 10_000)).toBeLessThan(5 * Math.sqrt((30_000 * 2) / 9));
});

test('shuffle keeps every item and repeats for a seed', () => {
  fc.assert(
    fc.property(fc.nat(200), fc.maxSafeNat(), (length, seed) => {
      const once = range(length);
      shuffle(once, new RandomStream(seed, 1));
      const again = range(length);
      shuffle(again, new RandomStream(seed, 1));
      expect(again).toEqual(once);
      expect(once.slice().sort()).toEqual(range(length));
    }),
  );
});

test('shuffle reaches all 24 orders of four items about equally often', () => {
  const counts = new Map<string, number>();
  const random = new RandomStream(11, 1);
  for (let i = 0; i < 24_000; i++) {
    const items = range(4);
    shuffle(items, random);
    counts.set(items.join(), (counts.get(items.join()) ?? 0) + 1);
  }
  expect(counts.size).toBe(24);
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(5 * Math.sqrt(1000));
});
