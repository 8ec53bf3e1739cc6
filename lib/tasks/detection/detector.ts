import { checkInteger, checkNumber, checkOneOf, checkOptions, checkPositiveInteger } from '../../arguments.js';
import { registerModule } from '../../formats/models.js';
import { float32, type Signature } from '../../inference/signature.js';
import { GRU } from '../../layers/gru.js';
import { Dropout, Linear } from '../../layers/layers.js';
import { type Architecture, Module } from '../../layers/module.js';
import { type LayerOptions, layerOptions } from '../../layers/parameters.js';
import { concat, type Lengths } from '../../ops/index.js';
import { fill } from '../../ops/result.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';

/**
 * How a row is judged: `forecast`, by how far it is from what the rows before led to expect; `reconstruct`, by how badly an autoencoder that
 * was made for normal windows gives it back.
 */
export type DetectionMethod = 'forecast' | 'reconstruct';

export const detectionMethods = ['forecast', 'reconstruct'] as const;

export interface AnomalyDetectorOptions extends LayerOptions {
  /** Features of each row. */
  inputSize: number;
  /** Default: 'forecast'. */
  method?: DetectionMethod;
  /** Features of the hidden state; with `reconstruct` a window has to fit into it. Default: 32. */
  hiddenSize?: number;
  /** Stacked layers. Default: 1. */
  numLayers?: number;
  /** Dropout before the output layer, in training. Default: 0. */
  dropout?: number;
}

/**
 * Gives for every row what a normal one would have been:
 *
 *     forecast:     x̂[t] = x[t-1] + W h[t-1] + b,  h = GRU(x), h[-1] = 0, x[-1] = 0
 *     reconstruct:  x̂[t] = W g[t] + b,  g = GRU₂(h, h, …), h the last state of GRU₁(x) (P. Malhotra et al., "LSTM-based encoder-decoder
 *                   for multi-sensor anomaly detection", 2016, with GRUs)
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_UNAVAILABLE`, `ERR_OUT_OF_MEMORY`
 */
export class AnomalyDetector extends Module {
  readonly method: DetectionMethod;
  readonly gru: GRU;
  /** Only with `reconstruct`. */
  readonly decoder: GRU | null;
  readonly dropout: Dropout;
  readonly head: Linear;

  constructor(options: AnomalyDetectorOptions) {
    super();
    checkOptions(options, 'options', ['inputSize', 'method', 'hiddenSize', 'numLayers', 'dropout', ...layerOptions]);
    const { inputSize, method = 'forecast', hiddenSize = 32, numLayers = 1, dropout = 0, ...place } = options;
    this.method = checkOneOf(method, 'method', detectionMethods);
    checkPositiveInteger(hiddenSize, 'hiddenSize');
    checkInteger(numLayers, 'numLayers', { min: 1 });
    checkNumber(dropout, 'dropout', { min: 0, below: 1 });
    this.gru = new GRU({ inputSize, hiddenSize, numLayers, ...place });
    this.decoder =
      this.method === 'reconstruct' ? new GRU({ inputSize: hiddenSize, hiddenSize, numLayers, ...place }) : null;
    this.dropout = new Dropout({ probability: dropout, ...(place.generator && { generator: place.generator }) });
    this.head = new Linear({ inputSize: hiddenSize, outputSize: inputSize, ...place });
  }

  override architecture(): Architecture {
    const { inputSize, hiddenSize, numLayers } = this.gru;
    const { method, dropout } = this;
    return {
      type: 'AnomalyDetector',
      options: { inputSize, method, hiddenSize, numLayers, dropout: dropout.probability },
    };
  }

  /** `forward` as the server offers it to those who scale their numbers themselves. */
  signature(): Signature {
    const rows = ['batch', 'time', this.gru.inputSize] as const;
    return {
      inputs: [float32('input', ...rows)],
      outputs: [float32('expected', ...rows)],
      takesLengths: false,
      run: ([x]) => [this.forward(x as Tensor).expected],
    };
  }

  /**
   * @param x [batch, time, inputSize], scaled
   * @param inputs hidden: the state before the first row, [numLayers, batch, hiddenSize], and previous: the row before it, [batch, 1,
   * inputSize], only with `forecast`, default: zeros; lengths: valid rows, only with `reconstruct`, default: all
   * @returns expected [batch, time, inputSize]; hidden: the state after the last row
   * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_MISMATCH`
   */
  forward(
    x: Tensor,
    inputs: { hidden?: Tensor | null; previous?: Tensor | null; lengths?: Lengths | undefined } = {},
  ): { expected: Tensor; hidden: Tensor } {
    checkOptions(inputs, 'inputs', ['hidden', 'previous', 'lengths']);
    const { hidden: initialHidden = null, lengths = null } = inputs;
    return scope(() => {
      const { output, hidden } = this.gru.forward(x, { initialHidden, lengths });
      const [batch, time, inputSize] = x.shape as [number, number, number];
      if (this.decoder === null) {
        const state = initialHidden ? this.#top(initialHidden) : fill([batch, 1, this.gru.hiddenSize], 0, x.on);
        const previous = inputs.previous ?? fill([batch, 1, inputSize], 0, x.on);
        const before = (first: Tensor, all: Tensor) =>
          time === 1 ? first : concat([first, all.slice(1, 0, time - 1)], 1);
        return { expected: this.#expect(before(previous, x), before(state, output)), hidden };
      }
      const repeated = concat(new Array<Tensor>(time).fill(this.#top(hidden)), 1);
      const { output: decoded } = this.decoder.forward(repeated, { lengths });
      return { expected: this.head.forward(this.dropout.forward(decoded)), hidden };
    });
  }

  /**
   * The row to come, only with `forecast`.
   *
   * @param previous the row before, [batch, 1, inputSize]
   * @param hidden the state after it, [numLayers, batch, hiddenSize]
   * @returns [batch, 1, inputSize]
   */
  expectNext(previous: Tensor, hidden: Tensor): Tensor {
    return scope(() => this.#expect(previous, this.#top(hidden)));
  }

  #expect(previous: Tensor, states: Tensor): Tensor {
    return previous.add(this.head.forward(this.dropout.forward(states)));
  }

  // The state of the last layer: [batch, 1, hiddenSize].
  #top(hidden: Tensor): Tensor {
    const { hiddenSize, numLayers } = this.gru;
    return hidden.slice(0, numLayers - 1).reshape(hidden.shape[1] as number, 1, hiddenSize);
  }
}

registerModule('AnomalyDetector', (options) => new AnomalyDetector(options as unknown as AnomalyDetectorOptions));
