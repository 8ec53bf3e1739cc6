import { quote } from '../arguments.js';
import { CudnnGruError } from '../errors.js';

// The element types of the safetensors format and how each becomes float32 or int32, the two types of this library.

/** The size of each element type in bits. */
export const BITS = {
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  BOOL: 8,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

export type ElementType = keyof typeof BITS;

export function isElementType(name: unknown): name is ElementType {
  return typeof name === 'string' && Object.hasOwn(BITS, name);
}

interface Conversion {
  readonly into: 'float32' | 'int32';
  /** The value at a byte position; little-endian. */
  readonly at: (bytes: DataView, position: number) => number;
}

// A number outside int32 is carried as it is and refused by `convert`, which can name it.
const CONVERSIONS: Partial<Record<ElementType, Conversion>> = {
  F32: { into: 'float32', at: (bytes, position) => bytes.getFloat32(position, true) },
  F64: { into: 'float32', at: (bytes, position) => bytes.getFloat64(position, true) },
  F16: { into: 'float32', at: (bytes, position) => halfToNumber(bytes.getUint16(position, true)) },
  BF16: { into: 'float32', at: (bytes, position) => bfloatToNumber(bytes.getUint16(position, true)) },
  BOOL: { into: 'int32', at: (bytes, position) => (bytes.getUint8(position) === 0 ? 0 : 1) },
  U8: { into: 'int32', at: (bytes, position) => bytes.getUint8(position) },
  I8: { into: 'int32', at: (bytes, position) => bytes.getInt8(position) },
  U16: { into: 'int32', at: (bytes, position) => bytes.getUint16(position, true) },
  I16: { into: 'int32', at: (bytes, position) => bytes.getInt16(position, true) },
  I32: { into: 'int32', at: (bytes, position) => bytes.getInt32(position, true) },
  U32: { into: 'int32', at: (bytes, position) => bytes.getUint32(position, true) },
  I64: { into: 'int32', at: (bytes, position) => Number(bytes.getBigInt64(position, true)) },
  U64: { into: 'int32', at: (bytes, position) => Number(bytes.getBigUint64(position, true)) },
};

/** Whether elements of this type are read as float32 or int32; undefined when this library does not read them. */
export function targetType(type: ElementType): 'float32' | 'int32' | undefined {
  return CONVERSIONS[type]?.into;
}

/** Converts `bytes`, elements of `type`, into `out` from index `start` on. `name` is for the error message. */
export function convert(
  type: ElementType,
  bytes: Uint8Array,
  out: Float32Array | Int32Array,
  start: number,
  name: string,
): void {
  const conversion = CONVERSIONS[type];
  if (conversion === undefined) throw new CudnnGruError('ERR_INTERNAL', `no conversion of ${type}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const step = BITS[type] / 8;
  const count = bytes.byteLength / step;
  for (let i = 0; i < count; i++) {
    const value = conversion.at(view, i * step);
    if (conversion.into === 'int32' && value !== (value | 0)) {
      throw new CudnnGruError('ERR_UNSUPPORTED', `tensor ${quote(name)}: ${value} (${type}) does not fit into int32`);
    }
    out[start + i] = value;
    if (type === 'F64' && Number.isFinite(value) && !Number.isFinite(out[start + i])) {
      throw new CudnnGruError('ERR_UNSUPPORTED', `tensor ${quote(name)}: ${value} (F64) does not fit into float32`);
    }
  }
}

// IEEE 754 binary16: 1 sign bit, 5 exponent bits (bias 15), 10 fraction bits.
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

// A bfloat16 is the upper half of a float32.
const scratch = new DataView(new ArrayBuffer(4));

function bfloatToNumber(bits: number): number {
  scratch.setUint32(0, bits * 0x10000);
  return scratch.getFloat32(0);
}
