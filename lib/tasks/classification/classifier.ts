import {
  checkBoolean,
  checkNumber,
  checkOneOf,
  checkOptions,
  checkPositiveInteger,
  wrongKind,
} from '../../arguments.js';
import { CudnnGruError } from '../../errors.js';
import { registerModule } from '../../formats/models.js';
import { float32, type Signature } from '../../inference/signature.js';
import type { StreamStates } from '../../inference/stream_states.js';
import { GRU } from '../../layers/gru.js';
import { Dropout, Embedding, Linear } from '../../layers/layers.js';
import { type Architecture, Module } from '../../layers/module.js';
import { type LayerOptions, layerOptions } from '../../layers/parameters.js';
import { concat, type Lengths, maskedMax, maskedMean } from '../../ops/index.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { AttentionPooling } from './attention_pooling.js';

/**
 * What the output layer reads: the last states; the mean or the maximum of the outputs over the valid steps, or both side by side; or their
 * mean weighed by attention, see `AttentionPooling`.
 */
export type Pooling = 'last' | 'mean' | 'max' | 'meanMax' | 'attention';

// Of embeddings. Logistic regression begins at 0; words that come once or twice in training must not shout.
const initialDeviation = 0.1;

const poolings = ['last', 'mean', 'max', 'meanMax', 'attention'] as const;

export interface ClassifierOptions extends LayerOptions {
  /** How many classes there are. */
  classes: number;
  /** Features of each step; not together with `vocabularySize`. */
  inputSize?: number;
  /** Tokens that are known, for sequences of token numbers. */
  vocabularySize?: number;
  /** Features of a token. Default: 64. */
  embeddingSize?: number;
  /** The share of the vocabulary that is left out of a training step, see `Embedding`. Default: 0. */
  embeddingDropout?: number;
  /** Features of the hidden state. Default: 64. */
  hiddenSize?: number;
  /** Stacked layers. Default: 1. */
  numLayers?: number;
  /** Default: true. */
  bidirectional?: boolean;
  /** Dropout after the embedding, between the layers and before the output layer, in training. Default: 0. */
  dropout?: number;
  /** Default: 'last'. */
  pooling?: Pooling;
}

/**
 * Tells the class of a sequence: a GRU reads it, from both ends unless told otherwise, and a linear layer turns what it makes of it into
 * one score for each class:
 *
 *     logits = W pool(GRU(x)) + b
 *
 * Sequences of token numbers go through an embedding first.
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_UNAVAILABLE`, `ERR_OUT_OF_MEMORY`
 */
export class Classifier extends Module {
  readonly classes: number;
  readonly pooling: Pooling;
  readonly embedding: Embedding | null;
  readonly gru: GRU;
  readonly dropout: Dropout;
  /** Only with the pooling 'attention'. */
  readonly attention: AttentionPooling | null;
  readonly head: Linear;

  constructor(options: ClassifierOptions) {
    super();
    checkOptions(options, 'options', [
      'classes',
      'inputSize',
      'vocabularySize',
      'embeddingSize',
      'embeddingDropout',
      'hiddenSize',
      'numLayers',
      'bidirectional',
      'dropout',
      'pooling',
      ...layerOptions,
    ]);
    const {
      classes,
      inputSize,
      vocabularySize,
      embeddingSize = 64,
      hiddenSize = 64,
      numLayers = 1,
      ...others
    } = options;
    const { bidirectional: both = true, embeddingDropout = 0, dropout = 0, pooling = 'last', ...place } = others;
    this.classes = checkPositiveInteger(classes, 'classes');
    this.pooling = checkOneOf(pooling, 'pooling', poolings);
    const bidirectional = checkBoolean(both, 'bidirectional');
    checkNumber(dropout, 'dropout', { min: 0, below: 1 });
    if ((inputSize === undefined) === (vocabularySize === undefined)) {
      throw wrongKind('inputSize', 'a number of features, or a vocabularySize instead', inputSize);
    }
    this.embedding =
      vocabularySize === undefined
        ? null
        : new Embedding({
            vocabularySize,
            embeddingSize,
            dropout: embeddingDropout,
            standardDeviation: initialDeviation,
            ...place,
          });
    this.gru = new GRU({
      inputSize: inputSize ?? embeddingSize,
      hiddenSize,
      numLayers,
      bidirectional,
      dropout: numLayers > 1 ? dropout : 0,
      ...place,
    });
    this.dropout = new Dropout({ probability: dropout, ...(place.generator && { generator: place.generator }) });
    const size = (bidirectional ? 2 : 1) * hiddenSize;
    this.attention = pooling === 'attention' ? new AttentionPooling({ inputSize: size, ...place }) : null;
    this.head = new Linear({ inputSize: pooling === 'meanMax' ? 2 * size : size, outputSize: classes, ...place });
  }

