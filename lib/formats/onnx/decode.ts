import { WireType } from '@bufbuild/protobuf/wire';
import { CudnnGruError } from '../../errors.js';
import type { ByteSource } from '../byte_source.js';
import { type Field, type Message, type ModelProto, model } from './schema.js';
import { WireReader } from './wire_reader.js';

// A field of two bytes can become an object of some two hundred: so many are decoded at most, whatever the file's size. The largest
// graphs of GRU models have some ten thousand. Weights are one field each, and stay in the file.
const mostFields = 60_000;
// Numbers in lists: shapes, axes, small constants.
const mostNumbers = 1 << 20;

const none: readonly never[] = Object.freeze([]);

/**
 * The message of an ONNX file. Bytes (weights) are parts of `source`, not read yet.
 * @throws CudnnGruError `ERR_FORMAT`, `ERR_UNSUPPORTED` for too large a graph, `ERR_FILE`
 */
export async function decodeModel(source: ByteSource): Promise<ModelProto> {
  try {
    return (await new Decoder(source).message(model, source.size)) as unknown as ModelProto;
  } catch (error) {
    if (error instanceof CudnnGruError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new CudnnGruError('ERR_FORMAT', `not a valid ONNX file: ${reason}; is it truncated?`, { cause: error });
  }
}

class Decoder {
  readonly #wire: WireReader;
  #fields = 0;
  #numbers = 0;

  constructor(source: ByteSource) {
    this.#wire = new WireReader(source);
  }

  /** @param end where the message ends in the source */
  async message(schema: Message, end: number): Promise<Record<string, unknown>> {
    const wire = this.#wire;
    const result: Record<string, unknown> = {};
    for (const [name, , many] of Object.values(schema) as Field[]) if (many) result[name] = none;
    while (wire.position < end) {
      if (!wire.ready) await wire.load();
      const [number, wireType] = wire.tag();
      const field = schema[number];
      if (!field) {
        wire.skip(wireType, end);
        continue;
      }
      const [name, kind, many] = field;
      if (!many) {
        result[name] = await this.#one(kind, wireType, end);
        continue;
      }
      if (result[name] === none) result[name] = [];
      const list = result[name] as unknown[];
      if (isPacked(kind, wireType)) await this.#packed(kind, list as number[], end);
      else list.push(await this.#one(kind, wireType, end));
    }
    if (wire.position !== end) throw new Error('a field reaches beyond its message');
    return result;
  }

  async #one(kind: Field[1], wireType: WireType, end: number): Promise<unknown> {
    if (++this.#fields > mostFields) throw tooLarge(`${mostFields} fields`);
    const expected = kind === 'int' ? WireType.Varint : kind === 'float' ? WireType.Bit32 : WireType.LengthDelimited;
    if (wireType !== expected) throw new Error(`a field of wire type ${wireType}, expected ${expected}`);
    const wire = this.#wire;
    if (kind === 'int') return wire.int();
    if (kind === 'float') return wire.float();
    const length = wire.length(end);
    if (kind === 'string') return wire.text(length);
    return kind === 'bytes' ? wire.part(length) : this.message(kind, wire.position + length);
  }

  async #packed(kind: 'int' | 'float', into: number[], end: number): Promise<void> {
    const wire = this.#wire;
    const last = wire.length(end) + wire.position;
    while (wire.position < last) {
      if (++this.#numbers > mostNumbers) throw tooLarge(`${mostNumbers} numbers in lists`);
      if (!wire.ready) await wire.load();
      into.push(kind === 'int' ? wire.int() : wire.float());
    }
    if (wire.position !== last) throw new Error('a number reaches beyond its list');
  }
}

function tooLarge(what: string): CudnnGruError {
  return new CudnnGruError('ERR_UNSUPPORTED', `an ONNX file of more than ${what}`);
}

function isPacked(kind: Field[1], wireType: WireType): kind is 'int' | 'float' {
  return (kind === 'int' || kind === 'float') && wireType === WireType.LengthDelimited;
}
