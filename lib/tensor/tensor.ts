import { checkShape, wrongKind, wrongRange } from '../arguments.js';
import { backward, type Node, noGrad } from '../autograd/tape.js';
import { CudnnGruError } from '../errors.js';
import { addon } from '../native/load.js';
import * as ops from '../ops/index.js';
import { fill, upload } from '../ops/result.js';
import { turns } from '../turns.js';
import { type Device, type DeviceName, deviceOf } from './device.js';
import { keepFromScope, trackInScope } from './scope.js';
import { flushReleases, type Storage } from './storage.js';

export type DType = 'float32' | 'int32';
/** A tensor's numbers on the host: Float32Array for float32, Int32Array for int32. */
export type TensorData = Float32Array | Int32Array;

// The net below dispose(): a tensor that nobody can reach any more gives its memory back.
const unreachable = new FinalizationRegistry<Storage>((storage) => storage.release());

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((count, dimension) => count * dimension, 1);
}

/**
 * An array of numbers on a device, row-major. Made by `tensor`, `zeros`, `randn` and the operations. Operations only enter the
 * device's queue; the numbers are waited for where they are asked for (`data`, `item`). Memory goes back with `dispose()` (or
 * `using`, or a `scope`); what is forgotten is found by the garbage collector later.
 */
export class Tensor {
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** The gradient that `backward()` left here; null before. Only leaves (tensors not computed from others) get one. */
  grad: Tensor | null = null;

  /** @internal */ readonly storage: Storage;
  /** @internal */ readonly on: Device;
  /** @internal The operation that made this tensor, if it was recorded. */ node: Node | null = null;
  /** @internal */ nodeResult = 0;
  #requiresGrad = false;
  #disposed = false;

  /** @internal Takes over one reference to `storage`. Users call `tensor(...)`. */
  constructor(storage: Storage, shape: readonly number[], dtype: DType, on: Device) {
    this.storage = storage;
    this.shape = shape;
    this.dtype = dtype;
    this.on = on;
    unreachable.register(this, storage, this);
    trackInScope(this);
  }

  /** Where the numbers are: `'cpu'`, `'cuda:0'`. */
  get device(): DeviceName {
    return this.on.name;
  }

  /** The number of elements. */
  get size(): number {
    return this.storage.count;
  }

