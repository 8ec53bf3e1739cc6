import { describe, expect, it } from 'vitest';
import { type Block, dropoutFactors, normal, philox, streamWords, uniform } from './philox.js';

const hex = (block: Block) => block.map((word) => word.toString(16).padStart(8, '0')).join(' ');

describe('philox', () => {
  // The known answers that the authors publish with Random123 (kat_vectors, philox4x32 with 10 rounds).
  it.each<[string, Block, [number, number], string]>([
    ['zeros', [0, 0, 0, 0], [0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [
      'ones',
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      '408f276d 41c83b0e a20bc7c6 6d5451fd',
    ],
    [
      'digits of pi',
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      'd16cfe09 94fdcceb 5001e420 24126ea1',
    ],
  ])('known answer: %s', (_, counter, key, answer) => {
    expect(hex(philox(key, counter))).toBe(answer);
  });

  it('draws any element of a stream alone', () => {
    const whole = streamWords({ seed: 7, offset: 0 }, 40);
    expect(streamWords({ seed: 7, offset: 3 }, 8)).toEqual(whole.slice(12, 20));
    expect(streamWords({ seed: 7, offset: 2 ** 32 }, 4)).not.toEqual(whole.slice(0, 4));
    expect(streamWords({ seed: 8, offset: 0 }, 40)).not.toEqual(whole);
    expect(streamWords({ seed: 2 ** 32 + 7, offset: 0 }, 40)).not.toEqual(whole);
  });

  it('has the moments of its distributions', () => {
    const count = 40_000;
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const stream = { seed: 11, offset: 5 };
    const u = uniform(stream, count, 2, 4);
    expect(Math.min(...u)).toBeGreaterThanOrEqual(2);
    expect(Math.max(...u)).toBeLessThan(4);
    expect(mean(u)).toBeCloseTo(3, 1);
    const n = normal(stream, count, 1, 3);
    const spread = mean(n.map((value) => (value - 1) ** 2));
    expect(mean(n)).toBeCloseTo(1, 1);
    expect(Math.abs(spread / 9 - 1)).toBeLessThan(0.03);
    const kept = dropoutFactors(stream, 0.3, count);
    expect(mean(kept)).toBeCloseTo(1, 1);
    expect(new Set(kept)).toEqual(new Set([0, 1 / 0.7]));
  });
});
