import { encodeModel, type Partially, valueInfo } from '../../../lib/formats/onnx/encode.js';
import {
  type AttributeProto,
  attributeTypes,
  dataTypes,
  type GraphProto,
  type NodeProto,
  type TensorProto,
} from '../../../lib/formats/onnx/schema.js';

// Small ONNX files, for what no exporter writes.

type Attribute = number | string | readonly number[] | readonly string[];

export function node(
  op_type: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Readonly<Record<string, Attribute>> = {},
): Partially<NodeProto> {
  return {
    op_type,
    input,
    output,
    attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  };
}

function attribute(name: string, value: Attribute): Partially<AttributeProto> {
  if (typeof value === 'number') return { name, i: value, type: attributeTypes.i };
  if (typeof value === 'string') return { name, s: value, type: attributeTypes.s };
  if (typeof value[0] === 'string') return { name, strings: value as string[], type: attributeTypes.strings };
  return { name, ints: value as number[], type: attributeTypes.ints };
}

export function floats(name: string, dims: readonly number[], values: readonly number[]): Partially<TensorProto> {
  return { name, dims, data_type: dataTypes.float32, raw_data: new Uint8Array(Float32Array.from(values).buffer) };
}

export function integers(name: string, dims: readonly number[], values: readonly number[]): Partially<TensorProto> {
  return {
    name,
    dims,
    data_type: dataTypes.int64,
    raw_data: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
  };
}

/** An input or output of type float32. */
export const float32 = (name: string, ...shape: (number | string)[]) => valueInfo(name, 'float32', shape);

export function graphBytes(graph: Partially<GraphProto>, version = 17): Uint8Array {
  return Buffer.concat([...encodeModel({ ir_version: 8, graph, opset_import: [{ version }] })]);
}
