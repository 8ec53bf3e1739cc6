import {
  checkBoolean,
  checkInteger,
  checkNumber,
  checkOptions,
  checkPositiveInteger,
  wrongKind,
} from '../arguments.js';
import { dropout, embedding, layerNorm, linear } from '../ops/index.js';
import { fill } from '../ops/result.js';
import { ones, randn, zeros } from '../tensor/creation.js';
import { deviceOf } from '../tensor/device.js';
import { defaultGenerator, type Generator } from '../tensor/generator.js';
import { Tensor } from '../tensor/tensor.js';
import { type Architecture, Module } from './module.js';
import { claimParameters, type LayerOptions, layerOptions, parameter, uniformParameters } from './parameters.js';

export interface LinearOptions extends LayerOptions {
  inputSize: number;
  outputSize: number;
  /** Default: true. */
  bias?: boolean;
}

/**
 * y = x Wᵀ + b over the last axis. Parameters `weight` [outputSize, inputSize] and `bias` [outputSize], initially
 * U(-1/√inputSize, 1/√inputSize), as torch.nn.Linear.
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_UNAVAILABLE`, `ERR_OUT_OF_MEMORY`
 */
export class Linear extends Module {
  readonly inputSize: number;
  readonly outputSize: number;
  weight: Tensor;
  bias: Tensor | null;

  constructor(options: LinearOptions) {
    super();
    checkOptions(options, 'options', ['inputSize', 'outputSize', 'bias', ...layerOptions]);
    this.inputSize = checkPositiveInteger(options.inputSize, 'inputSize');
    this.outputSize = checkPositiveInteger(options.outputSize, 'outputSize');
    const shapes = [[this.outputSize, this.inputSize]];
    if (checkBoolean(options.bias ?? true, 'bias')) shapes.push([this.outputSize]);
    const [weight, bias] = uniformParameters(shapes, 1 / Math.sqrt(this.inputSize), options);
    this.weight = weight as Tensor;
    this.bias = bias ?? null;
  }

  override architecture(): Architecture {
    return {
      type: 'Linear',
      options: { inputSize: this.inputSize, outputSize: this.outputSize, bias: this.bias !== null },
    };
  }

  /** @param x [..., inputSize]. @returns [..., outputSize]. @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_MISMATCH` */
  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }

  override step(x: Tensor): Tensor {
    return this.forward(x);
  }
}

export interface EmbeddingOptions extends LayerOptions {
  vocabularySize: number;
  embeddingSize: number;
  /** A row that stays 0 and receives no gradient. Default: none. */
  paddingIndex?: number;
  /**
   * The share of the vocabulary whose vectors are 0 in a forward pass in training, at every place where they stand; the others are divided
   * by 1 - dropout (Gal and Ghahramani 2016; as in Merity et al. 2018 the same ones in all rows). Default: 0.
   */
  dropout?: number;
  /** Of the initial numbers. With 0.1 words that are rare in training weigh little from the start. Default: 1, as torch.nn.Embedding. */
  standardDeviation?: number;
}

/**
 * A table of vectors: y[i...] = weight[ids[i...]]. Parameter `weight` [vocabularySize, embeddingSize], initially normal, row
 * `paddingIndex` 0, as torch.nn.Embedding.
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_UNAVAILABLE`, `ERR_OUT_OF_MEMORY`
 */
export class Embedding extends Module {
  readonly vocabularySize: number;
  readonly embeddingSize: number;
  readonly paddingIndex: number | undefined;
  readonly dropout: number;
  /** Draws what is dropped; a Trainer puts its own here. */
  generator: Generator;
  weight: Tensor;

  constructor(options: EmbeddingOptions) {
    super();
    checkOptions(options, 'options', [
      'vocabularySize',
      'embeddingSize',
      'paddingIndex',
      'dropout',
      'standardDeviation',
      ...layerOptions,
    ]);
    this.vocabularySize = checkPositiveInteger(options.vocabularySize, 'vocabularySize');
    this.embeddingSize = checkPositiveInteger(options.embeddingSize, 'embeddingSize');
    const { paddingIndex, generator = defaultGenerator } = options;
    this.dropout = checkNumber(options.dropout ?? 0, 'dropout', { min: 0, below: 1 });
    this.generator = generator;
    if (paddingIndex !== undefined)
      checkInteger(paddingIndex, 'paddingIndex', { min: 0, max: this.vocabularySize - 1 });
    this.paddingIndex = paddingIndex;
    const standardDeviation = checkNumber(options.standardDeviation ?? 1, 'standardDeviation', { min: 0 });
    claimParameters(this.vocabularySize * this.embeddingSize);
    const device = deviceOf(options.device).name;
    const drawn = randn([this.vocabularySize, this.embeddingSize], { device, generator });
    if (standardDeviation === 1 && paddingIndex === undefined) {
      this.weight = parameter(drawn);
      return;
    }
    const factors = new Float32Array(this.vocabularySize).fill(standardDeviation);
    if (paddingIndex !== undefined) factors[paddingIndex] = 0;
    const column = zeros([this.vocabularySize, 1], { device });
    column.write(factors);
    this.weight = parameter(drawn.mul(column));
    column.dispose();
    drawn.dispose();
  }

