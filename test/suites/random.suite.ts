import { describe, expect, it } from 'vitest';
import { Generator, ones, randn, setSeed, uniform, zeros } from '../../lib/index.js';
import { normal, type Stream, uniform as uniformReference } from '../reference/philox.js';
import type { Backend } from './backend.js';
import { expectClose, expectSameBits, ODD_SIZES } from './checks.js';

/** Random numbers and filled tensors. */
export function run(backend: Backend): void {
  const { device } = backend;
  const at = (stream: Stream): Generator => {
    const generator = new Generator(0);
    generator.restore({ seed: Number(stream.seed), offset: Number(stream.offset) });
    return generator;
  };
  const streams: Stream[] = [
    { seed: 0, offset: 0 },
    { seed: 12345, offset: 6 },
    { seed: 2 ** 53 - 1, offset: 2 ** 32 - 2 },
  ];

  describe.each([1, 2, 3, 4, 5, ...ODD_SIZES, 20_001])('%i elements', (count) => {
    it('uniform draws the numbers of the reference', async () => {
      for (const stream of streams) {
        const drawn = await uniform([count], 0, 1, { device, generator: at(stream) }).data();
        expectSameBits(drawn, uniformReference(stream, count), 'uniform over [0, 1)');
        const wide = await uniform([count], -3, 5, { device, generator: at(stream) }).data();
        const expected = uniformReference(stream, count, -3, 5);
        expectClose(wide, expected, { relative: 2e-7, absolute: 5e-7 }, 'uniform over [-3, 5)');
      }
    });

    it('randn draws the numbers of the reference', async () => {
      for (const stream of streams) {
        const drawn = await randn([count], { device, generator: at(stream) }).data();
        expectClose(drawn, normal(stream, count), { relative: 2e-6, absolute: 2e-6 }, 'randn');
      }
    });
  });

  it('a generator goes on where it stood; a saved state is taken up again', async () => {
    const generator = new Generator(9);
    const stream = { seed: 9, offset: 0 };
    const first = await uniform([6], 0, 1, { device, generator }).data();
    const state = generator.state();
    const second = await uniform([5], 0, 1, { device, generator }).data();
    expectSameBits(first, uniformReference(stream, 6), 'the first numbers');
    expectSameBits(second, uniformReference({ seed: 9, offset: 2 }, 5), 'the next numbers');
    generator.restore(state);
    expectSameBits(await uniform([5], 0, 1, { device, generator }).data(), second, 'the next numbers again');
  });

  it('the default generator is seeded by setSeed', async () => {
    setSeed(77);
    const first = await randn([9], { device }).data();
    const second = await randn([9], { device }).data();
    setSeed(77);
    expectSameBits(await randn([9], { device }).data(), first, 'after the same seed');
    expect([...second]).not.toEqual([...first]);
  });

  it('numbers that cannot be seeds are refused', () => {
    expect(() => new Generator(-1)).toThrow(RangeError);
    expect(() => new Generator(1.5)).toThrow(RangeError);
    expect(() => new Generator('1' as unknown as number)).toThrow(TypeError);
  });

  it('zeros and ones, also of no elements', async () => {
    expect([...(await zeros([2, 3], { device }).data())]).toEqual([0, 0, 0, 0, 0, 0]);
    expect([...(await ones([5], { device }).data())]).toEqual([1, 1, 1, 1, 1]);
    expect([...(await zeros([0, 3], { device }).data())]).toEqual([]);
    expect(await ones([], { device }).item()).toBe(1);
  });
}
