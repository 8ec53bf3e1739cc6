import { checkOptions, checkString, wrongKind, wrongRange } from '../../arguments.js';
import { type Architecture, Module } from '../../layers/index.js';
import { buildModule } from '../../layers/registry.js';
import { scope } from '../../tensor/scope.js';
import { Tensor } from '../../tensor/tensor.js';
import { nameProblem } from '../safetensors_header.js';
import { KerasLayer, type Value } from './keras_layers.js';

/** One tensor of a model: the layer that gives it, at which of its calls, and which of its results. As Keras's `keras_history`. */
export type TensorReference = readonly [layer: string, call: number, result: number];

/** One use of a layer. */
export interface LayerCall {
  readonly input: TensorReference;
  readonly initialStates: readonly TensorReference[];
}

export interface KerasModelLayer {
  readonly name: string;
  /** What kind of layer, and its options. */
  readonly architecture: Architecture;
  readonly calls: readonly LayerCall[];
}

export interface KerasModelOptions {
  /** Names of the inputs, in order. */
  readonly inputs: readonly string[];
  readonly layers: readonly KerasModelLayer[];
  readonly outputs: readonly TensorReference[];
}

export interface KerasModelInputs {
  /**
   * Which steps are valid: for each input null, or one number for each step, [batch × time], 0 where there is none. Default: where an
   * Embedding has `mask_zero`, the ids that are not 0, which are read from the tensor: that waits until it is on the device.
   */
  masks?: readonly (ArrayLike<number> | null)[];
}

/**
 * A model as Keras builds them, Sequential or functional: layers that are called on the inputs and on each other's results. Made by
 * `importModel`; it runs, trains and is saved like every module. Parameters are named by Keras's layer: `gru_1.gru.weight_ih_l0`.
 *
 * @throws TypeError, RangeError
 */
export class KerasModel extends Module {
  readonly inputs: readonly string[];
  readonly outputs: readonly TensorReference[];
  readonly layers: readonly KerasLayer[];
  readonly #names: readonly string[];
  readonly #calls: readonly (readonly LayerCall[])[];
  /** Every call in an order in which each comes after those it reads from: which layer, which of its calls. */
  readonly #order: readonly (readonly [layer: number, call: number])[];

