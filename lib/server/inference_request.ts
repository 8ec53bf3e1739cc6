import Type from 'typebox';
import { hint, quote, wrongKind, wrongRange } from '../arguments.js';
import type { HostArray, NumericArray } from '../data/types.js';
import { argumentRangeError } from '../errors.js';
import type { HostTensors } from '../inference/compute_batch.js';
import type { Signature, TensorSpec } from '../inference/signature.js';
import { type DType, elementCount } from '../tensor/tensor.js';

// The body of an inference request of the Open Inference Protocol, version 2, with Triton's binary tensors: the JSON document below, and
// behind it, where the header Inference-Header-Content-Length gives the document's length, the numbers of those inputs that have a
// `binary_data_size`, little-endian and in the order of the inputs.

const Parameters = Type.Record(Type.String(), Type.Unknown());

export const InferenceRequest = Type.Object({
  id: Type.Optional(Type.String({ maxLength: 200 })),
  parameters: Type.Optional(Parameters),
  inputs: Type.Array(
    Type.Object({
      name: Type.String(),
      shape: Type.Array(Type.Integer({ minimum: 1 }), { maxItems: 8 }),
      datatype: Type.String({ description: 'FP32 or INT32' }),
      parameters: Type.Optional(Parameters),
      data: Type.Optional(
        Type.Array(Type.Unknown(), { description: 'Numbers, row-major, flat or nested as the shape says' }),
      ),
    }),
    { minItems: 1, maxItems: 16 },
  ),
  outputs: Type.Optional(
    Type.Array(Type.Object({ name: Type.String(), parameters: Type.Optional(Parameters) }), { maxItems: 16 }),
  ),
});
export type InferenceRequest = Type.Static<typeof InferenceRequest>;

export const datatypes: Readonly<Record<DType, string>> = { float32: 'FP32', int32: 'INT32' };

/** The JSON document and the numbers behind it. @throws RangeError, SyntaxError */
export function splitBody(body: Buffer, headerLength: string | undefined): { document: unknown; binary: Buffer } {
  const length = headerLength === undefined ? body.length : Number(headerLength);
  if (!(Number.isInteger(length) && length > 0 && length <= body.length)) {
    throw argumentRangeError(
      `Inference-Header-Content-Length: expected an integer from 1 to ${body.length}, the body's length, got ${quote(String(headerLength))}`,
    );
  }
  try {
    return { document: JSON.parse(body.toString('utf8', 0, length)), binary: body.subarray(length) };
  } catch (error) {
    throw argumentRangeError(`body: not JSON: ${(error as Error).message}`);
  }
}

/**
 * The tensors of a request, in the order of the signature's inputs.
 *
 * @param maxSteps the largest batch × time
 * @throws TypeError, RangeError naming the field
 */
export function readInputs(
  { inputs }: InferenceRequest,
  binary: Buffer,
  signature: Signature,
  maxSteps: number,
): HostTensors {
  const axes = new Map<string, number>();
  const found = new Map<string, HostArray>();
  let offset = 0;
  for (const [i, input] of inputs.entries()) {
    const field = `inputs[${i}]`;
    const spec = signature.inputs.find(({ name }) => name === input.name);
    if (!spec) throw unknownTensor(`${field}.name`, input.name, signature.inputs);
    if (found.has(spec.name)) throw argumentRangeError(`${field}.name: ${quote(spec.name)} is given twice`);
    if (input.datatype !== datatypes[spec.dtype]) {
      throw wrongRange(`${field}.datatype`, quote(datatypes[spec.dtype]), input.datatype);
    }
    matchShape(input.shape, spec, axes, `${field}.shape`);
    if (
      (axes.get('batch') ?? 1) * Math.max(axes.get('time') ?? 1, axes.get('targetTime') ?? 1) > maxSteps ||
      elementCount(input.shape) > 2 ** 30
    ) {
      throw wrongRange(`${field}.shape`, `at most ${maxSteps} steps (batch × time)`, input.shape);
    }
    const bytes = input.parameters?.binary_data_size;
    let data: NumericArray;
    if (bytes === undefined) data = readNumbers(input.data, spec, input.shape, `${field}.data`);
    else {
      data = readBinary(binary, offset, bytes, spec, input.shape, field);
      offset += data.byteLength;
    }
    checkValues(data, spec, `${field}.data`);
    found.set(spec.name, { data, shape: input.shape });
  }
  if (offset !== binary.length) {
    throw argumentRangeError(
      `body: ${binary.length} bytes behind the JSON document; the inputs' binary_data_size add up to ${offset}`,
    );
  }
  return signature.inputs.map(({ name }) => {
    const array = found.get(name);
    if (!array) throw argumentRangeError(`inputs: ${quote(name)} is missing`);
    return array;
  });
}

