import { checkBoolean, checkOneOf, checkOptions } from '../../arguments.js';
import { CudnnGruError } from '../../errors.js';
import {
  type Architecture,
  Dropout,
  type DropoutOptions,
  Embedding,
  type EmbeddingOptions,
  LayerNorm,
  type LayerNormOptions,
  Linear,
  type LinearOptions,
  Module,
} from '../../layers/index.js';
import { logSoftmax, relu, sigmoid, softmax, tanh } from '../../ops/index.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { StepMask } from './valid_steps.js';

// Keras's layers, each made of one of ours and what Keras adds to it.

/** A tensor on its way through a Keras model, and which of its steps are valid; null: all, or it has no steps. */
export interface Value {
  readonly tensor: Tensor;
  readonly mask: StepMask | null;
}

/** What each layer of a Keras model does. */
export abstract class KerasLayer extends Module {
  /**
   * @param initialStates of a recurrent layer, one for each direction; none: zeros
   * @returns what the layer gives, in Keras's order
   */
  abstract override forward(x: Value, initialStates?: readonly Tensor[]): readonly Value[];
}

/** @internal Refuses states for a layer that has none. */
function checkStateless(states: readonly Tensor[] | undefined, type: string): void {
  if (states && states.length > 0) {
    throw new CudnnGruError('ERR_UNSUPPORTED', `${type}: only recurrent layers take more than one input`);
  }
}

const activations = {
  linear: (x: Tensor) => x,
  relu,
  tanh,
  sigmoid,
  softmax,
  log_softmax: logSoftmax,
};

export type ActivationName = keyof typeof activations;

export const activationNames = Object.keys(activations) as ActivationName[];

export interface KerasActivationOptions {
  activation: ActivationName;
}

export class KerasActivation extends KerasLayer {
  readonly activation: ActivationName;

  constructor(options: KerasActivationOptions) {
    super();
    checkOptions(options, 'options', ['activation']);
    this.activation = checkOneOf(options.activation, 'activation', activationNames);
  }

  override architecture(): Architecture {
    return { type: 'KerasActivation', options: { activation: this.activation } };
  }

  override forward({ tensor, mask }: Value, states?: readonly Tensor[]): Value[] {
    checkStateless(states, 'Activation');
    return [{ tensor: activations[this.activation](tensor), mask }];
  }
}

export interface KerasDenseOptions extends LinearOptions {
  activation: ActivationName;
}

export class KerasDense extends KerasLayer {
  readonly linear: Linear;
  readonly activation: ActivationName;

  constructor({ activation, ...options }: KerasDenseOptions) {
    super();
    this.activation = checkOneOf(activation, 'activation', activationNames);
    this.linear = new Linear(options);
  }

  override architecture(): Architecture {
    const { inputSize, outputSize, bias } = this.linear;
    const options = { inputSize, outputSize, bias: bias !== null, activation: this.activation };
    return { type: 'KerasDense', options };
  }

  override forward({ tensor, mask }: Value, states?: readonly Tensor[]): Value[] {
    checkStateless(states, 'Dense');
    return [{ tensor: activations[this.activation](this.linear.forward(tensor)), mask }];
  }
}

export interface KerasEmbeddingOptions extends Omit<EmbeddingOptions, 'paddingIndex'> {
  /** Whether id 0 stands for no step. Its row is a vector like the others. */
  maskZero: boolean;
}

export class KerasEmbedding extends KerasLayer {
  readonly embedding: Embedding;
  readonly maskZero: boolean;

  constructor({ maskZero, ...options }: KerasEmbeddingOptions) {
    super();
    this.maskZero = checkBoolean(maskZero, 'maskZero');
    this.embedding = new Embedding(options);
  }

  override architecture(): Architecture {
    const { vocabularySize, embeddingSize } = this.embedding;
    return { type: 'KerasEmbedding', options: { vocabularySize, embeddingSize, maskZero: this.maskZero } };
  }

  /** A mask that comes with the ids is taken as it is; else the ids are read, which waits until they are on the device. */
  override forward({ tensor, mask }: Value, states?: readonly Tensor[]): Value[] {
    checkStateless(states, 'Embedding');
    return [{ tensor: this.embedding.forward(tensor), mask: this.maskZero ? (mask ?? nonZero(tensor)) : null }];
  }
}

function nonZero(ids: Tensor): StepMask {
  const [batch, time] = ids.shape as [number, number];
  return { batch, time, valid: Uint8Array.from(ids.dataSync(), (id) => (id === 0 ? 0 : 1)) };
}

export class KerasDropout extends KerasLayer {
  readonly dropout: Dropout;

  constructor(options: DropoutOptions) {
    super();
    this.dropout = new Dropout(options);
  }

  override architecture(): Architecture {
    return { type: 'KerasDropout', options: { probability: this.dropout.probability } };
  }

  override forward({ tensor, mask }: Value, states?: readonly Tensor[]): Value[] {
    checkStateless(states, 'Dropout');
    return [{ tensor: this.dropout.forward(tensor), mask }];
  }
}

export class KerasLayerNorm extends KerasLayer {
  readonly norm: LayerNorm;

  constructor(options: LayerNormOptions) {
    super();
    this.norm = new LayerNorm(options);
  }

  override architecture(): Architecture {
    return { type: 'KerasLayerNorm', options: { size: this.norm.size, epsilon: this.norm.epsilon } };
  }

  override forward({ tensor, mask }: Value, states?: readonly Tensor[]): Value[] {
    checkStateless(states, 'LayerNormalization');
    return [{ tensor: this.norm.forward(tensor), mask }];
  }
}
