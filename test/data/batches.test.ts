import { describe, expect, test } from 'vitest';
import { Batches, type BatchesOptions } from '../../lib/data/batches.js';
import type { Batch, Dataset } from '../../lib/data/types.js';
import { fc } from '../fast_check.js';

/** A data set whose examples are their own numbers; example i has a length of 1 to 13 steps. */
function numbers(length: number): Dataset & { lengthOf(index: number): number } {
  return {
    length,
    lengthOf: (index) => 1 + ((index * 7) % 13),
    get: (indices) => {
      const data = Int32Array.from(indices);
      return { inputs: { data, shape: [data.length] }, targets: { data, shape: [data.length] } };
    },
  };
}

const indicesOf = (batch: Batch) => [...batch.inputs.data];
const epochOf = (batches: Batches) => [...batches].map(indicesOf);

const cases = fc.record({
  length: fc.integer({ min: 1, max: 120 }),
  batchSize: fc.integer({ min: 1, max: 40 }),
  shuffle: fc.boolean(),
  seed: fc.nat(1000),
  dropLast: fc.boolean(),
  bucketSize: fc.nat(4),
});

function make({ length, ...options }: BatchesOptions & { length: number }): Batches | undefined {
  if (options.dropLast && length < options.batchSize) return undefined;
  return new Batches(numbers(length), options);
}

test('every example exactly once an epoch, in full batches but one', () => {
  fc.assert(
    fc.property(cases, (options) => {
      const batches = make(options);
      if (batches === undefined) return;
      const { length, batchSize, dropLast } = options;
      for (let epoch = 0; epoch < 3; epoch++) {
        const seen = epochOf(batches);
        expect(seen).toHaveLength(batches.batchesPerEpoch);
        const all = seen.flat().sort((a, b) => a - b);
        expect(new Set(all).size).toBe(all.length);
        expect(all).toHaveLength(dropLast ? length - (length % batchSize) : length);
        expect(seen.filter((batch) => batch.length !== batchSize).length).toBeLessThanOrEqual(dropLast ? 0 : 1);
        expect(batches.position()).toMatchObject({ epoch: epoch + 1, batch: 0 });
      }
    }),
  );
});

test('resumed anywhere, also through JSON, the rest is the same as without stopping', () => {
  fc.assert(
    fc.property(cases, fc.nat(60), (options, taken) => {
      const straight = make(options);
      const stopped = make(options);
      const resumed = make(options);
      if (straight === undefined || stopped === undefined || resumed === undefined) return;
      for (let i = 0; i < taken; i++) {
        expect(stopped.next()).toEqual(straight.next());
      }
      resumed.restore(JSON.parse(JSON.stringify(stopped.position())));
      for (let i = 0; i < 2 * straight.batchesPerEpoch + 3; i++) {
        expect(resumed.next()).toEqual(straight.next());
        expect(resumed.position()).toEqual(straight.position());
      }
    }),
  );
});

test('shuffled: another order in every epoch and for every seed', () => {
  const batches = new Batches(numbers(50), { batchSize: 50, shuffle: true, seed: 1 });
  const other = new Batches(numbers(50), { batchSize: 50, shuffle: true, seed: 2 });
  const orders = [epochOf(batches), epochOf(batches), epochOf(other)].map((epoch) => epoch.flat().join());
  expect(new Set(orders).size).toBe(3);
});

test('not shuffled: in order', () => {
  expect(epochOf(new Batches(numbers(5), { batchSize: 2 }))).toEqual([[0, 1], [2, 3], [4]]);
});

test('breaking out of a loop keeps the place', () => {
  const batches = new Batches(numbers(6), { batchSize: 2 });
  for (const batch of batches) if (batch.inputs.data[0] === 0) break;
  expect(epochOf(batches)).toEqual([
    [2, 3],
    [4, 5],
  ]);
});

describe('buckets', () => {
  const spread = (dataset: ReturnType<typeof numbers>, epoch: number[][]) =>
    epoch.reduce((total, batch) => {
      const lengths = batch.map((index) => dataset.lengthOf(index));
      return total + Math.max(...lengths) - Math.min(...lengths);
    }, 0);

  test('batches of similar length, still shuffled', () => {
    const dataset = numbers(260);
    const options = { batchSize: 10, shuffle: true };
    const plain = epochOf(new Batches(dataset, options));
    const batches = new Batches(dataset, { ...options, bucketSize: 13 });
    const first = epochOf(batches);
    expect(spread(dataset, first)).toBeLessThan(spread(dataset, plain) / 5);
    const means = first.map((batch) => batch.reduce((sum, index) => sum + dataset.lengthOf(index), 0));
    expect(means).not.toEqual([...means].sort((a, b) => a - b));
    expect(epochOf(batches)).not.toEqual(first);
  });

  test('need lengths', () => {
    const { lengthOf: _, ...dataset } = numbers(3);
    expect(() => new Batches(dataset, { batchSize: 1, bucketSize: 2 })).toThrow(/without lengthOf/);
  });
});

test('bad input', () => {
  const make = (options: object, length = 5) => new Batches(numbers(length), { batchSize: 2, ...options });
  expect(() => make({ batchSize: 0 })).toThrow('batchSize: expected an integer >= 1, got 0 (number)');
  expect(() => make({ batchSize: '2' })).toThrow(TypeError);
  expect(() => make({ shufle: true })).toThrow(/unknown option "shufle" \(did you mean "shuffle"\?\)/);
  expect(() => make({}, 0)).toThrow(/0 examples do not make one batch of 2/);
  expect(() => make({ dropLast: true }, 1)).toThrow(expect.objectContaining({ code: 'ERR_DATA' }));
  const position = make({ shuffle: true, seed: 1 }).position();
  expect(() => make({ shuffle: true, seed: 2 }).restore(position)).toThrow(
    /it was saved with 5 examples, 3 batches of 2, shuffled with seed 1, here are .*seed 2/,
  );
  expect(() => make({}, 6).restore(make({}).position())).toThrow(expect.objectContaining({ code: 'ERR_DATA' }));
  const { order } = make({}).position();
  expect(() => make({}).restore({ epoch: 0, batch: 4, order })).toThrow(RangeError);
  expect(() => make({}).restore({ epoch: -1, batch: 0, order })).toThrow(RangeError);
});
