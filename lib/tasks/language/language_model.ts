import { checkBoolean, checkNumber, checkOptions, checkPositiveInteger, wrongRange } from '../../arguments.js';
import type { TokenModel } from '../../decoding/token_model.js';
import { registerModule } from '../../formats/models.js';
import { float32, type Signature } from '../../inference/signature.js';
import { GRU } from '../../layers/gru.js';
import { Dropout, Embedding, type Linear } from '../../layers/layers.js';
import { type Architecture, Module } from '../../layers/module.js';
import { type LayerOptions, layerOptions } from '../../layers/parameters.js';
import { checkTensor } from '../../ops/result.js';
import type { DeviceName } from '../../tensor/device.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { logitsOf, outputLayers } from '../output_layer.js';

export interface LanguageModelOptions extends LayerOptions {
  vocabularySize: number;
  /** Features of a token. Default: 128. */
  embeddingSize?: number;
  /** The share of the vocabulary that is left out of a training step, see `Embedding`. Default: 0. */
  embeddingDropout?: number;
  /** Features of the hidden state. Default: 256. */
  hiddenSize?: number;
  /** Stacked layers. Default: 1. */
  numLayers?: number;
  /** Dropout after the embedding, between the layers and before the output layer, in training. Default: 0. */
  dropout?: number;
  /**
   * The output layer's weights are those of the embedding (Press and Wolf 2017); where hidden state and embedding differ in size, a linear layer
   * stands between. Default: false.
   */
  tied?: boolean;
}

/**
 * Says what token comes next: logits_t = W GRU(embedding(tokens))_t + b
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_UNAVAILABLE`, `ERR_OUT_OF_MEMORY`
 */
export class LanguageModel extends Module {
  readonly vocabularySize: number;
  readonly tied: boolean;
  readonly embedding: Embedding;
  readonly gru: GRU;
  readonly dropout: Dropout;
  readonly projection: Linear | null;
  readonly head: Linear;

  constructor(options: LanguageModelOptions) {
    super();
    checkOptions(options, 'options', [
      'vocabularySize',
      'embeddingSize',
      'embeddingDropout',
      'hiddenSize',
      'numLayers',
      'dropout',
      'tied',
      ...layerOptions,
    ]);
    const { vocabularySize, embeddingSize = 128, hiddenSize = 256, numLayers = 1, ...others } = options;
    const { embeddingDropout = 0, dropout = 0, tied = false, ...place } = others;
    this.vocabularySize = checkPositiveInteger(vocabularySize, 'vocabularySize');
    this.tied = checkBoolean(tied, 'tied');
    checkNumber(dropout, 'dropout', { min: 0, below: 1 });
    this.embedding = new Embedding({ vocabularySize, embeddingSize, dropout: embeddingDropout, ...place });
    this.gru = new GRU({
      inputSize: embeddingSize,
      hiddenSize,
      numLayers,
      dropout: numLayers > 1 ? dropout : 0,
      ...place,
    });
    this.dropout = new Dropout({ probability: dropout, ...(place.generator && { generator: place.generator }) });
    const { projection, head } = outputLayers(this.embedding, hiddenSize, { tied, ...place });
    this.projection = projection;
    this.head = head;
  }

  override architecture(): Architecture {
    const { vocabularySize, embeddingSize } = this.embedding;
    const { hiddenSize, numLayers } = this.gru;
    const { tied } = this;
    const [dropout, embeddingDropout] = [this.dropout.probability, this.embedding.dropout];
    return {
      type: 'LanguageModel',
      options: {
        vocabularySize,
        embeddingSize,
        ...(embeddingDropout > 0 && { embeddingDropout }),
        hiddenSize,
        numLayers,
        dropout,
        tied,
      },
    };
  }

  get device(): DeviceName {
    return this.head.weight.device;
  }

  /**
   * @param tokens int32 [batch, time]
   * @param inputs initialHidden [numLayers, batch, hiddenSize]: the state from before; default: zeros
   * @returns logits [batch, time, vocabularySize] of the tokens that follow each, and the state after the last
   * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_MISMATCH`
   */
  forward(tokens: Tensor, inputs: { initialHidden?: Tensor | null } = {}): { logits: Tensor; hidden: Tensor } {
    checkOptions(inputs, 'inputs', ['initialHidden']);
    if (checkTensor(tokens, 'tokens', 'int32', 2).size === 0) throw wrongRange('tokens', 'at least one token', tokens);
    const { initialHidden = null } = inputs;
    return scope(() => {
      const x = this.dropout.forward(this.embedding.forward(tokens));
      const { output, hidden } = this.gru.forward(x, { initialHidden });
      return { logits: logitsOf(this, this.dropout.forward(output)), hidden };
    });
  }

  /** `forward` as the server offers it. */
  signature(): Signature {
    const { vocabularySize } = this;
    const steps = ['batch', 'time'] as const;
    return {
      inputs: [{ name: 'tokens', dtype: 'int32', shape: steps, vocabularySize }],
      outputs: [float32('logits', ...steps, vocabularySize)],
      takesLengths: false,
      run: ([tokens]) => [this.forward(tokens as Tensor).logits],
    };
  }

  /** The model as searches of `decoding` ask it; its state is [hidden], or empty before the first token. */
  searchModel(): TokenModel {
    const { vocabularySize, device } = this;
    return {
      vocabularySize,
      device,
      step: (tokens, [initialHidden]) => {
        const next = this.forward(tokens.reshape(tokens.size, 1), { initialHidden: initialHidden ?? null });
        return { logits: next.logits.reshape(tokens.size, vocabularySize), state: [next.hidden] };
      },
    };
  }
}

registerModule('LanguageModel', (options) => new LanguageModel(options as unknown as LanguageModelOptions));
