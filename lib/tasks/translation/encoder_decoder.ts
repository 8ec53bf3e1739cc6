import { checkBoolean, checkNumber, checkOneOf, checkOptions, wrongRange } from '../../arguments.js';
import { noGrad } from '../../autograd/tape.js';
import type { TokenModel } from '../../decoding/token_model.js';
import { registerModule } from '../../formats/models.js';
import { float32, type Signature } from '../../inference/signature.js';
import { GRU } from '../../layers/gru.js';
import { Dropout, Embedding, Linear } from '../../layers/layers.js';
import { type Architecture, Module } from '../../layers/module.js';
import { type LayerOptions, layerOptions } from '../../layers/parameters.js';
import { argmax } from '../../ops/argmax.js';
import { concat, dropout, type Lengths } from '../../ops/index.js';
import { checkTensor, fill } from '../../ops/result.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { logitsOf, outputLayers } from '../output_layer.js';
import { AttentionLayer, type AttentionScore, attentionScores } from './attention_layer.js';

export interface EncoderDecoderOptions extends LayerOptions {
  sourceVocabularySize: number;
  targetVocabularySize: number;
  /** Features of a token. Default: 128. */
  embeddingSize?: number;
  /** Features of the hidden states, in each direction of the encoder. Default: 256. */
  hiddenSize?: number;
  /** Stacked layers, of encoder and decoder alike. Default: 1. */
  numLayers?: number;
  /** Whether the encoder reads from both ends. Default: true. */
  bidirectional?: boolean;
  /** How the decoder compares its state with the encoder's. Default: 'general'. */
  attention?: AttentionScore;
  /** Each decoder step also reads the attentional state of the one before (Luong et al. 2015). Slower to train: step by step. Default: false. */
  inputFeeding?: boolean;
  /** Dropout after the embeddings, between the layers and before the output layer, in training. Default: 0. */
  dropout?: number;
  /**
   * The output layer's weights are those of the target embedding (Press and Wolf 2017); where attentional state and embedding differ in size, a
   * linear layer stands between. Default: false.
   */
  tied?: boolean;
}

/** What the decoder looks at: an encoded batch of sources. */
export interface Memory {
  /** Shape [batch, time, size]: what queries are compared with. */
  keys: Tensor;
  /** Shape [batch, time, features]. */
  values: Tensor;
  /** Shape [numLayers, batch, hiddenSize]: where the decoder starts. */
  initialHidden: Tensor;
  lengths: Lengths | undefined;
}

export interface DecoderInputs {
  /** Valid tokens of each source. Default: all. */
  lengths?: Lengths | undefined;
  /** Scheduled sampling: the share of target tokens that are replaced by the model's own answers, see `EncoderDecoder`. Default: 0. */
  sampling?: number;
}

/**
 * From one sequence of tokens to another: a GRU encoder, a GRU decoder that starts from its last states, and attention between them
 * (Bahdanau et al. 2015, Luong et al. 2015):
 *
 *     s_t = GRU(embedding(y_{t-1}), s_{t-1}),  c_t = Σ weights(s_t, encoder) encoder
 *     a_t = tanh(W [c_t; s_t]),  logits_t = V a_t + b
 *
 * Scheduled sampling (Bengio et al. 2015) as two passes over the target (Mihaylova and Martins 2019): the first, without gradients, finds the
 * model's most probable tokens; in the second a random share of the target's tokens is replaced by them.
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_UNAVAILABLE`, `ERR_OUT_OF_MEMORY`
 */
export class EncoderDecoder extends Module {
  readonly inputFeeding: boolean;
  readonly tied: boolean;
  readonly sourceEmbedding: Embedding;
  readonly encoder: GRU;
  readonly bridge: Linear;
  readonly targetEmbedding: Embedding;
  readonly decoder: GRU;
  readonly attention: AttentionLayer;
  readonly combine: Linear;
  readonly dropout: Dropout;
  readonly projection: Linear | null;
  readonly head: Linear;

