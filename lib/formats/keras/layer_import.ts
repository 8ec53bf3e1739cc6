import { describe, quote } from '../../arguments.js';
import type { Architecture, StateDict } from '../../layers/index.js';
import { asObject, type KerasLayerConfig, malformedConfig, unsupported } from './config.js';
import { swapGates, transposed, weightFromKernel } from './gates.js';
import { mergeModes } from './keras_gru.js';
import { activationNames } from './keras_layers.js';

// From Keras's config of a layer and its arrays to our layer and its parameters.

/** An array of a Keras file. */
export interface KerasArray {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** One of our layers, its parameters, and what it leaves out. */
export interface ImportedLayer {
  readonly architecture: Architecture;
  readonly parameters: StateDict;
  readonly notes: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;
type Import = (config: Json, arrays: readonly KerasArray[], name: string, inputRank?: number) => ImportedLayer;

const importers: Readonly<Record<string, Import>> = {
  Embedding: importEmbedding,
  GRU: (config, arrays, name) => importGru(config, arrays, name, null),
  Bidirectional: importBidirectional,
  Dense: importDense,
  TimeDistributed: importTimeDistributed,
  Dropout: importDropout,
  LayerNormalization: importLayerNorm,
  Activation: (config, arrays, name) => {
    takeArrays(arrays, [], name);
    return {
      architecture: { type: 'KerasActivation', options: { activation: activation(config, name) } },
      parameters: {},
      notes: [],
    };
  },
};

/** @throws CudnnGruError `ERR_FORMAT`; `ERR_UNSUPPORTED` naming the layer and what it asks for */
export function importLayer(
  { name, className, config, inputRank }: KerasLayerConfig,
  arrays: readonly KerasArray[],
): ImportedLayer {
  const importOne = Object.hasOwn(importers, className) ? importers[className] : undefined;
  if (!importOne) {
    throw unsupported(
      `layer ${quote(name)} is a ${quote(className)}; these can be imported: InputLayer, ${Object.keys(importers).join(', ')}`,
    );
  }
  return importOne(config, arrays, name, inputRank);
}

// The arrays of a layer, which must have these ranks.
function takeArrays(arrays: readonly KerasArray[], ranks: readonly number[], name: string): KerasArray[] {
  const found = arrays.map(({ shape }) => shape);
  const fits = found.length === ranks.length && found.every((shape, index) => shape.length === ranks[index]);
  if (!fits) {
    const shapes = found.map((shape) => describe([...shape])).join(', ');
    throw malformedConfig(
      `layer ${quote(name)} should have ${ranks.length} arrays of ranks ${describe([...ranks])}, not ${shapes || 'none'}`,
    );
  }
  return [...arrays];
}

function checkSizes(array: KerasArray, expected: readonly number[], name: string): void {
  if (String(array.shape) !== String(expected)) {
    throw malformedConfig(
      `an array of layer ${quote(name)} has the shape ${describe([...array.shape])}, not ${describe([...expected])}`,
    );
  }
}

function flag(config: Json, key: string, name: string, fallback: boolean): boolean {
  const value = config[key] ?? fallback;
  if (typeof value !== 'boolean') throw malformedConfig(`${key} of layer ${quote(name)} is neither true nor false`);
  return value;
}

function number(config: Json, key: string, name: string, fallback: number): number {
  const value = config[key] ?? fallback;
  if (typeof value !== 'number') throw malformedConfig(`${key} of layer ${quote(name)} is no number`);
  return value;
}

function refuseFlags(config: Json, keys: readonly string[], name: string): void {
  for (const key of keys) if (config[key]) throw unsupported(`layer ${quote(name)} has ${key}=True`);
}

// A name, or an object around one in newer files.
function functionName(value: unknown): string {
  if (typeof value === 'string') return value;
  const { class_name: className, config } = (value ?? {}) as Json;
  return typeof config === 'string' ? config : String(className ?? value);
}

function activation(config: Json, name: string): string {
  const found =
    config.activation === null || config.activation === undefined ? 'linear' : functionName(config.activation);
  if (!(activationNames as string[]).includes(found)) {
    throw unsupported(`layer ${quote(name)} has the activation ${quote(found)}; known: ${activationNames.join(', ')}`);
  }
  return found;
}

function importEmbedding(config: Json, arrays: readonly KerasArray[], name: string): ImportedLayer {
  if (arrays.length !== 1 && config.lora_rank) throw unsupported(`layer ${quote(name)} has LoRA weights`);
  const [table] = takeArrays(arrays, [2], name) as [KerasArray];
  const [vocabularySize, embeddingSize] = table.shape as [number, number];
  return {
    architecture: {
      type: 'KerasEmbedding',
      options: { vocabularySize, embeddingSize, maskZero: flag(config, 'mask_zero', name, false) },
    },
    parameters: { 'embedding.weight': table },
    notes: [],
  };
}

function importDense(config: Json, arrays: readonly KerasArray[], name: string): ImportedLayer {
  const bias = flag(config, 'use_bias', name, true);
  const [kernel, offset] = takeArrays(arrays, bias ? [2, 1] : [2], name) as [KerasArray, KerasArray?];
  const [inputSize, outputSize] = kernel.shape as [number, number];
  const parameters: StateDict = {
    'linear.weight': { shape: [outputSize, inputSize], data: transposed(kernel.data, inputSize) },
  };
  if (offset) {
    checkSizes(offset, [outputSize], name);
    parameters['linear.bias'] = offset;
  }
  return {
    architecture: {
      type: 'KerasDense',
      options: { inputSize, outputSize, bias, activation: activation(config, name) },
    },
    parameters,
    notes: [],
  };
}

function importTimeDistributed(config: Json, arrays: readonly KerasArray[], name: string): ImportedLayer {
  const { class_name: className, config: inner } = asObject(config.layer, `the layer within ${quote(name)}`);
  if (className !== 'Dense')
    throw unsupported(`layer ${quote(name)} distributes a ${quote(String(className))}; only Dense is known`);
  return importDense(asObject(inner, `the layer within ${quote(name)}`), arrays, name);
}

function importDropout(config: Json, arrays: readonly KerasArray[], name: string): ImportedLayer {
  takeArrays(arrays, [], name);
  if (config.noise_shape) throw unsupported(`layer ${quote(name)} has a noise_shape`);
  const probability = number(config, 'rate', name, 0);
  return { architecture: { type: 'KerasDropout', options: { probability } }, parameters: {}, notes: [] };
}

function importLayerNorm(
  config: Json,
  arrays: readonly KerasArray[],
  name: string,
  inputRank: number | undefined,
): ImportedLayer {
  refuseFlags(config, ['rms_scaling'], name);
  const axis = Array.isArray(config.axis) && config.axis.length === 1 ? config.axis[0] : (config.axis ?? -1);
  if (axis !== -1 && (inputRank === undefined || axis !== inputRank - 1)) {
    throw unsupported(`layer ${quote(name)} has the axis ${JSON.stringify(axis)}; only the last is known`);
  }
  const scale = flag(config, 'scale', name, true);
  const center = flag(config, 'center', name, true);
  const found = takeArrays(
    arrays,
    [scale, center].filter(Boolean).map(() => 1),
    name,
  );
  const size = found[0]?.shape[0];
  if (size === undefined) throw unsupported(`layer ${quote(name)} has neither scale nor center`);
  const gamma = scale ? (found.shift() as KerasArray) : { shape: [size], data: new Float32Array(size).fill(1) };
  const beta = center ? (found.shift() as KerasArray) : { shape: [size], data: new Float32Array(size) };
  checkSizes(beta, [size], name);
  const missing = [...(scale ? [] : ['scale']), ...(center ? [] : ['center'])];
  return {
    architecture: { type: 'KerasLayerNorm', options: { size, epsilon: number(config, 'epsilon', name, 1e-3) } },
    parameters: { 'norm.weight': gamma, 'norm.bias': beta },
    notes: missing.map((what) => `${name}: without ${what} in Keras; here it is a parameter that training changes`),
  };
}

function importBidirectional(config: Json, arrays: readonly KerasArray[], name: string): ImportedLayer {
  const inner = asObject(config.layer, `the layer within ${quote(name)}`);
  const className = String(inner.class_name);
  if (className !== 'GRU')
    throw unsupported(`layer ${quote(name)} is a Bidirectional of ${quote(className)}; only GRU is known`);
  const forward = asObject(inner.config, `the layer within ${quote(name)}`);
  refuseFlags(forward, ['go_backwards'], `${name} (${String(forward.name)})`);
  if (config.backward_layer) checkBackward(forward, config.backward_layer, name);
  const merge = config.merge_mode === null ? 'none' : (config.merge_mode ?? 'concat');
  if (!(mergeModes as readonly unknown[]).includes(merge)) {
    throw unsupported(`layer ${quote(name)} has the merge_mode ${JSON.stringify(merge)}`);
  }
  return importGru(forward, arrays, name, merge as string);
}

// A layer for the second direction is taken where it differs from the first in its direction alone.
function checkBackward(forward: Json, backwardLayer: unknown, name: string): void {
  const { class_name: className, config } = asObject(backwardLayer, `the backward layer of ${quote(name)}`);
  const backward = asObject(config, `the backward layer of ${quote(name)}`);
  const same = [
    'units',
    'reset_after',
    'use_bias',
    'activation',
    'recurrent_activation',
    'dropout',
    'return_sequences',
  ];
  const differs = same.find((key) => JSON.stringify(forward[key]) !== JSON.stringify(backward[key]));
  if (className !== 'GRU' || differs !== undefined || backward.go_backwards !== true) {
    throw unsupported(`layer ${quote(name)} has directions that differ in ${differs ?? 'their class or order'}`);
  }
}

function importGru(config: Json, arrays: readonly KerasArray[], name: string, mergeMode: string | null): ImportedLayer {
  refuseFlags(config, ['stateful', 'time_major'], name);
  for (const [key, expected] of [
    ['activation', 'tanh'],
    ['recurrent_activation', 'sigmoid'],
  ] as const) {
    const found = functionName(config[key] ?? expected);
    if (found !== expected)
      throw unsupported(`layer ${quote(name)} has ${key}=${quote(found)}; only ${expected} is known`);
  }
  const bias = flag(config, 'use_bias', name, true);
  // Keras 1 had no such option, and the cell that it called reset_after=False later.
  const resetAfter = flag(config, 'reset_after', name, false);
  const ranks = bias ? [2, 2, resetAfter ? 2 : 1] : [2, 2];
  const directions = mergeMode === null ? 1 : 2;
  const found = takeArrays(arrays, Array.from({ length: directions }, () => ranks).flat(), name);
  const [kernel, recurrent] = found as [KerasArray, KerasArray];
  const inputSize = kernel.shape[0] as number;
  const hiddenSize = recurrent.shape[0] as number;
  const parameters: StateDict = {};
  for (let direction = 0; direction < directions; direction++) {
    const own = found.slice(direction * ranks.length, (direction + 1) * ranks.length);
    addDirection(parameters, own, direction === 0 ? 'l0' : 'l0_reverse', [inputSize, hiddenSize], name);
  }
  const inputDropout = number(config, 'dropout', name, 0);
  const recurrentDropout = number(config, 'recurrent_dropout', name, 0);
  const notes: string[] = [];
  if (recurrentDropout > 0) notes.push(`${name}: recurrent_dropout=${recurrentDropout} is left out in training`);
  if (inputDropout > 0 && directions === 2)
    notes.push(`${name}: dropout=${inputDropout} is drawn once for both directions`);
  return {
    architecture: {
      type: 'KerasGRU',
      options: {
        inputSize,
        hiddenSize,
        bias,
        variant: resetAfter ? 'resetAfter' : 'resetBefore',
        mergeMode,
        returnSequences: flag(config, 'return_sequences', name, false),
        returnState: flag(config, 'return_state', name, false),
        goBackwards: flag(config, 'go_backwards', name, false),
        zeroMasked: flag(config, 'zero_output_for_mask', name, false),
        inputDropout,
      },
    },
    parameters,
    notes,
  };
}

function addDirection(
  parameters: StateDict,
  [kernel, recurrent, bias]: readonly KerasArray[],
  suffix: string,
  [inputSize, hiddenSize]: readonly [number, number],
  name: string,
): void {
  const rows = 3 * hiddenSize;
  checkSizes(kernel as KerasArray, [inputSize, rows], name);
  checkSizes(recurrent as KerasArray, [hiddenSize, rows], name);
  const add = (kind: string, shape: number[], data: Float32Array) => {
    parameters[`gru.${kind}_${suffix}`] = { shape, data };
  };
  add('weight_ih', [rows, inputSize], weightFromKernel((kernel as KerasArray).data, inputSize));
  add('weight_hh', [rows, hiddenSize], weightFromKernel((recurrent as KerasArray).data, hiddenSize));
  if (!bias) return;
  // Reset-after cells have a row for the input and one for the state; the others have one bias in all.
  checkSizes(bias, bias.shape.length === 2 ? [2, rows] : [rows], name);
  add('bias_ih', [rows], swapGates(bias.data.subarray(0, rows)));
  add('bias_hh', [rows], bias.shape.length === 2 ? swapGates(bias.data.subarray(rows)) : new Float32Array(rows));
}