  override architecture(): Architecture {
    return {
      type: 'Embedding',
      options: {
        vocabularySize: this.vocabularySize,
        embeddingSize: this.embeddingSize,
        ...(this.paddingIndex !== undefined && { paddingIndex: this.paddingIndex }),
        ...(this.dropout > 0 && { dropout: this.dropout }),
      },
    };
  }

  /** @param ids int32, any shape. @returns [...ids, embeddingSize]. @throws TypeError, RangeError; see `ops.embedding` */
  forward(ids: Tensor): Tensor {
    const vectors = embedding(ids, this.weight, this.paddingIndex);
    if (!this.training || this.dropout === 0) return vectors;
    const kept = dropout(fill([this.vocabularySize, 1], 1, this.weight.on), this.dropout, this.generator);
    return vectors.mul(embedding(ids, kept));
  }
}

export interface DropoutOptions {
  /** From 0 to below 1. Default: 0.5. */
  probability?: number;
  /** Draws the masks. Default: the one that `setSeed` seeds. */
  generator?: Generator;
}

/**
 * In training, each element becomes 0 with this probability and the others are divided by 1 - probability; else nothing happens.
 *
 * @throws TypeError, RangeError
 */
export class Dropout extends Module {
  readonly probability: number;
  /** Draws the masks; a Trainer puts its own here. */
  generator: Generator;

  /** @param options or the probability alone */
  constructor(options: DropoutOptions | number = {}) {
    super();
    if (typeof options !== 'number') checkOptions(options, 'options', ['probability', 'generator']);
    const { probability = 0.5, generator = defaultGenerator } =
      typeof options === 'number' ? { probability: options } : options;
    this.probability = checkNumber(probability, 'probability', { min: 0, below: 1 });
    this.generator = generator;
  }

  override architecture(): Architecture {
    return { type: 'Dropout', options: { probability: this.probability } };
  }

  forward(x: Tensor): Tensor {
    if (!(x instanceof Tensor)) throw wrongKind('x', 'a Tensor', x);
    return this.training && this.probability > 0 ? dropout(x, this.probability, this.generator) : x;
  }

  override step(x: Tensor): Tensor {
    return x;
  }
}

export interface LayerNormOptions extends LayerOptions {
  /** Length of the last axis. */
  size: number;
  /** Added to the variance. Default: 1e-5. */
  epsilon?: number;
}

/**
 * Normalises the last axis to mean 0 and variance 1, then scales and shifts (Ba et al. 2016). Parameters `weight` [size], initially 1,
 * and `bias` [size], initially 0.
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_UNAVAILABLE`, `ERR_OUT_OF_MEMORY`
 */
export class LayerNorm extends Module {
  readonly size: number;
  readonly epsilon: number;
  weight: Tensor;
  bias: Tensor;

  constructor(options: LayerNormOptions) {
    super();
    checkOptions(options, 'options', ['size', 'epsilon', ...layerOptions]);
    this.size = checkPositiveInteger(options.size, 'size');
    this.epsilon = checkNumber(options.epsilon ?? 1e-5, 'epsilon', { above: 0 });
    const device = deviceOf(options.device).name;
    claimParameters(2 * this.size);
    this.weight = parameter(ones([this.size], { device }));
    this.bias = parameter(zeros([this.size], { device }));
  }

  override architecture(): Architecture {
    return { type: 'LayerNorm', options: { size: this.size, epsilon: this.epsilon } };
  }

  /** @param x [..., size]. @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_MISMATCH` */
  forward(x: Tensor): Tensor {
    return layerNorm(x, this.weight, this.bias, this.epsilon);
  }

  override step(x: Tensor): Tensor {
    return this.forward(x);
  }
}
