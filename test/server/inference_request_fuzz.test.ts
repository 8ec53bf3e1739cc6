import { describe, expect, it } from 'vitest';
import type { HostArray } from '../../lib/data/types.js';
import type { Signature } from '../../lib/inference/signature.js';
import { type InferenceRequest, readInputs, splitBody } from '../../lib/server/inference_request.js';
import { fc } from '../fast_check.js';

const signature: Signature = {
  inputs: [
    { name: 'x', dtype: 'float32', shape: ['batch', 'time', 2] },
    { name: 'ids', dtype: 'int32', shape: ['batch'], vocabularySize: 5 },
  ],
  outputs: [],
  takesLengths: false,
  run: () => [],
};
const maxSteps = 50;

const size = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constantFrom(2 ** 31, 2 ** 53 - 1));
const anything = fc.anything({ withTypedArray: false, maxDepth: 3 });
// What the schema lets through; most of it is nearly right.
const input = fc.record(
  {
    name: fc.constantFrom('x', 'ids', '__proto__', ''),
    shape: fc.oneof(fc.constantFrom([1, 2, 2], [2], [1]), fc.array(size, { maxLength: 8 })),
    datatype: fc.constantFrom('FP32', 'INT32', 'BYTES'),
    parameters: fc.record({ binary_data_size: fc.oneof(fc.constantFrom(4, 8, 16), anything) }, { requiredKeys: [] }),
    data: fc.oneof(
      fc.constantFrom(
        [1, 2, 3, 4],
        [
          [
            [1, 2],
            [3, 4],
          ],
        ],
        [1],
        [1, 4],
      ),
      fc.array(anything),
    ),
  },
  { requiredKeys: ['name', 'shape', 'datatype'] },
);

function isArgumentError(error: unknown): boolean {
  return (error instanceof TypeError || error instanceof RangeError) && 'code' in error;
}

describe('whatever a request holds', () => {
  it('its tensors are as the signature says, or the error is the client’s', () => {
    let good = 0;
    const right = [
      { name: 'x', shape: [1, 2, 2], datatype: 'FP32', data: [1, 2, 3, 4] },
      { name: 'ids', shape: [1], datatype: 'INT32', data: [4] },
    ];
    const pair = fc.tuple(...right.map((each) => fc.oneof(fc.constant(each), input)));
    const request = fc.record({ inputs: fc.oneof(pair, fc.array(input, { minLength: 1, maxLength: 3 })) });
    fc.assert(
      fc.property(request, fc.uint8Array({ maxLength: 40 }), (body, binary) => {
        try {
          const tensors = readInputs(body as InferenceRequest, Buffer.from(binary), signature, maxSteps);
          const [x, ids] = tensors as [HostArray, HostArray];
          const [batch, time] = x.shape as [number, number];
          expect(batch * time).toBeLessThanOrEqual(maxSteps);
          expect(x.data).toHaveLength(batch * time * 2);
          expect(x.data.every(Number.isFinite)).toBe(true);
          expect(ids.data).toHaveLength(batch);
          expect(ids.data.every((id) => id >= 0 && id < 5)).toBe(true);
          good++;
        } catch (error) {
          if (!isArgumentError(error)) throw error;
        }
      }),
      { numRuns: 20_000, seed: 1 },
    );
    expect(good).toBeGreaterThan(0);
  });

  it('its body splits into a document and bytes, or the error is the client’s', () => {
    const body = fc.oneof(
      fc.json().map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 60 }).map(Buffer.from),
    );
    const length = fc.oneof(fc.constant(undefined), fc.integer({ min: -1, max: 70 }).map(String), fc.string());
    fc.assert(
      fc.property(body, length, (bytes, headerLength) => {
        try {
          const { binary } = splitBody(bytes, headerLength);
          expect(binary.length).toBe(headerLength === undefined ? 0 : bytes.length - Number(headerLength));
        } catch (error) {
          if (!isArgumentError(error)) throw error;
        }
      }),
      { numRuns: 5000, seed: 1 },
    );
  });
});
