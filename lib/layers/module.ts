import { checkBoolean, checkOneOf, checkOptions, hint, wrongKind, wrongRange } from '../arguments.js';
import { CudnnGruError } from '../errors.js';
import type { Stream } from '../inference/stream.js';
import type { StreamStates } from '../inference/stream_states.js';
import { openStream, type StreamOptions } from '../inference/streaming_model.js';
import { type Precision, precisions } from '../ops/gru_quantized.js';
import { upload } from '../ops/result.js';
import { type Device, type DeviceName, deviceOf, synchronize } from '../tensor/device.js';
import { Tensor, type TensorData } from '../tensor/tensor.js';
import { frozenParameter, isParameter, parameter } from './parameters.js';
import { type Quantizable, quantizeInto } from './quantize.js';
import { buildModule } from './registry.js';

/** Anything that JSON can hold. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** A module's kind and its options, from which `loadModel` makes it again. */
export interface Architecture {
  type: string;
  options: JsonValue;
}

/** Numbers of a model by name, on the host: what `stateDict` gives and `loadStateDict` takes. */
export type StateDict = Record<string, { shape: readonly number[]; data: TensorData }>;

/**
 * The base of every layer and model. A tensor or module that is a property of a module is part of it, under the property's name;
 * names of nested ones are joined by dots, as in PyTorch.
 */
export abstract class Module {
  #training = true;

  /** What has to be done to raw data before `forward` (scaling, column names, ...); travels in the model file. */
  preprocessing: JsonValue = null;
  /** How the model came about (data, settings, results); travels in the model file. */
  summary: JsonValue = null;
  /** What `quantize` made this module into; null: nothing, it is in float32 and can be trained. */
  quantization: Precision | null = null;

  /** What the module computes; each module has arguments of its own. */
  abstract forward(...inputs: never[]): unknown;

  /**
   * The kind and options of this module, for the model file. A class of one's own gives its own and is made known to `loadModel` by
   * `registerModule`.
   * @throws CudnnGruError `ERR_UNSUPPORTED` if the class has none
   */
  architecture(): Architecture {
    throw new CudnnGruError(
      'ERR_UNSUPPORTED',
      `${this.constructor.name} cannot be saved: it has no architecture(); define one and call registerModule`,
    );
  }

  /** True between `train()` and `eval()`: whether dropout acts. A new module is in training. */
  get training(): boolean {
    return this.#training;
  }

  /** The modules that are properties of this one, by name; arrays of modules count with their index. */
  *children(): Iterable<[string, Module]> {
    for (const [name, value] of Object.entries(this)) {
      if (value instanceof Module) yield [name, value];
      else if (Array.isArray(value)) {
        for (const [index, item] of value.entries()) if (item instanceof Module) yield [`${name}.${index}`, item];
      }
    }
  }

  /** Every parameter of this module and those inside it, with its name; one that is shared comes once, under its first name. */
  *namedParameters(): Iterable<[string, Tensor]> {
    const seen = new Set<Tensor>();
    for (const [name, tensor] of this.#allNames()) {
      if (seen.has(tensor)) continue;
      seen.add(tensor);
      yield [name, tensor];
    }
  }

  // A tensor is a parameter if a layer or `parameter()` made it one: a state that a module remembers is not.
  *#allNames(): Iterable<[string, Tensor]> {
    for (const [name, value] of Object.entries(this)) if (isParameter(value)) yield [name, value];
    for (const [name, child] of this.children()) {
      for (const [inner, tensor] of child.#allNames()) yield [`${name}.${inner}`, tensor];
    }
  }

  /** Every parameter, once. */
  parameters(): Tensor[] {
    return Array.from(this.namedParameters(), ([, tensor]) => tensor);
  }

  /** Turns dropout on, in this module and those inside it. */
  train(): this {
    return this.#setTraining(true);
  }

  /** Turns dropout off, for evaluation and prediction. */
  eval(): this {
    return this.#setTraining(false);
  }

