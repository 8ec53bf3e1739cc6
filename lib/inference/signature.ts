import { CudnnGruError } from '../errors.js';
import { Embedding, GRU, LayerNorm, Linear, type Module, QuantizedGRU, Sequential } from '../layers/index.js';
import type { Lengths } from '../ops/index.js';
import type { DType, Tensor } from '../tensor/tensor.js';

/** An axis of a fixed size, or one whose size each call chooses: the same wherever the word stands. `targetTime`: steps of an answer. */
export type Axis = number | 'batch' | 'time' | 'targetTime';

/** A tensor that a model reads or gives. Its first axis is the batch. */
export interface TensorSpec {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly Axis[];
  /** Of int32: the numbers are row numbers of a table of so many rows. */
  readonly vocabularySize?: number;
}

/** What a model computes, for those who know only its file: tensors in, tensors out, row by row of the batch. */
export interface Signature {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Whether sequences of several lengths may be computed together, padded to the longest. */
  readonly takesLengths: boolean;
  /**
   * @param lengths valid steps of each row; null: all. Only with `takesLengths`
   * @returns tensors in the order of `outputs`, for tensors in the order of `inputs`
   */
  run(inputs: readonly Tensor[], lengths: Lengths | null): Tensor[];
}

/**
 * What a model reads and gives. A class of one's own says so by a method `signature(): Signature`.
 *
 * @throws CudnnGruError `ERR_UNSUPPORTED` for a module that does not say
 */
export function signatureOf(model: Module): Signature {
  if ('signature' in model && typeof model.signature === 'function') return model.signature() as Signature;
  if (isGru(model)) return gruSignature(model);
  if (model instanceof Sequential) return sequentialSignature(model);
  if (model instanceof Linear) return sequentialSignature(new Sequential(model));
  throw unsupported(model, 'it has no signature(), which says what it reads and gives');
}

function unsupported(model: Module, reason: string): CudnnGruError {
  return new CudnnGruError('ERR_UNSUPPORTED', `a ${model.constructor.name} cannot be served: ${reason}`);
}

/** @internal */
export function float32(name: string, ...shape: Axis[]): TensorSpec {
  return { name, dtype: 'float32', shape };
}

function isGru(module: Module): module is GRU | QuantizedGRU {
  return module instanceof GRU || module instanceof QuantizedGRU;
}

function outputFeatures({ bidirectional, hiddenSize }: GRU | QuantizedGRU): number {
  return (bidirectional ? 2 : 1) * hiddenSize;
}

function gruSignature(model: GRU | QuantizedGRU): Signature {
  const states = (model.bidirectional ? 2 : 1) * model.numLayers;
  return {
    inputs: [float32('input', 'batch', 'time', model.inputSize)],
    outputs: [
      float32('output', 'batch', 'time', outputFeatures(model)),
      float32('hidden', 'batch', states, model.hiddenSize),
    ],
    takesLengths: true,
    run([x], lengths) {
      const { output, hidden } = model.forward(batchAndTime(x as Tensor, model.timeMajor), { lengths });
      return [batchAndTime(output, model.timeMajor), hidden.transpose(0, 1)];
    },
  };
}

// [batch, time, ...] from [time, batch, ...] and the other way round.
function batchAndTime(x: Tensor, exchange: boolean): Tensor {
  return exchange ? x.transpose(0, 1) : x;
}

function flat(model: Sequential): Module[] {
  return model.layers.flatMap((layer): Module[] => (layer instanceof Sequential ? flat(layer) : [layer]));
}

function sequentialSignature(model: Sequential): Signature {
  const layers = flat(model);
  const readers = layers.filter((layer) => isGru(layer) || layer instanceof Embedding);
  const steps: Axis[] = readers.length > 0 ? ['batch', 'time'] : ['batch'];
  const timeMajor = readers.some((layer) => isGru(layer) && layer.timeMajor);
  let input: TensorSpec | undefined;
  let features = 0;
  for (const layer of layers) {
    if (layer instanceof Embedding) {
      const { vocabularySize } = layer;
      input ??= { name: 'input', dtype: 'int32', shape: steps, vocabularySize };
      features = layer.embeddingSize;
    } else if (isGru(layer)) {
      input ??= float32('input', ...steps, layer.inputSize);
      features = outputFeatures(layer);
    } else if (layer instanceof Linear) {
      input ??= float32('input', ...steps, layer.inputSize);
      features = layer.outputSize;
    } else if (layer instanceof LayerNorm) {
      input ??= float32('input', ...steps, layer.size);
      features = layer.size;
    }
  }
  if (!input) throw unsupported(model, 'none of its layers says what it reads');
  return {
    inputs: [input],
    outputs: [float32('output', ...steps, features)],
    takesLengths: false,
    run: ([x]) => [batchAndTime(model.forward(batchAndTime(x as Tensor, timeMajor)), timeMajor)],
  };
}
