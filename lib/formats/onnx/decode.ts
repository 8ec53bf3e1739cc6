import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { CudnnGruError } from '../../errors.js';
import { type Field, type Message, type ModelProto, model } from './schema.js';

// A field of two bytes can become an object of a hundred: so many are decoded at most, whatever the file's size. The largest
// graphs of GRU models have some ten thousand. Weights are one field each, and stay where they are in the file's bytes.
const mostFields = 300_000;

/**
 * The message of an ONNX file. Bytes (weights) are views of `bytes`.
 * @throws CudnnGruError `ERR_FORMAT`
 */
export function decodeModel(bytes: Uint8Array): ModelProto {
  try {
    return new Decoder().message(model, bytes) as unknown as ModelProto;
  } catch (error) {
    if (error instanceof CudnnGruError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new CudnnGruError('ERR_FORMAT', `not a valid ONNX file: ${reason}; is it truncated?`, { cause: error });
  }
}

class Decoder {
  #fields = 0;

  message(schema: Message, bytes: Uint8Array): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    for (const [name, , many] of Object.values(schema) as Field[]) if (many) result[name] = [];
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      const [number, wireType] = reader.tag();
      const field = schema[number];
      if (!field) {
        reader.skip(wireType, number);
        continue;
      }
      const [name, kind, many] = field;
      if (!many) result[name] = this.#one(reader, kind, wireType);
      else if (isPacked(kind, wireType)) this.#packed(reader, kind, result[name] as number[]);
      else (result[name] as unknown[]).push(this.#one(reader, kind, wireType));
    }
    return result;
  }

  #one(reader: BinaryReader, kind: Field[1], wireType: WireType): unknown {
    this.#count();
    const expected = kind === 'int' ? WireType.Varint : kind === 'float' ? WireType.Bit32 : WireType.LengthDelimited;
    if (wireType !== expected) throw new Error(`a field of wire type ${wireType}, expected ${expected}`);
    if (kind === 'int') return Number(reader.int64());
    if (kind === 'float') return reader.float();
    if (kind === 'string') return reader.string();
    const bytes = reader.bytes();
    return kind === 'bytes' ? bytes : this.message(kind, bytes);
  }

  #packed(reader: BinaryReader, kind: 'int' | 'float', into: number[]): void {
    const inner = new BinaryReader(reader.bytes());
    while (inner.pos < inner.len) {
      this.#count();
      into.push(kind === 'int' ? Number(inner.int64()) : inner.float());
    }
  }

  #count(): void {
    if (++this.#fields > mostFields) {
      throw new CudnnGruError('ERR_UNSUPPORTED', `an ONNX file of more than ${mostFields} fields`);
    }
  }
}

function isPacked(kind: Field[1], wireType: WireType): kind is 'int' | 'float' {
  return (kind === 'int' || kind === 'float') && wireType === WireType.LengthDelimited;
}
