import { describe, quote } from '../../arguments.js';
import { CudnnGruError } from '../../errors.js';
import { type ByteSource, readElements } from '../byte_source.js';
import { BITS, type ElementType } from '../element_types.js';
import { gatherStrided } from '../strided.js';
import { PickleGlobal, PickleObject, type PickleValue } from './pickle.js';

// What PyTorch's pickles say of tensors: a storage by its key, and where in it the tensor lies.

/** A run of elements, which one tensor or several look into. */
export class StorageReference extends PickleObject {
  readonly kind = 'storage';
  constructor(
    readonly key: string,
    readonly type: ElementType,
    /** Elements, as the pickle says. */
    readonly count: number,
    /** In elements from the start of the storage with this key: old files have views of storages. */
    readonly start: number,
  ) {
    super();
  }
}

/** Element (i, j, ...) lies at offset + i strides[0] + j strides[1] + ... of the storage. */
export class TensorView extends PickleObject {
  readonly kind = 'tensor';
  constructor(
    readonly storage: StorageReference,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {
    super();
  }

  get count(): number {
    return this.shape.reduce((product, dimension) => product * dimension, 1);
  }

  get byteLength(): number {
    return (this.count * BITS[this.storage.type]) / 8;
  }

  /** Two views with the same text are the same tensor. */
  get identity(): string {
    const { storage } = this;
    return `${storage.key} ${storage.type} ${storage.start + this.offset} ${this.shape} ${this.strides}`;
  }
}

const storageTypes: Readonly<Record<string, ElementType>> = {
  FloatStorage: 'F32',
  DoubleStorage: 'F64',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
};

function malformed(reason: string): CudnnGruError {
  return new CudnnGruError('ERR_FORMAT', `not a PyTorch file that can be read: ${reason}`);
}

/** The names that a pickle of a state_dict may use. */
export const tensorGlobals: ReadonlyMap<string, PickleGlobal> = new Map(
  [
    ...Object.keys(storageTypes).map((name) => new PickleGlobal(`torch.${name}`)),
    new PickleGlobal('collections.OrderedDict', orderedDictionary),
    new PickleGlobal('torch.Size', ([size]) => size ?? []),
    new PickleGlobal('torch._utils._rebuild_tensor_v2', rebuildTensor),
    new PickleGlobal('torch._utils._rebuild_parameter', ([tensor]) => tensor ?? null),
    new PickleGlobal('torch._utils._rebuild_parameter_with_state', ([tensor]) => tensor ?? null),
  ].map((global) => [global.name, global]),
);

function orderedDictionary(args: readonly PickleValue[]): PickleValue {
  if (args.length > 0) throw malformed('it makes a dictionary from something');
  return new Map();
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isCount);
}

function rebuildTensor([storage, offset, shape, strides]: readonly PickleValue[]): TensorView {
  if (!(storage instanceof StorageReference)) throw malformed('a tensor has no storage');
  if (!isCount(offset) || !isCounts(shape) || !isCounts(strides) || shape.length !== strides.length) {
    throw malformed('a tensor has no valid shape');
  }
  const view = new TensorView(storage, offset, shape, strides);
  // A number too large to be exact is too large for every storage.
  const last = shape.reduce((sum, dimension, axis) => sum + (dimension - 1) * (strides[axis] as number), offset);
  if (view.count > 0 && !(last < storage.count)) {
    throw malformed(`a tensor of shape ${describe(shape)} reaches beyond its storage of ${storage.count} elements`);
  }
  if (view.count > storage.count) {
    throw new CudnnGruError(
      'ERR_UNSUPPORTED',
      `a tensor of shape ${describe(shape)} repeats the ${storage.count} elements of its storage; save tensor.contiguous()`,
    );
  }
  return view;
}

/** `('storage', type, key, location, elements)`, in old files with `(key, offset, elements)` of a view of the storage, or None. */
export function storageReference(id: PickleValue): StorageReference {
  const [kind, type, key, , count, view = null] = Array.isArray(id) ? id : [];
  if (kind !== 'storage' || !(type instanceof PickleGlobal) || typeof key !== 'string' || !isCount(count)) {
    throw malformed('its persistent identifiers are not those of storages');
  }
  const elementType = storageTypes[type.name.slice('torch.'.length)];
  if (!elementType) throw malformed(`it has a storage of type ${quote(type.name)}`);
  if (view === null) return new StorageReference(key, elementType, count, 0);
  const [, start, viewCount] = Array.isArray(view) ? view : [];
  if (!isCount(start) || !isCount(viewCount) || start + viewCount > count) throw malformed('a view leaves its storage');
  return new StorageReference(key, elementType, viewCount, start);
}

/**
 * The elements of a tensor in row-major order.
 *
 * @param source the bytes of its storage
 * @throws CudnnGruError `ERR_FORMAT`, `ERR_UNSUPPORTED`, `ERR_OUT_OF_MEMORY`
 */
export async function readView(
  view: TensorView,
  source: ByteSource,
  name: string,
  bigEndian: boolean,
): Promise<Float32Array | Int32Array> {
  const { storage, shape, strides, count } = view;
  const size = BITS[storage.type] / 8;
  if ((storage.start + storage.count) * size > source.size) {
    throw malformed(`tensor ${quote(name)}: its storage has ${source.size} bytes, fewer than the pickle says`);
  }
  const position = (storage.start + view.offset) * size;
  const reach = count === 0 ? 0 : shape.reduce((sum, n, axis) => sum + (n - 1) * (strides[axis] as number), 1);
  const run = await readElements(source, { type: storage.type, position, count: reach, bigEndian }, name);
  return isRowMajor(view) ? run : gatherStrided(run, shape, strides);
}

function isRowMajor({ shape, strides }: TensorView): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis] as number;
  }
  return true;
}
