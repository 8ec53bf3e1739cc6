import { checkString, quote, wrongKind } from '../../arguments.js';
import { CudnnGruError } from '../../errors.js';
import { Dropout, Embedding, GRU, LayerNorm, Linear, Module, type StateDict } from '../../layers/index.js';
import { isParameter } from '../../layers/parameters.js';
import { writeFileAtomically } from '../files.js';
import { kernelFromWeight, swapGates, transposed } from './gates.js';
import { type Hdf5Array, writeHdf5 } from './hdf5.js';
import { KerasActivation, KerasLayer } from './keras_layers.js';
import { KerasModel } from './keras_model.js';
import type { KerasArray } from './layer_import.js';
import { arrayPlaces, LayerGroups } from './weights.js';

/** One layer of the Keras model that takes the weights. */
interface ExportedLayer {
  className: string;
  /** Keras's name of the layer, where the model came from Keras. */
  name: string | undefined;
  /** For each place within the layer's group, its arrays in Keras's order; made when they are written. */
  arrays: (() => KerasArray[])[];
}

/**
 * Writes a model's parameters as a `.weights.h5` file for `load_weights` of a Keras 3 model with the same layers in the same order. A
 * `GRU` of several layers is as many layers there; `bidirectional` is `Bidirectional(GRU(...))`; `variant: 'resetBefore'` is
 * `reset_after=False`; `Linear` is `Dense`. Keras's `LayerNormalization` needs the `epsilon` of ours. A model that came from Keras fits the
 * model it came from, with `TimeDistributed(Dense)` as `Dense`.
 *
 * @param path ends in `.weights.h5`, or Keras does not read it
 * @throws TypeError; CudnnGruError `ERR_FILE`; `ERR_UNSUPPORTED` for layers that Keras does not have, and where h5wasm is not installed
 */
export async function exportKeras(path: string, model: Module): Promise<void> {
  if (!checkString(path, 'path').endsWith('.weights.h5')) {
    throw new CudnnGruError(
      'ERR_UNSUPPORTED',
      `${quote(path)}: Keras reads weights from names that end in .weights.h5`,
    );
  }
  if (!(model instanceof Module)) throw wrongKind('model', 'a Module', model);
  const parameters = model.parameters();
  if (parameters.length === 0) throw new CudnnGruError('ERR_UNSUPPORTED', 'the model has no parameters to write');
  const layers = [...layersOf(model, '', await model.stateDict())];
  const groups = new LayerGroups();
  const names: Record<string, string> = {};
  const arrays = function* (): Iterable<Hdf5Array> {
    for (const layer of layers) {
      const group = groups.next(layer.className);
      if (layer.name !== undefined) names[`${group}/vars`] = layer.name;
      for (const [index, place] of arrayPlaces(layer.className).entries()) {
        const own = layer.arrays[index]?.() ?? [];
        for (const [number, array] of own.entries()) yield { path: `${group}/${place}/${number}`, ...array };
      }
    }
  };
  const largest = Math.max(...parameters.map(({ size }) => 4 * size));
  await writeFileAtomically(path, (_, temporary) => writeHdf5(temporary, arrays(), largest, names));
}

function* layersOf(module: Module, prefix: string, state: StateDict, name?: string): Iterable<ExportedLayer> {
  const numbers = (parameter: string) => state[prefix + parameter]?.data as Float32Array;
  const own = (className: string, ...arrays: (() => KerasArray[])[]): ExportedLayer => ({ className, name, arrays });
  if (module.quantization) {
    throw new CudnnGruError('ERR_UNSUPPORTED', `the model is quantized to ${module.quantization}: export the original`);
  }
  if (module instanceof GRU) yield* gruLayers(module, numbers, name);
  else if (module instanceof Linear) {
    const { inputSize, outputSize, bias } = module;
    yield own('Dense', () => {
      const kernel = { shape: [inputSize, outputSize], data: transposed(numbers('weight'), outputSize) };
      return bias ? [kernel, { shape: [outputSize], data: numbers('bias') }] : [kernel];
    });
  } else if (module instanceof Embedding) {
    const shape = [module.vocabularySize, module.embeddingSize];
    yield own('Embedding', () => [{ shape, data: numbers('weight') }]);
  } else if (module instanceof LayerNorm) {
    const shape = [module.size];
    yield own('LayerNormalization', () => [
      { shape, data: numbers('weight') },
      { shape, data: numbers('bias') },
    ]);
  } else if (module instanceof Dropout) yield own('Dropout');
  else if (module instanceof KerasActivation) yield own('Activation');
  else {
    const strange = Object.entries(module).find(([, value]) => isParameter(value))?.[0];
    if (strange !== undefined) {
      throw new CudnnGruError(
        'ERR_UNSUPPORTED',
        `${module.constructor.name} has no counterpart in Keras (${prefix}${strange})`,
      );
    }
    for (const [child, inner] of module.children()) {
      // A layer of Keras is made of one of ours, and of dropout on a GRU's input, which is no layer there.
      if (module instanceof KerasLayer && inner instanceof Dropout && child === 'inputDropout') continue;
      const childName = module instanceof KerasModel ? child : module instanceof KerasLayer ? name : undefined;
      yield* layersOf(inner, `${prefix}${child}.`, state, childName);
    }
  }
}

function* gruLayers(
  gru: GRU,
  numbers: (parameter: string) => Float32Array,
  name: string | undefined,
): Iterable<ExportedLayer> {
  const { hiddenSize, numLayers, bidirectional } = gru;
  const directions = bidirectional ? ['', '_reverse'] : [''];
  for (let layer = 0; layer < numLayers; layer++) {
    const inputSize = layer === 0 ? gru.inputSize : directions.length * hiddenSize;
    const arrays = directions.map(
      (direction) => () => cellArrays(gru, inputSize, (kind) => numbers(`${kind}_l${layer}${direction}`)),
    );
    yield { className: bidirectional ? 'Bidirectional' : 'GRU', name, arrays };
  }
}

function cellArrays(gru: GRU, inputSize: number, numbers: (kind: string) => Float32Array): KerasArray[] {
  const { hiddenSize, bias, variant } = gru;
  const columns = 3 * hiddenSize;
  const arrays: KerasArray[] = [
    { shape: [inputSize, columns], data: kernelFromWeight(numbers('weight_ih'), inputSize) },
    { shape: [hiddenSize, columns], data: kernelFromWeight(numbers('weight_hh'), hiddenSize) },
  ];
  if (!bias) return arrays;
  const [input, recurrent] = [swapGates(numbers('bias_ih')), swapGates(numbers('bias_hh'))];
  if (variant === 'resetAfter') {
    const both = new Float32Array(2 * columns);
    both.set(input);
    both.set(recurrent, columns);
    arrays.push({ shape: [2, columns], data: both });
  } else {
    // The cell adds both biases at the same place.
    arrays.push({ shape: [columns], data: input.map((value, index) => value + (recurrent[index] as number)) });
  }
  return arrays;
}