  get rank(): number {
    return this.shape.length;
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** Whether gradients are computed for this tensor. May be set on leaves of type float32. */
  get requiresGrad(): boolean {
    return this.#requiresGrad;
  }

  set requiresGrad(value: boolean) {
    if (typeof value !== 'boolean') throw wrongKind('requiresGrad', 'true or false', value);
    if (value && this.dtype !== 'float32') throw wrongRange('requiresGrad', 'a float32 tensor', this.dtype);
    if (!value && this.node) {
      throw new CudnnGruError('ERR_NO_GRADIENT', 'requiresGrad can only be changed on leaves; use detach()');
    }
    this.#requiresGrad = value;
  }

  /** @internal The handle for a native call. */
  get handle(): number {
    if (this.#disposed) {
      throw new CudnnGruError('ERR_DISPOSED', `a tensor of shape [${this.shape}] was used after its dispose()`);
    }
    return this.storage.handle;
  }

  /** @internal */
  attach(node: Node, result: number): void {
    this.#requiresGrad = true;
    this.node = node;
    this.nodeResult = result;
  }

  /**
   * The numbers, when everything queued before has run.
   * @throws CudnnGruError the first error of the operations it was computed from (`ERR_OUT_OF_MEMORY`, `ERR_INDEX_OUT_OF_RANGE`).
   */
  async data(): Promise<TensorData> {
    const data = this.#hostArray();
    const handle = this.handle;
    flushReleases();
    await addon.read(handle, data);
    if (turns.due) await turns.next(); // the numbers of brief work are there at once
    return data;
  }

  /** As `data()`, but blocks the event loop until the numbers are there. */
  dataSync(): TensorData {
    const data = this.#hostArray();
    addon.readSync(this.handle, data);
    return data;
  }

  /** The only number of a tensor of one element. @throws RangeError for any other size. */
  async item(): Promise<number> {
    this.#checkSingle();
    return (await this.data())[0] as number;
  }

  /** As `item()`, but blocks the event loop. */
  itemSync(): number {
    this.#checkSingle();
    return this.dataSync()[0] as number;
  }

  /**
   * Computes the gradients of this tensor with respect to every leaf it was computed from, and adds them to the leaves' `grad`
   * (reverse-mode differentiation). Afterwards the graph is freed: a second call needs a second forward pass.
   *
   * @param gradient of this tensor, of the same shape; 1 for a tensor of one element when left out
   * @throws CudnnGruError `ERR_NO_GRADIENT`; RangeError if `gradient` is missing or of another shape.
   */
  backward(gradient?: Tensor): void {
    if (!gradient && this.size !== 1) {
      throw wrongRange('gradient', `a tensor of shape [${this.shape}] (only a single number has a default)`, gradient);
    }
    if (gradient && !(gradient instanceof Tensor)) throw wrongKind('gradient', 'a Tensor', gradient);
    if (gradient && String(gradient.shape) !== String(this.shape)) {
      throw wrongRange('gradient', `shape [${this.shape}]`, gradient.shape);
    }
    this.#checkAlive();
    if (!this.#requiresGrad) {
      throw new CudnnGruError('ERR_NO_GRADIENT', 'backward(): this was not computed from a tensor with requiresGrad');
    }
    backward(
      this,
      noGrad(() => (gradient ? gradient.detach() : fill(this.shape, 1, this.on))),
    );
  }

  /** @internal Adds a gradient to this leaf's. Takes the tensor over. */
  accumulateGrad(gradient: Tensor): void {
    this.grad = keepFromScope(gradient.plus(this.grad));
  }

  /** @internal This tensor plus `other`, in place where nobody else sees the memory. Takes both over. */
  plus(other: Tensor | null): Tensor {
    if (!other) return this;
    const [target, addend] = other.storage.references === 1 ? [other, this] : [this, other];
    if (target.storage.references === 1) {
      addon.accumulate(this.on.index, this.size, addend.handle, target.handle);
      addend.dispose();
      return target;
    }
    const sum = noGrad(() => ops.add(this, other));
    this.dispose();
    other.dispose();
    return sum;
  }

  /** The same numbers (no copy), cut off from the graph. */
  detach(): Tensor {
    this.#checkAlive();
    return new Tensor(this.storage.retain(), this.shape, this.dtype, this.on);
  }

  /** A copy of the numbers in memory of its own. Gradients pass through. */
  clone(): Tensor {
    return ops.clone(this);
  }

  /** This tensor on another device: itself if it is there already, else a copy that is cut off from the graph. */
  to(device: DeviceName | 'auto'): Tensor {
    const target = deviceOf(device);
    if (target === this.on) return this;
    const copy = upload(this.dataSync(), this.shape, target);
    copy.requiresGrad = this.#requiresGrad;
    return copy;
  }

  /** Replaces the numbers in place, in the queue's order. @throws TypeError, RangeError if `data` does not fit. */
  write(data: TensorData): void {
    const expected = this.dtype === 'float32' ? Float32Array : Int32Array;
    if (!(data instanceof expected)) throw wrongKind('data', `a ${expected.name}`, data);
    if (data.length !== this.size) throw wrongRange('data', `${this.size} numbers for shape [${this.shape}]`, data);
    addon.write(this.handle, data);
    this.storage.version++;
  }

  /** Gives the memory back. Commands in the queue, and a graph that still needs the numbers, keep them until they are done. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    unreachable.unregister(this);
    keepFromScope(this);
    this.storage.release();
    this.grad?.dispose();
    this.grad = null;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /**
   * The same numbers (no copy) in another shape of the same size; one dimension may be -1 and is worked out.
   * @throws TypeError, RangeError
   */
  reshape(...shape: number[] | [readonly number[]]): Tensor {
    const dimensions = (Array.isArray(shape[0]) ? [...shape[0]] : shape) as number[];
    const unknown = dimensions.indexOf(-1);
    if (unknown >= 0) {
      const known = elementCount(dimensions.filter((_, index) => index !== unknown));
      dimensions[unknown] = known > 0 ? this.size / known : 0;
    }
    if (!dimensions.every(Number.isInteger) || elementCount(dimensions) !== this.size) {
      throw wrongRange('shape', `dimensions with ${this.size} elements in all`, shape);
    }
    return ops.reshape(this, checkShape(dimensions, 'shape'));
  }

  /** Sum with a tensor (broadcast as in NumPy) or a number. */
  add(other: Tensor | number): Tensor {
    return ops.add(this, other);
  }
  /** Difference, with broadcasting. */
  sub(other: Tensor | number): Tensor {
    return ops.sub(this, other);
  }
  /** Elementwise product, with broadcasting. */
  mul(other: Tensor | number): Tensor {
    return ops.mul(this, other);
  }
  /** Elementwise quotient, with broadcasting. */
  div(other: Tensor | number): Tensor {
    return ops.div(this, other);
  }
  /** Matrix product: see `ops.matmul`. */
  matmul(other: Tensor): Tensor {
    return ops.matmul(this, other);
  }
  tanh(): Tensor {
    return ops.tanh(this);
  }
  sigmoid(): Tensor {
    return ops.sigmoid(this);
  }
  relu(): Tensor {
    return ops.relu(this);
  }
  /** Over the last axis. */
  softmax(): Tensor {
    return ops.softmax(this);
  }
  /** Over the last axis. */
  logSoftmax(): Tensor {
    return ops.logSoftmax(this);
  }
  /** Sum over `axes`, or over everything. */
  sum(axes?: number | readonly number[]): Tensor {
    return ops.sum(this, axes);
  }
  /** Mean over `axes`, or over everything. */
  mean(axes?: number | readonly number[]): Tensor {
    return ops.mean(this, axes);
  }
  /** Elements `start` to `end` (exclusive; negative counts from the end) of one axis. */
  slice(axis: number, start: number, end?: number): Tensor {
    return ops.slice(this, axis, start, end);
  }
  /** Two axes exchanged; the last two when left out. */
  transpose(axisA?: number, axisB?: number): Tensor {
    return ops.transpose(this, axisA, axisB);
  }

  /** What console.log shows: shape, type and place, never the numbers. */
  toString(): string {
    const state = this.#disposed ? ', disposed' : this.#requiresGrad ? ', requiresGrad' : '';
    return `Tensor([${this.shape.join(', ')}], ${this.dtype}, ${this.device}${state})`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  #hostArray(): TensorData {
    return hostMemory(this.dtype, this.size);
  }

  #checkSingle(): void {
    if (this.size !== 1) throw wrongRange('item()', 'a tensor of one element', `shape [${this.shape}]`);
  }

  #checkAlive(): void {
    if (this.#disposed) void this.handle;
  }
}

/** @internal @throws CudnnGruError `ERR_OUT_OF_MEMORY` */
export function hostMemory(dtype: DType, count: number): TensorData {
  try {
    return dtype === 'float32' ? new Float32Array(count) : new Int32Array(count);
  } catch (cause) {
    throw new CudnnGruError('ERR_OUT_OF_MEMORY', `no memory on the host for ${count} ${dtype} elements`, { cause });
  }
}
