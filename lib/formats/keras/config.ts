import { quote } from '../../arguments.js';
import { CudnnGruError } from '../../errors.js';
import { jsonProblem } from '../json_limits.js';
import type { LayerCall, TensorReference } from './keras_model.js';

// The architecture of a Keras model, from the JSON that Keras 2 and 3 write.

const MAX_LAYERS = 10_000;

export interface KerasLayerConfig {
  readonly name: string;
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Axes of the input, where the file says it. */
  readonly inputRank: number | undefined;
  readonly calls: readonly LayerCall[];
}

export interface KerasConfig {
  readonly inputs: readonly string[];
  /** Without the inputs, but for `InputLayer`s that count among the layers of a file. In the order of the file. */
  readonly layers: readonly KerasLayerConfig[];
  readonly outputs: readonly TensorReference[];
}

type Json = Readonly<Record<string, unknown>>;

export function malformedConfig(reason: string): CudnnGruError {
  return new CudnnGruError('ERR_FORMAT', `not a Keras model that can be read: ${reason}`);
}

export function unsupported(reason: string): CudnnGruError {
  return new CudnnGruError('ERR_UNSUPPORTED', reason);
}

/** @throws CudnnGruError `ERR_FORMAT`; `ERR_UNSUPPORTED` for a model that is neither Sequential nor functional */
export function parseConfig(text: string): KerasConfig {
  const problem = jsonProblem(text);
  if (problem !== undefined) throw malformedConfig(`its config ${problem}`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw malformedConfig('its config is not JSON');
  }
  const model = asObject(parsed, 'its config');
  const className = String(model.class_name);
  // Keras 1 and early Keras 2 wrote the layers of a Sequential without anything around them.
  const config = Array.isArray(model.config) ? { layers: model.config } : asObject(model.config, 'its config');
  const layers = asArray(config.layers, 'its layers');
  if (layers.length > MAX_LAYERS) throw malformedConfig(`it has more than ${MAX_LAYERS} layers`);
  if (className === 'Sequential') return sequential(layers);
  if (className === 'Functional' || className === 'Model') return functional(config, layers);
  throw unsupported(`the model is a ${quote(className)}; Sequential and functional models can be imported`);
}

function layerOf(value: unknown): Omit<KerasLayerConfig, 'calls'> & { json: Json } {
  const json = asObject(value, 'a layer');
  const config = asObject(json.config, 'the config of a layer');
  const name = config.name ?? json.name;
  if (typeof name !== 'string' || typeof json.class_name !== 'string') throw malformedConfig('a layer has no name');
  const shape = (json.build_config as Json | undefined | null)?.input_shape;
  return { name, className: json.class_name, config, inputRank: Array.isArray(shape) ? shape.length : undefined, json };
}

function sequential(layers: readonly unknown[]): KerasConfig {
  const all = layers.map(layerOf);
  const [first] = all;
  const input = first?.className === 'InputLayer' ? first.name : 'input';
  let last: TensorReference = [input, 0, 0];
  const result: KerasLayerConfig[] = [];
  for (const { json, ...layer } of all) {
    const { name, className } = layer;
    if (className === 'InputLayer') continue;
    result.push({ ...layer, calls: [{ input: last, initialStates: [] }] });
    last = [name, 0, 0];
  }
  // An input without a layer of its own must not be called as a layer is.
  const taken = new Set(result.map(({ name }) => name));
  if (taken.has(input)) throw malformedConfig(`it has two layers named ${quote(input)}`);
  return { inputs: [input], layers: result, outputs: [last] };
}

function functional(config: Json, layers: readonly unknown[]): KerasConfig {
  const all = layers.map(layerOf);
  const result = all
    .filter(({ className }) => className !== 'InputLayer')
    .map(({ json, ...layer }) => ({
      ...layer,
      calls: asArray(json.inbound_nodes, `the calls of ${quote(layer.name)}`).map((node) => callOf(node, layer.name)),
    }));
  return {
    inputs: references(config.input_layers, 'its inputs').map(([name]) => name),
    layers: result,
    outputs: references(config.output_layers, 'its outputs'),
  };
}

// One reference, or a list of them; Keras 3 leaves the outer list away where there is one.
function references(value: unknown, what: string): TensorReference[] {
  const list = asArray(value, what);
  return (typeof list[0] === 'string' ? [list] : list).map((item) => reference(item, what));
}

function reference(value: unknown, what: string): TensorReference {
  const [layer, call, result] = Array.isArray(value) ? value : [];
  if (typeof layer !== 'string' || !isIndex(call) || !isIndex(result)) {
    throw malformedConfig(`${what} refer to no layer`);
  }
  return [layer, call, result];
}

function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

// Keras 3: { args, kwargs } with tensors anywhere inside; Keras 2: a list of [layer, call, result, kwargs], the first of which is the
// input and the others the initial states.
function callOf(node: unknown, name: string): LayerCall {
  const what = `the calls of ${quote(name)}`;
  const found: TensorReference[] = [];
  if (Array.isArray(node)) {
    for (const item of node) {
      found.push(reference(item, what));
      checkArguments(asObject((item as unknown[])[3] ?? {}, what), name);
    }
  } else {
    const { args, kwargs = {} } = asObject(node, what);
    const { initial_state: initialState, ...others } = asObject(kwargs, what);
    checkArguments(others, name);
    found.push(...tensorsIn(args, what), ...tensorsIn(initialState, what));
  }
  const [input, ...initialStates] = found;
  if (!input) throw malformedConfig(`${what} have no input`);
  return { input, initialStates };
}

// What a call is given beside its inputs: nothing that changes what it computes.
function checkArguments(given: Json, name: string): void {
  for (const [argument, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    throw unsupported(`layer ${quote(name)} is called with ${argument}=${JSON.stringify(value).slice(0, 60)}`);
  }
}

function tensorsIn(value: unknown, what: string, depth = 0): TensorReference[] {
  if (depth > 16) throw malformedConfig(`${what} nest too deeply`);
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap((item) => tensorsIn(item, what, depth + 1));
  const { class_name: className, config } = asObject(value, what);
  if (className === '__keras_tensor__') return [reference(asObject(config, what).keras_history, what)];
  throw malformedConfig(`${what} hold a ${quote(String(className))}`);
}

export function asObject(value: unknown, what: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformedConfig(`${what} is no object`);
  return value as Json;
}

function asArray(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw malformedConfig(`${what} are no list`);
  return value;
}