  constructor(options: KerasModelOptions) {
    super();
    checkOptions(options, 'options', ['inputs', 'layers', 'outputs']);
    const { inputs, layers, outputs } = options;
    if (!Array.isArray(inputs)) throw wrongKind('inputs', 'an array of names', inputs);
    if (!Array.isArray(layers)) throw wrongKind('layers', 'an array of layers', layers);
    this.inputs = inputs.map((name, index) => checkLayerName(name, `inputs[${index}]`));
    this.#names = layers.map((layer, index) => checkLayerName(layer?.name, `layers[${index}].name`));
    if (new Set([...this.inputs, ...this.#names]).size < inputs.length + layers.length) {
      throw wrongRange('layers', 'names that differ', this.#names);
    }
    this.#calls = layers.map(({ calls, name }) => checkCalls(calls, name));
    this.outputs = checkReferences(outputs, 'outputs');
    this.#order = orderCalls(this.inputs, this.#names, this.#calls);
    this.layers = layers.map(({ architecture }, index) => {
      const layer = buildModule(architecture);
      if (!(layer instanceof KerasLayer)) throw wrongKind(`layers[${index}]`, 'a layer of Keras', architecture.type);
      return layer;
    });
  }

  override *children(): Iterable<[string, Module]> {
    for (const [index, layer] of this.layers.entries()) yield [this.#names[index] as string, layer];
  }

  override architecture(): Architecture {
    const layers = this.layers.map((layer, index) => ({
      name: this.#names[index] as string,
      architecture: { ...layer.architecture() },
      calls: (this.#calls[index] as readonly LayerCall[]).map((call) => ({ ...call })),
    }));
    return { type: 'KerasModel', options: { inputs: this.inputs, layers, outputs: this.outputs } };
  }

  /**
   * @param inputs one tensor for each input, in Keras's order; a model with one input takes it as it is. Ids are int32.
   * @returns the output of a model with one
   * @throws TypeError, RangeError also for a model with several outputs: see `run`; CudnnGruError `ERR_DEVICE_MISMATCH`
   */
  forward(inputs: Tensor | readonly Tensor[], options: KerasModelInputs = {}): Tensor {
    const outputs = this.run(inputs, options);
    if (outputs.length !== 1) throw wrongRange('forward()', 'a model with one output; run() gives all', outputs);
    return outputs[0] as Tensor;
  }

  /**
   * As `forward`, for any number of outputs.
   * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_MISMATCH`
   */
  run(inputs: Tensor | readonly Tensor[], options: KerasModelInputs = {}): Tensor[] {
    checkOptions(options, 'options', ['masks']);
    const given = inputs instanceof Tensor ? [inputs] : inputs;
    if (!Array.isArray(given) || !given.every((tensor) => tensor instanceof Tensor)) {
      throw wrongKind('inputs', 'a Tensor or an array of them', inputs);
    }
    if (given.length !== this.inputs.length) {
      throw wrongRange('inputs', `${this.inputs.length} tensors (${this.inputs.join(', ')})`, given);
    }
    return scope(() => {
      const values = new Map<string, Value>();
      for (const [index, name] of this.inputs.entries()) {
        values.set(key([name, 0, 0]), inputValue(given[index] as Tensor, options.masks?.[index] ?? null, index));
      }
      const resultOf = (reference: TensorReference): Value => {
        const value = values.get(key(reference));
        if (!value) throw wrongRange('layers', 'references to results that layers have', [...reference].join(' '));
        return value;
      };
      for (const [layer, call] of this.#order) {
        const { input, initialStates } = (this.#calls[layer] as readonly LayerCall[])[call] as LayerCall;
        const results = (this.layers[layer] as KerasLayer).forward(
          resultOf(input),
          initialStates.map((state) => resultOf(state).tensor),
        );
        for (const [result, value] of results.entries())
          values.set(key([this.#names[layer] as string, call, result]), value);
      }
      return this.outputs.map((reference) => resultOf(reference).tensor);
    });
  }
}

function key([layer, call, result]: TensorReference): string {
  return `${call} ${result} ${layer}`;
}

function inputValue(tensor: Tensor, mask: ArrayLike<number> | null, index: number): Value {
  if (mask === null) return { tensor, mask: null };
  const [batch = 0, time = 0] = tensor.shape;
  if (mask.length !== batch * time) throw wrongRange(`masks[${index}]`, `${batch} × ${time} numbers`, mask);
  return { tensor, mask: { batch, time, valid: Uint8Array.from(mask, (value) => (value ? 1 : 0)) } };
}

function checkLayerName(value: unknown, what: string): string {
  const name = checkString(value, what);
  const problem = nameProblem(name);
  if (problem !== undefined) throw wrongRange(what, `a name that safetensors allows; this one ${problem}`, name);
  return name;
}

function checkReferences(value: unknown, what: string): TensorReference[] {
  if (!Array.isArray(value)) throw wrongKind(what, 'an array of references', value);
  return value.map((item) => {
    const [layer, call, result] = Array.isArray(item) ? item : [];
    if (typeof layer !== 'string' || !isIndex(call) || !isIndex(result)) {
      throw wrongKind(what, 'references [layer, call, result]', item);
    }
    return [layer, call, result];
  });
}

function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function checkCalls(calls: unknown, name: string): LayerCall[] {
  if (!Array.isArray(calls)) throw wrongKind(`calls of ${name}`, 'an array', calls);
  return calls.map((call) => {
    const [input] = checkReferences([call?.input], `the input of ${name}`) as [TensorReference];
    return { input, initialStates: checkReferences(call?.initialStates, `the initial states of ${name}`) };
  });
}

// Kahn's algorithm: a call is ready when every call that it reads from has run.
function orderCalls(
  inputs: readonly string[],
  names: readonly string[],
  calls: readonly (readonly LayerCall[])[],
): [number, number][] {
  const waiting = new Map<string, [number, number][]>();
  const missing = new Map<string, number>();
  const all = new Set<string>();
  for (const [layer, own] of calls.entries()) {
    for (const [call, { input, initialStates }] of own.entries()) {
      const needs = new Set([input, ...initialStates].map(([from, at]) => `${at} ${from}`));
      missing.set(`${call} ${names[layer]}`, needs.size);
      all.add(`${call} ${names[layer]}`);
      for (const need of needs) waiting.set(need, [...(waiting.get(need) ?? []), [layer, call]]);
    }
  }
  const order: [number, number][] = [];
  const ready = inputs.map((name) => `0 ${name}`);
  for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
    for (const [layer, call] of waiting.get(next) ?? []) {
      const reader = `${call} ${names[layer]}`;
      const left = (missing.get(reader) as number) - 1;
      missing.set(reader, left);
      if (left > 0) continue;
      order.push([layer, call]);
      ready.push(reader);
    }
  }
  if (order.length < all.size) {
    throw wrongRange('layers', 'calls that read from the inputs or from each other, without a circle', [...names]);
  }
  return order;
}