  override architecture(): Architecture {
    const { inputSize, hiddenSize, numLayers, bidirectional } = this.gru;
    const { embedding, classes, pooling } = this;
    const input = embedding
      ? {
          vocabularySize: embedding.vocabularySize,
          embeddingSize: embedding.embeddingSize,
          ...(embedding.dropout > 0 && { embeddingDropout: embedding.dropout }),
        }
      : { inputSize };
    const options = {
      classes,
      ...input,
      hiddenSize,
      numLayers,
      bidirectional,
      dropout: this.dropout.probability,
      pooling,
    };
    return { type: 'Classifier', options };
  }

  /** `forward` as the server offers it. */
  signature(): Signature {
    const { embedding, gru, classes } = this;
    const steps = ['batch', 'time'] as const;
    return {
      inputs: [
        embedding
          ? { name: 'input', dtype: 'int32', shape: steps, vocabularySize: embedding.vocabularySize }
          : float32('input', ...steps, gru.inputSize),
      ],
      outputs: [float32('logits', 'batch', classes)],
      takesLengths: true,
      run: ([x], lengths) => [this.forward(x as Tensor, { lengths: lengths ?? undefined })],
    };
  }

  /**
   * @param x [batch, time, inputSize], or int32 [batch, time] of token numbers
   * @param inputs lengths: valid steps of each row, at least 1; default: all
   * @returns the logits, [batch, classes]
   * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_MISMATCH`
   */
  forward(x: Tensor, inputs: { lengths?: Lengths | undefined } = {}): Tensor {
    checkOptions(inputs, 'inputs', ['lengths']);
    return scope(() => {
      const steps = this.embedding ? this.dropout.forward(this.embedding.forward(x)) : x;
      return this.head.forward(this.dropout.forward(this.#pool(steps, inputs.lengths)));
    });
  }

  /** Features of a step; undefined for sequences of token numbers. */
  get inputSize(): number | undefined {
    return this.embedding ? undefined : this.gru.inputSize;
  }

  /**
   * @returns the logits of the sequence so far, [batch, classes]
   * @throws CudnnGruError `ERR_UNSUPPORTED` for token numbers and for every pooling but 'last'
   */
  override step(x: Tensor, states: StreamStates): Tensor {
    if (this.embedding || this.pooling !== 'last') {
      const reason = this.embedding ? 'it reads token numbers' : `the pooling '${this.pooling}' reads all steps`;
      throw new CudnnGruError('ERR_UNSUPPORTED', `Classifier cannot stream: ${reason}`);
    }
    return this.head.step(this.gru.step(x, states));
  }

  // [batch, directions × hiddenSize], twice that for 'meanMax'
  #pool(x: Tensor, lengths: Lengths | undefined): Tensor {
    const { output, hidden } = this.gru.forward(x, lengths ? { lengths } : {});
    const { numLayers, bidirectional, hiddenSize } = this.gru;
    if (this.pooling === 'last') {
      const directions = bidirectional ? 2 : 1;
      const top = hidden.slice(0, (numLayers - 1) * directions);
      return top.transpose(0, 1).reshape(-1, directions * hiddenSize);
    }
    if (this.attention) return this.attention.forward(output, lengths);
    const valid = lengths ?? new Array<number>(x.shape[0] as number).fill(x.shape[1] as number);
    if (this.pooling === 'mean') return maskedMean(output, valid);
    const max = maskedMax(output, valid);
    return this.pooling === 'max' ? max : concat([maskedMean(output, valid), max], 1);
  }
}

registerModule('Classifier', (options) => new Classifier(options as unknown as ClassifierOptions));
