import type { ByteSource } from '../byte_source.js';

// The part of onnx.proto3 (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3) that this library reads and writes. Fields that are not
// listed are skipped; a subgraph stays the bytes it is, because no operation with one is supported, so that reading never nests
// deeper than this file says.

/** How a field is written: one value or many; numbers that are many may be packed. */
export type Field =
  | readonly [name: string, kind: 'int' | 'float' | 'string' | 'bytes', many?: 'many']
  | readonly [name: string, kind: Message, many?: 'many'];

/** Fields by number. */
export interface Message {
  readonly [number: number]: Field;
}

const dimension: Message = { 1: ['dim_value', 'int'], 2: ['dim_param', 'string'] };
const shape: Message = { 1: ['dim', dimension, 'many'] };
const tensorType: Message = { 1: ['elem_type', 'int'], 2: ['shape', shape] };
const type: Message = { 1: ['tensor_type', tensorType] };
const valueInfo: Message = { 1: ['name', 'string'], 2: ['type', type] };
const stringEntry: Message = { 1: ['key', 'string'], 2: ['value', 'string'] };

export const rawDataField = 9;
export const tensor: Message = {
  1: ['dims', 'int', 'many'],
  2: ['data_type', 'int'],
  3: ['segment', 'bytes'],
  // Packed little-endian floats are taken as the bytes they are: they may be weights.
  4: ['float_data', 'bytes', 'many'],
  5: ['int32_data', 'int', 'many'],
  7: ['int64_data', 'int', 'many'],
  8: ['name', 'string'],
  [rawDataField]: ['raw_data', 'bytes'],
  10: ['double_data', 'bytes', 'many'],
  13: ['external_data', stringEntry, 'many'],
  14: ['data_location', 'int'],
};

const attribute: Message = {
  1: ['name', 'string'],
  2: ['f', 'float'],
  3: ['i', 'int'],
  4: ['s', 'string'],
  5: ['t', tensor],
  6: ['g', 'bytes'],
  7: ['floats', 'float', 'many'],
  8: ['ints', 'int', 'many'],
  9: ['strings', 'string', 'many'],
  20: ['type', 'int'],
};

const node: Message = {
  1: ['input', 'string', 'many'],
  2: ['output', 'string', 'many'],
  3: ['name', 'string'],
  4: ['op_type', 'string'],
  5: ['attribute', attribute, 'many'],
  7: ['domain', 'string'],
};

export const initializerField = 5;
export const graph: Message = {
  1: ['node', node, 'many'],
  2: ['name', 'string'],
  [initializerField]: ['initializer', tensor, 'many'],
  11: ['input', valueInfo, 'many'],
  12: ['output', valueInfo, 'many'],
  15: ['sparse_initializer', 'bytes', 'many'],
};

const operatorSet: Message = { 1: ['domain', 'string'], 2: ['version', 'int'] };

export const graphField = 7;
export const model: Message = {
  1: ['ir_version', 'int'],
  2: ['producer_name', 'string'],
  3: ['producer_version', 'string'],
  [graphField]: ['graph', graph],
  8: ['opset_import', operatorSet, 'many'],
};

/** `AttributeProto.type` by the field that holds the value. */
export const attributeTypes = { f: 1, i: 2, s: 3, t: 4, floats: 6, ints: 7, strings: 8 } as const;

/** `TensorProto.DataType`, of the types that this library writes. */
export const dataTypes = { float32: 1, int32: 6, int64: 7, bool: 9 } as const;

// What decoding gives: a field that the file lacks is undefined, an empty list for `many`; bytes are a part of the file, not read yet.

export interface TensorProto {
  dims: number[];
  data_type?: number;
  segment?: ByteSource;
  float_data: ByteSource[];
  int32_data: number[];
  int64_data: number[];
  name?: string;
  raw_data?: ByteSource;
  double_data: ByteSource[];
  external_data: { key?: string; value?: string }[];
  data_location?: number;
}

export interface AttributeProto {
  name?: string;
  f?: number;
  i?: number;
  s?: string;
  t?: TensorProto;
  g?: ByteSource;
  floats: number[];
  ints: number[];
  strings: string[];
  type?: number;
}

export interface NodeProto {
  input: string[];
  output: string[];
  name?: string;
  op_type?: string;
  attribute: AttributeProto[];
  domain?: string;
}

export interface ValueInfoProto {
  name?: string;
  type?: { tensor_type?: { elem_type?: number; shape?: { dim: { dim_value?: number; dim_param?: string }[] } } };
}

export interface GraphProto {
  node: NodeProto[];
  name?: string;
  initializer: TensorProto[];
  input: ValueInfoProto[];
  output: ValueInfoProto[];
  sparse_initializer: ByteSource[];
}

export interface ModelProto {
  ir_version?: number;
  producer_name?: string;
  producer_version?: string;
  graph?: GraphProto;
  opset_import: { domain?: string; version?: number }[];
}