  #setTraining(training: boolean): this {
    if (training && this.quantization) {
      throw new CudnnGruError(
        'ERR_UNSUPPORTED',
        `train(): this ${this.constructor.name} was quantized to ${this.quantization} and is for inference; train the model it was made from`,
      );
    }
    this.#training = training;
    for (const [, child] of this.children()) child.#setTraining(training);
    return this;
  }

  /**
   * A copy of this model for inference, whose GRU layers (of the variant 'resetAfter') work in low precision: faster, most of all where the
   * weights do not fit into the processor's caches, and smaller, in memory and in `saveModel`'s file. Other layers are copied as they
   * are. The copy cannot be trained. Waits for the parameters; this model stays as it is.
   *
   * @param precision 'int8': a quarter of the memory; initial states must lie in [-1, 1]. 'bfloat16': half, and closer to float32.
   * See `ops.gruQuantized` for what is rounded.
   * @throws TypeError, RangeError; CudnnGruError `ERR_UNSUPPORTED` for a 'resetBefore' GRU, a model that is quantized already or has no
   * `architecture()`, `ERR_FORMAT` for a class that `registerModule` does not know, `ERR_NON_FINITE` for weights that are NaN or infinite
   */
  quantize(precision: Precision): Module {
    checkOneOf(precision, 'precision', precisions);
    if (this.quantization) {
      throw new CudnnGruError('ERR_UNSUPPORTED', `quantize: this model is in ${this.quantization} already`);
    }
    if ('toQuantized' in this) return (this as unknown as Quantizable).toQuantized(precision);
    const copy = buildModule(this.architecture());
    quantizeInto(this, copy, precision);
    return copy.eval();
  }

  /** The parameters' numbers by name, copied to the host, under PyTorch's names; one that is shared is there under each of its names. */
  async stateDict(): Promise<StateDict> {
    const entries = Array.from(this.#allNames(), async ([name, parameter]) => {
      return [name, { shape: parameter.shape, data: await parameter.data() }] as const;
    });
    return Object.fromEntries(await Promise.all(entries));
  }

  /**
   * Replaces the parameters' numbers.
   *
   * @param record by name: tensors, or shapes with numbers as `stateDict()` gives them
   * @param options strict (default true): names that are missing or unknown are errors; otherwise they are left alone
   * @returns the names that were missing and those that are unknown
   * @throws TypeError, RangeError for a wrong shape; CudnnGruError `ERR_FORMAT` naming what is missing or unknown
   */
  async loadStateDict(
    record: Readonly<Record<string, Tensor | StateDict[string]>>,
    options: { strict?: boolean } = {},
  ): Promise<{ missing: string[]; unknown: string[] }> {
    checkOptions(options, 'options', ['strict']);
    if (typeof record !== 'object' || record === null)
      throw wrongKind('record', 'an object of tensors by name', record);
    const strict = checkBoolean(options.strict ?? true, 'strict');
    const own = new Map(this.#allNames());
    const { missing, unknown } = compareNames(own, Object.keys(record), strict);
    const values = new Map<Tensor, TensorData>();
    for (const [name, parameter] of own) {
      if (!Object.hasOwn(record, name)) continue;
      const value = record[name] as Tensor | StateDict[string] | null;
      checkNumbers(name, value, parameter);
      values.set(parameter, value instanceof Tensor ? await value.data() : (value as StateDict[string]).data);
    }
    for (const [parameter, data] of values) parameter.write(data);
    return { missing, unknown };
  }

  /**
   * @internal `loadStateDict` of what is read one tensor after another, so that the numbers are never all there twice. Where reading fails, some
   * parameters are replaced.
   */
  async loadStateDictFrom(names: Iterable<string>, read: (name: string) => Promise<StateDict[string]>): Promise<void> {
    const own = new Map(this.#allNames());
    compareNames(own, [...names], true);
    // What the queue still has to do would make it keep a copy of all that is written.
    await synchronize(this.parameters()[0]?.device);
    for (const [name, parameter] of own) {
      const value = await read(name);
      checkNumbers(name, value, parameter);
      parameter.write(value.data);
    }
  }

  /**
   * Moves every parameter to a device; blocks until the numbers are there. Gradients are dropped: move a model before its optimizer is
   * made.
   */
  to(device: DeviceName | 'auto'): this {
    this.#moveTo(deviceOf(device), new Map());
    return this;
  }

  // A parameter that two modules share stays one.
  #moveTo(target: Device, moved: Map<Tensor, Tensor>): void {
    const own = Object.entries(this).filter(([, value]) => value instanceof Tensor && value.on !== target) as [
      string,
      Tensor,
    ][];
    const first = [...new Set(own.map(([, tensor]) => tensor))].filter((tensor) => !moved.has(tensor));
    for (const [index, tensor] of (first.length > 0 ? this.placeOn(target, first) : []).entries()) {
      moved.set(first[index] as Tensor, tensor);
    }
    for (const [name, tensor] of own) (this as Record<string, unknown>)[name] = moved.get(tensor);
    for (const [, child] of this.children()) child.#moveTo(target, moved);
  }

  /** @internal New tensors on a device with the numbers of these, which are disposed. */
  protected placeOn(device: Device, tensors: readonly Tensor[]): Tensor[] {
    return tensors.map((tensor) => {
      const copy = upload(tensor.dataSync(), tensor.shape, device);
      const placed = tensor.requiresGrad ? parameter(copy) : frozenParameter(copy);
      tensor.dispose();
      return placed;
    });
  }

  /** Numbers that this module alone, without those inside it, keeps of a stream from one frame to the next. */
  get stateSize(): number {
    return 0;
  }

  /**
   * What the module makes of the next frame of each of some streams: one step of `forward`, with the state from before and dropout off.
   * A class of one's own gives its own, of the `step` of the modules inside it and operations that treat each row alone.
   *
   * @param x [batch, inputSize]: one frame of each stream
   * @param states of these streams; a module with a `stateSize` reads and writes its own
   * @returns [batch, outputs]
   * @throws CudnnGruError `ERR_UNSUPPORTED` if the class has none, or reads more than one frame at a time
   */
  step(_x: Tensor, _states: StreamStates): Tensor {
    throw new CudnnGruError('ERR_UNSUPPORTED', `${this.constructor.name} cannot stream: it has no step()`);
  }

  /**
   * A live sequence through this model, one frame at a time, from the state 0; `close()` it when it ends. Thousands may be open: frames
   * of all streams of a model that arrive together are computed together.
   *
   * @throws TypeError, RangeError; CudnnGruError `ERR_UNSUPPORTED` naming what cannot stream (a bidirectional GRU),
   * `ERR_DEVICE_MISMATCH`, `ERR_OUT_OF_MEMORY`
   */
  createStream(options: StreamOptions = {}): Stream {
    return openStream(this, options);
  }

  /** Gives every parameter's memory back. */
  dispose(): void {
    for (const parameter of this.parameters()) parameter.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function compareNames(
  own: ReadonlyMap<string, Tensor>,
  given: readonly string[],
  strict: boolean,
): { missing: string[]; unknown: string[] } {
  const names = new Set(given);
  const missing = [...own.keys()].filter((name) => !names.has(name));
  const unknown = given.filter((name) => !own.has(name));
  if (strict && missing.length + unknown.length > 0) {
    const parts = [
      ...missing.map((name) => `${name} is missing`),
      ...unknown.map((name) => `${name} is unknown${hint(name, own.keys())}`),
    ];
    throw new CudnnGruError(
      'ERR_FORMAT',
      `loadStateDict: ${parts.slice(0, 8).join('; ')}${parts.length > 8 ? '; ...' : ''}`,
    );
  }
  return { missing, unknown };
}

function checkNumbers(name: string, value: Tensor | StateDict[string] | null, parameter: Tensor): void {
  const expected = parameter.dtype === 'int32' ? Int32Array : Float32Array;
  const isNumbers = value instanceof Tensor || value?.data instanceof expected;
  if (!value || !isNumbers || !Array.isArray(value.shape)) {
    throw wrongKind(`record[${JSON.stringify(name)}]`, `a Tensor, or { shape, data: ${expected.name} }`, value);
  }
  if (String(value.shape) !== String(parameter.shape)) {
    throw wrongRange(`record[${JSON.stringify(name)}]`, `shape [${parameter.shape.join(', ')}]`, [...value.shape]);
  }
}
