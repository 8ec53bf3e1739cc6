import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { CudnnGruError } from '../../errors.js';
import type { ByteSource } from '../byte_source.js';
import {
  dataTypes,
  type Field,
  type GraphProto,
  graph,
  graphField,
  initializerField,
  type Message,
  type ModelProto,
  model,
  rawDataField,
  type TensorProto,
  tensor,
  type ValueInfoProto,
} from './schema.js';

/** A message to write: what is left out is not written. */
export type Partially<T> = { readonly [K in keyof T]?: Written<NonNullable<T[K]>> };

type Written<T> = T extends ByteSource
  ? Uint8Array
  : T extends (infer E)[]
    ? readonly Written<E>[]
    : T extends object
      ? Partially<T>
      : T;

// protobuf's own limit
const mostBytes = 2 ** 31 - 1;

/** A tensor of weights to write. */
export interface Initializer {
  readonly header: Partially<TensorProto>;
  readonly byteLength: number;
  /** Its bytes, made when they are written: weights in another order are never all there. */
  readonly data: () => Uint8Array;
}

/**
 * The bytes of an ONNX file, in parts to be written one after another.
 *
 * @throws CudnnGruError `ERR_UNSUPPORTED` for more bytes than an ONNX file can have
 */
export function encodeModel(
  { graph: graphProto = {}, ...rest }: Partially<Omit<ModelProto, 'graph'>> & { graph?: Partially<GraphProto> },
  initializers: readonly Initializer[] = [],
): Iterable<Uint8Array> {
  const nodes = encode(graph, graphProto);
  const weights = initializers.map(({ header, byteLength, data }) => {
    const start = encode(tensor, header);
    const own = prefix(rawDataField, byteLength);
    const before = [prefix(initializerField, start.length + own.length + byteLength), start, own];
    return { before, byteLength, data };
  });
  const length = weights.reduce((sum, { before, byteLength }) => sum + sizeOf(before) + byteLength, nodes.length);
  if (length > mostBytes - 2 ** 20) {
    throw new CudnnGruError('ERR_UNSUPPORTED', `an ONNX file holds less than 2 GB, this model needs ${length} bytes`);
  }
  return (function* () {
    yield* [encode(model, rest), prefix(graphField, length), nodes];
    for (const { before, data } of weights) {
      yield* before;
      yield data();
    }
  })();
}

function sizeOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

/** The tag and length of a field whose bytes follow. */
function prefix(field: number, length: number): Uint8Array {
  return new BinaryWriter().tag(field, WireType.LengthDelimited).uint32(length).finish();
}

function encode(schema: Message, values: object): Uint8Array {
  const writer = new BinaryWriter();
  write(writer, schema, values as Record<string, unknown>);
  return writer.finish();
}

function write(writer: BinaryWriter, schema: Message, values: Readonly<Record<string, unknown>>): void {
  for (const [number, [name, kind, many]] of Object.entries(schema) as [string, Field][]) {
    const value = values[name];
    if (value === undefined) continue;
    for (const one of many ? (value as unknown[]) : [value]) writeField(writer, Number(number), kind, one);
  }
}

function writeField(writer: BinaryWriter, number: number, kind: Field[1], value: unknown): void {
  if (kind === 'int') writer.tag(number, WireType.Varint).int64(value as number);
  else if (kind === 'float') writer.tag(number, WireType.Bit32).float(value as number);
  else {
    writer.tag(number, WireType.LengthDelimited);
    if (kind === 'string') writer.string(value as string);
    else if (kind === 'bytes') writer.bytes(value as Uint8Array);
    else {
      writer.fork();
      write(writer, kind, value as Record<string, unknown>);
      writer.join();
    }
  }
}

/** An input or output of a graph. */
export function valueInfo(
  name: string,
  type: 'float32' | 'int32',
  shape: readonly (number | string)[],
): Partially<ValueInfoProto> {
  const dim = shape.map((size) => (typeof size === 'number' ? { dim_value: size } : { dim_param: size }));
  return { name, type: { tensor_type: { elem_type: dataTypes[type], shape: { dim } } } };
}
