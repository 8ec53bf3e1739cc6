import { expect, test } from 'vitest';
import { StreamBatches } from '../../lib/data/stream_batches.js';
import { fc } from '../fast_check.js';

const rowsOf = (rows: number) => Int32Array.from({ length: rows }, (_, row) => row);

test('a small series by hand: two streams of five rows in chunks of three', () => {
  const inputs = { data: Float32Array.from({ length: 22 }, (_, i) => i / 2), shape: [11, 2] };
  const [first, second, ...more] = [...new StreamBatches({ inputs, targets: rowsOf(11), streams: 2, steps: 3 })];
  expect(first).toEqual({
    inputs: { data: new Float32Array([0, 0.5, 1, 1.5, 2, 2.5, 5, 5.5, 6, 6.5, 7, 7.5]), shape: [2, 3, 2] },
    targets: { data: new Int32Array([0, 1, 2, 5, 6, 7]), shape: [2, 3] },
    continues: false,
  });
  expect(second?.targets).toEqual({ data: new Int32Array([3, 4, 8, 9]), shape: [2, 2] });
  expect(second?.continues).toBe(true);
  expect(more).toEqual([]);
});

test('joined again, the chunks of each stream are the series; resuming gives the same chunks', () => {
  const sizes = fc.record({
    rows: fc.integer({ min: 1, max: 100 }),
    streams: fc.integer({ min: 1, max: 8 }),
    steps: fc.integer({ min: 1, max: 12 }),
    dropLast: fc.boolean(),
  });
  fc.assert(
    fc.property(sizes, fc.nat(30), ({ rows, ...options }, taken) => {
      const length = Math.floor(rows / options.streams);
      fc.pre(length >= (options.dropLast ? options.steps : 1));
      const make = () => new StreamBatches({ inputs: rowsOf(rows), targets: rowsOf(rows), ...options });
      const joined: number[][] = Array.from({ length: options.streams }, () => []);
      for (const { inputs } of make()) {
        const steps = inputs.shape[1] as number;
        joined.forEach((stream, b) => {
          stream.push(...inputs.data.slice(b * steps, (b + 1) * steps));
        });
      }
      const used = options.dropLast ? length - (length % options.steps) : length;
      joined.forEach((stream, b) => {
        expect(stream).toEqual(Array.from({ length: used }, (_, i) => b * length + i));
      });
      const straight = make();
      const resumed = make();
      for (let i = 0; i < taken; i++) straight.next();
      resumed.restore(JSON.parse(JSON.stringify(straight.position())));
      for (let i = 0; i < 2 * straight.batchesPerEpoch + 2; i++) expect(resumed.next()).toEqual(straight.next());
    }),
  );
});

test('bad input', () => {
  const good = { inputs: rowsOf(10), targets: rowsOf(10), streams: 2, steps: 3 };
  expect(() => new StreamBatches({ ...good, streams: 11 })).toThrow(/10 rows: too few for 11 streams/);
  expect(() => new StreamBatches({ ...good, steps: 6, dropLast: true })).toThrow(
    expect.objectContaining({ code: 'ERR_DATA' }),
  );
  expect(() => new StreamBatches({ ...good, targets: rowsOf(9) })).toThrow(RangeError);
  expect(() => new StreamBatches({ ...good, steps: 0 })).toThrow(RangeError);
  const position = new StreamBatches(good).position();
  expect(() => new StreamBatches({ ...good, steps: 2 }).restore(position)).toThrow(/belongs to other data/);
});