  constructor(options: EncoderDecoderOptions) {
    super();
    checkOptions(options, 'options', [
      'sourceVocabularySize',
      'targetVocabularySize',
      'embeddingSize',
      'hiddenSize',
      'numLayers',
      'bidirectional',
      'attention',
      'inputFeeding',
      'dropout',
      'tied',
      ...layerOptions,
    ]);
    const { sourceVocabularySize, targetVocabularySize, embeddingSize = 128, hiddenSize = 256, ...others } = options;
    const { numLayers = 1, bidirectional: both = true, attention = 'general', ...more } = others;
    const { inputFeeding = false, dropout = 0, tied = false, ...place } = more;
    const bidirectional = checkBoolean(both, 'bidirectional');
    this.inputFeeding = checkBoolean(inputFeeding, 'inputFeeding');
    this.tied = checkBoolean(tied, 'tied');
    checkOneOf(attention, 'attention', attentionScores);
    checkNumber(dropout, 'dropout', { min: 0, below: 1 });
    const between = numLayers > 1 ? dropout : 0;
    const memorySize = (bidirectional ? 2 : 1) * hiddenSize;
    this.sourceEmbedding = new Embedding({ vocabularySize: sourceVocabularySize, embeddingSize, ...place });
    this.encoder = new GRU({
      inputSize: embeddingSize,
      hiddenSize,
      numLayers,
      bidirectional,
      dropout: between,
      ...place,
    });
    this.bridge = new Linear({ inputSize: memorySize, outputSize: hiddenSize, ...place });
    this.targetEmbedding = new Embedding({ vocabularySize: targetVocabularySize, embeddingSize, ...place });
    const inputSize = embeddingSize + (this.inputFeeding ? hiddenSize : 0);
    this.decoder = new GRU({ inputSize, hiddenSize, numLayers, dropout: between, ...place });
    this.attention = new AttentionLayer({ score: attention, querySize: hiddenSize, memorySize, ...place });
    this.combine = new Linear({
      inputSize: this.attention.valueSize + hiddenSize,
      outputSize: hiddenSize,
      bias: false,
      ...place,
    });
    this.dropout = new Dropout({ probability: dropout, ...(place.generator && { generator: place.generator }) });
    const { projection, head } = outputLayers(this.targetEmbedding, hiddenSize, { tied, ...place });
    this.projection = projection;
    this.head = head;
  }

  override architecture(): Architecture {
    const { hiddenSize, numLayers, bidirectional } = this.encoder;
    return {
      type: 'EncoderDecoder',
      options: {
        sourceVocabularySize: this.sourceEmbedding.vocabularySize,
        targetVocabularySize: this.targetEmbedding.vocabularySize,
        embeddingSize: this.sourceEmbedding.embeddingSize,
        hiddenSize,
        numLayers,
        bidirectional,
        attention: this.attention.score,
        inputFeeding: this.inputFeeding,
        dropout: this.dropout.probability,
        tied: this.tied,
      },
    };
  }

