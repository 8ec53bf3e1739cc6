import { describe, expect, test } from 'vitest';
import { ArrayDataset, toHostArray } from '../../lib/data/array_dataset.js';
import { Batches } from '../../lib/data/batches.js';
import { padSequences, SequenceDataset } from '../../lib/data/sequence_dataset.js';
import { fc } from '../fast_check.js';

describe('ArrayDataset', () => {
  test('nested arrays and labels', () => {
    const dataset = new ArrayDataset({
      inputs: [
        [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
        [
          [7, 8],
          [9, 10],
          [11, 12],
        ],
      ],
      targets: [0, 1],
      targetType: 'int32',
    });
    expect(dataset.length).toBe(2);
    expect(dataset.get([1, 1])).toEqual({
      inputs: { data: new Float32Array([7, 8, 9, 10, 11, 12, 7, 8, 9, 10, 11, 12]), shape: [2, 3, 2] },
      targets: { data: new Int32Array([1, 1]), shape: [2] },
    });
  });

  test('typed arrays keep their type and are not copied', () => {
    const data = new Int32Array([1, 2, 3, 4]);
    const dataset = new ArrayDataset({ inputs: { data, shape: [2, 2] }, targets: new Float32Array(2) });
    expect(dataset.inputs.data).toBe(data);
    expect(dataset.get([1]).inputs).toEqual({ data: new Int32Array([3, 4]), shape: [1, 2] });
  });

  test('bad input names the place', () => {
    const make = (inputs: unknown, targets: unknown = [1, 2], options = {}) =>
      new ArrayDataset({ inputs, targets, ...options } as never);
    expect(() => make([[1, 2], [3]])).toThrow('inputs[1]: expected an array of 2, like the first one, got [3]');
    expect(() => make([[1, 2], 3])).toThrow('inputs[1]: expected an array of 2, got 3 (number)');
    expect(() => make([[1], ['x']])).toThrow('inputs[1][0]: expected a number, got "x" (string)');
    expect(() => make([1, 2], [0.5, 1], { targetType: 'int32' })).toThrow(/targets\[0\]: expected an integer/);
    expect(() => make([1, 2, 3])).toThrow('targets: expected as many examples as inputs (3), got [2]');
    expect(() => make({ data: new Float32Array(3), shape: [2, 2] })).toThrow(/4 elements for the shape \[2, 2\]/);
    expect(() => make(new Float64Array(2))).toThrow(TypeError);
    expect(() => make(null)).toThrow(TypeError);
    expect(() => make([1, 2], [1, 2], { inputtype: 'int32' })).toThrow(/did you mean "inputType"/);
    expect(() => make([1, 2]).get([2])).toThrow(RangeError);
  });

  test('nested arrays of any depth become row-major', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }), (shape) => {
        let next = 0;
        const build = (axis: number): unknown =>
          axis === shape.length ? next++ : Array.from({ length: shape[axis] as number }, () => build(axis + 1));
        const array = toHostArray(build(0) as number[], 'x', 'int32');
        expect(array.shape).toEqual(shape);
        expect([...array.data]).toEqual(Array.from({ length: next }, (_, i) => i));
      }),
    );
  });
});

describe('SequenceDataset', () => {
  const sequences = [
    [[1, 2]],
    [
      [3, 4],
      [5, 6],
      [7, 8],
    ],
    [
      [9, 10],
      [11, 12],
    ],
  ];

  test('one label per sequence: padded to the longest of the batch', () => {
    const dataset = new SequenceDataset({ sequences, targets: [0, 1, 2], targetType: 'int32', padding: -1 });
    expect(dataset.get([0, 2])).toEqual({
      inputs: { data: new Float32Array([1, 2, -1, -1, 9, 10, 11, 12]), shape: [2, 2, 2] },
      targets: { data: new Int32Array([0, 2]), shape: [2] },
      lengths: new Int32Array([1, 2]),
    });
    expect(dataset.lengthOf(1)).toBe(3);
  });

  test('one label per step, tokens as inputs: labels behind the end are ignored by cross-entropy', () => {
    const dataset = new SequenceDataset({
      sequences: [[4, 5, 6], [7]],
      targets: [[0, 1, 1], [2]],
      targetsPerStep: true,
      inputType: 'int32',
      targetType: 'int32',
    });
    expect(dataset.get([1, 0])).toEqual({
      inputs: { data: new Int32Array([7, 0, 0, 4, 5, 6]), shape: [2, 3] },
      targets: { data: new Int32Array([2, -100, -100, 0, 1, 1]), shape: [2, 3] },
      lengths: new Int32Array([1, 3]),
    });
  });

  test('through bucketed batches every sequence comes back whole', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 40 }),
        fc.nat(),
        (lengths, seed) => {
          const dataset = new SequenceDataset({
            sequences: lengths.map((length, i) => Int32Array.from({ length }, (_, t) => 100 * i + t + 1)),
            targets: Int32Array.from(lengths.keys()),
          });
          const seen = new Set<number>();
          for (const batch of new Batches(dataset, { batchSize: 4, shuffle: true, seed, bucketSize: 2 })) {
            const [rows, time] = batch.inputs.shape as [number, number];
            expect(time).toBe(Math.max(...(batch.lengths as Int32Array)));
            for (let row = 0; row < rows; row++) {
              const i = batch.targets.data[row] as number;
              seen.add(i);
              const length = lengths[i] as number;
              expect(batch.lengths?.[row]).toBe(length);
              const expected = Array.from({ length: time }, (_, t) => (t < length ? 100 * i + t + 1 : 0));
              expect([...batch.inputs.data.slice(row * time, (row + 1) * time)]).toEqual(expected);
            }
          }
          expect(seen.size).toBe(lengths.length);
        },
      ),
    );
  });

  test('bad input names the sequence', () => {
    const make = (options: object) => new SequenceDataset({ sequences, targets: [0, 1, 2], ...options });
    expect(() => make({ sequences: [[[1, 2]], [[1]], [[1, 2]]] })).toThrow(
      /sequences\[1\]: expected steps like those of sequences\[0\]/,
    );
    expect(() => make({ sequences: [[[1, 2]], [], [[1, 2]]] })).toThrow(
      'sequences[1]: expected at least one step, got [0]',
    );
    expect(() => make({ sequences: [new Int32Array(1), new Float32Array(1), new Int32Array(1)] })).toThrow(TypeError);
    expect(() => make({ sequences: [] })).toThrow(RangeError);
    expect(() => make({ targets: [0, 1] })).toThrow('targets: expected as many as sequences (3), got 2 (number)');
    expect(() => make({ targets: [[1], [1, 2], [1, 2]], targetsPerStep: true })).toThrow(
      /targets\[1\]: expected 3 steps/,
    );
    expect(() => make({}).get([3])).toThrow(RangeError);
    expect(() => padSequences([])).toThrow(RangeError);
  });
});
