import { quote } from '../arguments.js';
import type { NumericArray } from '../data/types.js';
import { CudnnGruError } from '../errors.js';
import type { HostTensors } from '../inference/compute_batch.js';
import { datatypes, type InferenceRequest, unknownTensor } from './inference_request.js';
import type { ServedModel } from './served_model.js';

/** An answer to an inference request: the body, and how much of it is the JSON document if numbers follow behind. */
export interface InferenceResponse {
  readonly body: Buffer | string;
  readonly headerLength: number | null;
}

/** Which outputs a request wants, and which of them as bytes. */
export type WantedOutputs = readonly { readonly index: number; readonly binary: boolean }[];

/** @throws TypeError, RangeError naming the field */
export function wantedOutputs({ outputs, parameters }: InferenceRequest, { signature }: ServedModel): WantedOutputs {
  const allBinary = parameters?.binary_data_output === true;
  if (!outputs?.length) return signature.outputs.map((_, index) => ({ index, binary: allBinary }));
  return outputs.map((output, i) => {
    const index = signature.outputs.findIndex(({ name }) => name === output.name);
    if (index < 0) throw unknownTensor(`outputs[${i}].name`, output.name, signature.outputs);
    return { index, binary: ((output.parameters?.binary_data as boolean | undefined) ?? allBinary) === true };
  });
}

/** @throws CudnnGruError `ERR_NON_FINITE` for numbers that JSON does not have */
export function jsonNumbers(data: NumericArray, name: string): number[] {
  if (!data.every(Number.isFinite)) {
    throw new CudnnGruError('ERR_NON_FINITE', `output ${quote(name)} holds NaN or infinity, which JSON does not have`);
  }
  return Array.from(data);
}

/** @throws CudnnGruError `ERR_NON_FINITE` as `jsonNumbers` */
export function inferenceResponse(
  { id }: InferenceRequest,
  { name, version, signature }: ServedModel,
  wanted: WantedOutputs,
  tensors: HostTensors,
): InferenceResponse {
  const parts: Buffer[] = [];
  const outputs = wanted.map(({ index, binary }) => {
    const { name, dtype } = signature.outputs[index] as ServedModel['signature']['outputs'][number];
    const { data, shape } = tensors[index] as HostTensors[number];
    const described = { name, datatype: datatypes[dtype], shape };
    if (binary) {
      parts.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
      return { ...described, parameters: { binary_data_size: data.byteLength } };
    }
    if (!data.every(Number.isFinite)) {
      throw new CudnnGruError(
        'ERR_NON_FINITE',
        `output ${quote(name)} holds NaN or infinity, which JSON does not have`,
      );
    }
    return { ...described, data: Array.from(data) };
  });
  const document = JSON.stringify({
    model_name: name,
    model_version: String(version),
    ...(id !== undefined && { id }),
    outputs,
  });
  if (parts.length === 0) return { body: document, headerLength: null };
  const header = Buffer.from(document);
  return { body: Buffer.concat([header, ...parts]), headerLength: header.length };
}