  /**
   * The answers at each place of a target that is known (teacher forcing).
   *
   * @param source int32 [batch, time]
   * @param target int32 [batch, steps]: what the decoder reads, a start token first
   * @returns logits [batch, steps, targetVocabularySize] of the token after each; weights [batch, steps, time], how much each step looks at
   * each token of the source
   * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_MISMATCH`
   */
  forward(source: Tensor, target: Tensor, inputs: DecoderInputs = {}): { logits: Tensor; weights: Tensor } {
    checkOptions(inputs, 'inputs', ['lengths', 'sampling']);
    const sampling = checkNumber(inputs.sampling ?? 0, 'sampling', { min: 0, max: 1 });
    checkTensor(target, 'target', 'int32', 2);
    if (target.shape[0] !== source.shape[0] || target.size === 0) {
      throw wrongRange('target', `a Tensor of shape [${source.shape[0]}, at least 1]`, target);
    }
    return scope(() => {
      const memory = this.encode(source, inputs.lengths);
      const given = this.targetEmbedding.forward(target);
      const steps = target.shape[1] as number;
      if (sampling === 0 || steps === 1) return this.#decode(memory, given);
      const answers = scope(() => noGrad(() => argmax(this.#decode(memory, given).logits)));
      return this.#decode(memory, this.#mixed(given, answers, sampling));
    });
  }

  /** `forward` as the server offers it. */
  signature(): Signature {
    const tokens = (name: string, time: 'time' | 'targetTime', { vocabularySize }: Embedding) =>
      ({ name, dtype: 'int32', shape: ['batch', time], vocabularySize }) as const;
    const { vocabularySize } = this.targetEmbedding;
    return {
      inputs: [tokens('source', 'time', this.sourceEmbedding), tokens('target', 'targetTime', this.targetEmbedding)],
      outputs: [float32('logits', 'batch', 'targetTime', vocabularySize)],
      takesLengths: false,
      run: ([source, target]) => [this.forward(source as Tensor, target as Tensor).logits],
    };
  }

  /** @param source int32 [batch, time] */
  encode(source: Tensor, lengths?: Lengths): Memory {
    checkTensor(source, 'source', 'int32', 2);
    return scope(() => {
      const x = this.dropout.forward(this.sourceEmbedding.forward(source));
      const { output, hidden } = this.encoder.forward(x, lengths ? { lengths } : {});
      const { numLayers, bidirectional, hiddenSize } = this.encoder;
      const [batch, directions] = [source.shape[0] as number, bidirectional ? 2 : 1];
      const last = hidden
        .reshape(numLayers, directions, batch, hiddenSize)
        .transpose(1, 2)
        .reshape(numLayers, batch, directions * hiddenSize);
      const initialHidden = this.bridge.forward(last).tanh();
      return { ...this.attention.remember(output), initialHidden, lengths };
    });
  }

  /**
   * The decoder as a model for `decoding`: row r of `width` hypotheses for each source is row r mod width of source floor(r / width).
   * Its state begins as `searchState`.
   */
  searchModel(memory: Memory): TokenModel {
    const batch = memory.keys.shape[0] as number;
    return {
      vocabularySize: this.targetEmbedding.vocabularySize,
      device: this.head.weight.device,
      step: (tokens, [hidden, fed]) => {
        const rows = tokens.size;
        const x = this.targetEmbedding.forward(tokens).reshape(rows, 1, -1);
        const input = fed ? concat([x, fed.reshape(rows, 1, -1)], 2) : x;
        const next = this.decoder.forward(input, { initialHidden: hidden ?? null });
        // All hypotheses of a source are queries of its one memory.
        const { attended } = this.#attend(memory, next.output.reshape(batch, rows / batch, -1));
        const logits = logitsOf(this, attended).reshape(rows, -1);
        return { logits, state: fed ? [next.hidden, attended.reshape(1, rows, -1)] : [next.hidden] };
      },
    };
  }

  /** What `searchModel` begins with, one row for each source. */
  searchState({ initialHidden }: Memory): Tensor[] {
    if (!this.inputFeeding) return [initialHidden];
    const [, batch, hiddenSize] = initialHidden.shape as [number, number, number];
    return [initialHidden, fill([1, batch, hiddenSize], 0, initialHidden.on)];
  }

  #decode(memory: Memory, embedded: Tensor): { logits: Tensor; weights: Tensor } {
    const x = this.dropout.forward(embedded);
    const { attended, weights } = this.inputFeeding ? this.#stepByStep(memory, x) : this.#together(memory, x);
    return { logits: logitsOf(this, this.dropout.forward(attended)), weights };
  }

  #together(memory: Memory, x: Tensor) {
    return this.#attend(memory, this.decoder.forward(x, { initialHidden: memory.initialHidden }).output);
  }

  #stepByStep(memory: Memory, x: Tensor) {
    let [hidden, fed] = this.searchState(memory) as [Tensor, Tensor];
    fed = fed.transpose(0, 1);
    const steps = Array.from({ length: x.shape[1] as number }, (_, t) => {
      const next = this.decoder.forward(concat([x.slice(1, t, t + 1), fed], 2), { initialHidden: hidden });
      const step = this.#attend(memory, next.output);
      hidden = next.hidden;
      fed = step.attended;
      return step;
    });
    return {
      attended: concat(
        steps.map(({ attended }) => attended),
        1,
      ),
      weights: concat(
        steps.map(({ weights }) => weights),
        1,
      ),
    };
  }

  // query [batch, queries, hiddenSize]
  #attend(memory: Memory, query: Tensor): { attended: Tensor; weights: Tensor } {
    const { context, weights } = this.attention.forward(query, memory, memory.lengths);
    return { attended: this.combine.forward(concat([context, query], 2)).tanh(), weights };
  }

  // The embeddings of the target, a share of them replaced by those of the answers at the steps before.
  #mixed(given: Tensor, answers: Tensor, share: number): Tensor {
    const [batch, steps] = given.shape as [number, number];
    const own = this.targetEmbedding.forward(answers).slice(1, 0, steps - 1);
    const shifted = concat([given.slice(1, 0, 1), own], 1);
    const chosen =
      share === 1
        ? fill([batch, steps, 1], 1, given.on)
        : dropout(fill([batch, steps, 1], share, given.on), 1 - share, this.dropout.generator);
    return given.add(shifted.sub(given).mul(chosen));
  }
}

registerModule('EncoderDecoder', (options) => new EncoderDecoder(options as unknown as EncoderDecoderOptions));