export function unknownTensor(field: string, name: string, specs: readonly TensorSpec[]): Error {
  const names = specs.map((spec) => spec.name);
  return argumentRangeError(
    `${field}: expected one of ${names.map(quote).join(', ')}, got ${quote(name)}${hint(name, names)}`,
  );
}

function matchShape(shape: readonly number[], spec: TensorSpec, axes: Map<string, number>, field: string): void {
  const fits =
    shape.length === spec.shape.length &&
    spec.shape.every((axis, i) => {
      const size = shape[i] as number;
      if (typeof axis === 'number') return size === axis;
      const before = axes.get(axis) ?? size;
      axes.set(axis, before);
      return size === before;
    });
  if (!fits) throw wrongRange(field, `[${spec.shape.join(', ')}]`, [...shape]);
}

function readBinary(
  binary: Buffer,
  offset: number,
  bytes: unknown,
  { dtype }: TensorSpec,
  shape: readonly number[],
  field: string,
): NumericArray {
  const needed = 4 * elementCount(shape);
  if (bytes !== needed) {
    throw wrongRange(`${field}.parameters.binary_data_size`, `${needed} bytes for shape [${shape.join(', ')}]`, bytes);
  }
  if (offset + needed > binary.length) {
    throw argumentRangeError(
      `${field}: ${needed} bytes expected behind the JSON document at ${offset}, only ${binary.length} are there`,
    );
  }
  // Copied: typed arrays begin at multiples of their elements' size, a body's parts anywhere.
  const copy = new Uint8Array(needed);
  copy.set(binary.subarray(offset, offset + needed));
  return dtype === 'int32' ? new Int32Array(copy.buffer) : new Float32Array(copy.buffer);
}

/** Numbers from JSON, flat or nested as the shape says. @throws TypeError, RangeError naming the field */
export function readNumbers(
  value: unknown,
  { dtype }: TensorSpec,
  shape: readonly number[],
  field: string,
): NumericArray {
  if (!Array.isArray(value)) throw wrongKind(field, 'an array of numbers', value);
  const data = new (dtype === 'int32' ? Int32Array : Float32Array)(elementCount(shape));
  let next = 0;
  const read = (items: readonly unknown[], axis: number | null, place: string) => {
    if (axis !== null && items.length !== shape[axis]) throw wrongRange(place, `${shape[axis]} items`, items);
    const isLast = axis === null || axis === shape.length - 1;
    for (const [i, item] of items.entries()) {
      if (!isLast) {
        if (!Array.isArray(item)) throw wrongKind(`${place}[${i}]`, `an array of ${shape[(axis as number) + 1]}`, item);
        read(item, (axis as number) + 1, `${place}[${i}]`);
      } else {
        if (typeof item !== 'number') throw wrongKind(`${place}[${i}]`, 'a number', item);
        data[next] = item;
        if (dtype === 'int32' && data[next] !== item) throw wrongRange(`${place}[${i}]`, 'a 32-bit integer', item);
        next++;
      }
    }
  };
  const isNested = Array.isArray(value[0]);
  if (!isNested && value.length !== data.length) {
    throw wrongRange(field, `${data.length} numbers for shape [${shape.join(', ')}]`, value);
  }
  read(value, isNested ? 0 : null, field);
  return data;
}

/** Refuses what no operation should meet: it would come back as NaN, or fail a whole batch. */
export function checkValues(
  data: NumericArray,
  { dtype, vocabularySize = Number.POSITIVE_INFINITY }: TensorSpec,
  field: string,
): void {
  if (dtype === 'float32') {
    const wrong = data.findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0) throw wrongRange(`${field}[${wrong}]`, 'a finite float32 number', data[wrong]);
  } else {
    const wrong = data.findIndex((value) => value < 0 || value >= vocabularySize);
    if (wrong >= 0) throw wrongRange(`${field}[${wrong}]`, `an integer from 0 to ${vocabularySize - 1}`, data[wrong]);
  }
}
