import { checkBoolean, checkNumber, checkOptions, checkPositiveInteger, wrongRange } from '../../arguments.js';
import { registerModule } from '../../formats/models.js';
import { float32, type Signature } from '../../inference/signature.js';
import type { Stream } from '../../inference/stream.js';
import type { StreamStates } from '../../inference/stream_states.js';
import type { StreamOptions } from '../../inference/streaming_model.js';
import { GRU } from '../../layers/gru.js';
import { Dropout, Linear } from '../../layers/layers.js';
import { type Architecture, Module } from '../../layers/module.js';
import { type LayerOptions, layerOptions } from '../../layers/parameters.js';
import type { Lengths } from '../../ops/index.js';
import { checkTensor } from '../../ops/result.js';
import { checkLengths } from '../../ops/sequences.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';

export interface TranscriberOptions extends LayerOptions {
  /** Features of a frame: the bands of the front end. */
  inputSize: number;
  /** Classes of a step: the blank, class 0, and the tokens. */
  vocabularySize: number;
  /** Frames that make one step of the GRU. Default: 3. */
  stacking?: number;
  /** Features of the hidden state, in each direction. Default: 192. */
  hiddenSize?: number;
  /** Stacked layers. Default: 3. */
  numLayers?: number;
  /** Default: true. */
  bidirectional?: boolean;
  /** Dropout between the layers and before the output layer, in training. Default: 0. */
  dropout?: number;
}

/**
 * From frames of sound to text, by connectionist temporal classification (Graves et al. 2006): `stacking` frames beside each other make one step of
 * a stack of GRUs, and a linear layer scores for each step the tokens and the blank:
 *
 *     logits = W GRU(stack(x)) + b
 *
 * Frames at the end that do not fill a step are left out.
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_UNAVAILABLE`, `ERR_OUT_OF_MEMORY`
 */
export class Transcriber extends Module {
  readonly stacking: number;
  readonly gru: GRU;
  readonly dropout: Dropout;
  readonly head: Linear;

  constructor(options: TranscriberOptions) {
    super();
    checkOptions(options, 'options', [
      'inputSize',
      'vocabularySize',
      'stacking',
      'hiddenSize',
      'numLayers',
      'bidirectional',
      'dropout',
      ...layerOptions,
    ]);
    const { inputSize, vocabularySize, stacking = 3, hiddenSize = 192, numLayers = 3, ...others } = options;
    const { bidirectional: both = true, dropout = 0, ...place } = others;
    const bidirectional = checkBoolean(both, 'bidirectional');
    this.stacking = checkPositiveInteger(stacking, 'stacking');
    checkNumber(dropout, 'dropout', { min: 0, below: 1 });
    this.gru = new GRU({
      inputSize: checkPositiveInteger(inputSize, 'inputSize') * this.stacking,
      hiddenSize,
      numLayers,
      bidirectional,
      dropout: numLayers > 1 ? dropout : 0,
      ...place,
    });
    this.dropout = new Dropout({ probability: dropout, ...(place.generator && { generator: place.generator }) });
    this.head = new Linear({
      inputSize: (bidirectional ? 2 : 1) * hiddenSize,
      outputSize: checkPositiveInteger(vocabularySize, 'vocabularySize'),
      ...place,
    });
  }

  /** Features of a frame. */
  get inputSize(): number {
    return this.gru.inputSize / this.stacking;
  }

  /** The blank and the tokens. */
  get vocabularySize(): number {
    return this.head.weight.shape[0] as number;
  }

  override architecture(): Architecture {
    const { inputSize, vocabularySize, stacking } = this;
    const { hiddenSize, numLayers, bidirectional } = this.gru;
    const dropout = this.dropout.probability;
    return {
      type: 'Transcriber',
      options: { inputSize, vocabularySize, stacking, hiddenSize, numLayers, bidirectional, dropout },
    };
  }

  /**
   * @param x [batch, frames, inputSize], at least `stacking` frames
   * @param inputs lengths: frames of each row that count; default: all
   * @returns logits [batch, floor(frames / stacking), vocabularySize], and the steps of each row that count: [batch]
   * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_MISMATCH`
   */
  forward(x: Tensor, inputs: { lengths?: Lengths | null | undefined } = {}): { logits: Tensor; lengths: Int32Array } {
    checkOptions(inputs, 'inputs', ['lengths']);
    checkTensor(x, 'x', 'float32', 3);
    const { stacking, inputSize } = this;
    const [batch, frames, features] = x.shape as [number, number, number];
    if (frames < stacking || features !== inputSize) {
      throw wrongRange('x', `a Tensor of shape [batch, at least ${stacking}, ${inputSize}]`, x);
    }
    const counted = checkLengths(inputs.lengths ?? new Int32Array(batch).fill(frames), 'lengths', batch, 0, frames);
    const lengths = counted.map((length) => Math.floor(length / stacking));
    const steps = Math.floor(frames / stacking);
    const logits = scope(() => {
      const whole = frames === steps * stacking ? x : x.slice(1, 0, steps * stacking);
      const { output } = this.gru.forward(whole.reshape(batch, steps, stacking * inputSize), { lengths });
      return this.head.forward(this.dropout.forward(output));
    });
    return { logits, lengths };
  }

  /**
   * `forward` as the server offers it, step by step: [batch, time, stacking · inputSize], the frames of a step beside each other, to [batch, time,
   * vocabularySize].
   */
  signature(): Signature {
    const { stacking, inputSize, vocabularySize } = this;
    return {
      inputs: [float32('input', 'batch', 'time', this.gru.inputSize)],
      outputs: [float32('logits', 'batch', 'time', vocabularySize)],
      takesLengths: true,
      run: ([x], lengths) => {
        const [batch, time] = (x as Tensor).shape as [number, number];
        const frames = (x as Tensor).reshape(batch, time * stacking, inputSize);
        return [
          this.forward(frames, { lengths: lengths && Int32Array.from(lengths, (steps) => steps * stacking) }).logits,
        ];
      },
    };
  }

  /** As `Module.createStream`; what is pushed are the frames of one step beside each other: [stacking · inputSize]. */
  override createStream(options: StreamOptions = {}): Stream {
    return super.createStream({ inputSize: this.gru.inputSize, ...options });
  }

  /**
   * @param x [batch, stacking · inputSize]: the frames of one step of each stream, beside each other
   * @returns the logits of the step, [batch, vocabularySize]
   * @throws CudnnGruError `ERR_UNSUPPORTED` unless the GRU reads forwards only
   */
  override step(x: Tensor, states: StreamStates): Tensor {
    return this.head.step(this.gru.step(x, states));
  }
}

registerModule('Transcriber', (options) => new Transcriber(options as unknown as TranscriberOptions));
