import {
  checkBoolean,
  checkInteger,
  checkOneOf,
  checkOptions,
  checkPositiveInteger,
  wrongRange,
} from '../arguments.js';
import { backwardsError, type StreamStates } from '../inference/stream_states.js';
import { gruQuantized, type Precision, precisions, valuesPerWord } from '../ops/gru_quantized.js';
import { checkTensor, checkTensorShape, upload } from '../ops/result.js';
import { zeros } from '../tensor/creation.js';
import { type Device, type DeviceName, deviceOf } from '../tensor/device.js';
import { elementCount, type Tensor } from '../tensor/tensor.js';
import type { GRU, GRUInputs } from './gru.js';
import { type Architecture, Module } from './module.js';
import { claimParameters, frozenParameter } from './parameters.js';
import { quantizeMatrix } from './quantize.js';

export interface QuantizedGRUOptions {
  /** Features of each step of the input. */
  inputSize: number;
  /** Features of the hidden state. */
  hiddenSize: number;
  /** What the weights are stored and multiplied in. */
  precision: Precision;
  /** Stacked layers, at most 1000. Default: 1. */
  numLayers?: number;
  /** Whether a second direction reads each sequence backwards. Default: false. */
  bidirectional?: boolean;
  /** That of the GRU it was made from; never applied. Default: 0. */
  dropout?: number;
  /** Whether the cell has biases. Default: true. */
  bias?: boolean;
  /** Sequences are [time, batch, features]. Default: false. */
  timeMajor?: boolean;
  /** Where the parameters live. Default: 'cpu'. */
  device?: DeviceName | 'auto';
}

interface StoredParameter {
  name: `weight_${string}` | `bias_${string}`;
  shape: number[];
  isWords: boolean;
}

/**
 * A GRU in low precision, for inference: what `quantize` makes of a `GRU`. The formulas are those of `ops.gruQuantized`.
 *
 * Parameters: `weight_ih_l0` and `weight_hh_l0`, int32 words of four int8 or two bfloat16 values each, [3H, ceil(columns / 4 or 2)];
 * with int8 `weight_ih_l0_scale` and `weight_hh_l0_scale` [3H]; float32 biases as in `GRU`; then `_l0_reverse`, `_l1`, … Made by the
 * constructor they are 0.
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_UNAVAILABLE`, `ERR_OUT_OF_MEMORY`
 */
export class QuantizedGRU extends Module {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly precision: Precision;
  readonly numLayers: number;
  readonly bidirectional: boolean;
  readonly dropout: number;
  readonly bias: boolean;
  readonly timeMajor: boolean;
  readonly #parameters: readonly StoredParameter[];
  [weight: `weight_${string}`]: Tensor;
  [bias: `bias_${string}`]: Tensor;

  constructor(options: QuantizedGRUOptions) {
    super();
    checkOptions(options, 'options', [
      'inputSize',
      'hiddenSize',
      'precision',
      'numLayers',
      'bidirectional',
      'dropout',
      'bias',
      'timeMajor',
      'device',
    ]);
    this.inputSize = checkPositiveInteger(options.inputSize, 'inputSize');
    this.hiddenSize = checkPositiveInteger(options.hiddenSize, 'hiddenSize');
    this.precision = checkOneOf(options.precision, 'precision', precisions);
    this.numLayers = checkInteger(options.numLayers ?? 1, 'numLayers', { min: 1, max: 1000 });
    this.bidirectional = checkBoolean(options.bidirectional ?? false, 'bidirectional');
    this.dropout = options.dropout ?? 0;
    this.bias = checkBoolean(options.bias ?? true, 'bias');
    this.timeMajor = checkBoolean(options.timeMajor ?? false, 'timeMajor');
    const { name: device } = deviceOf(options.device);
    this.#parameters = this.#storedParameters();
    claimParameters(this.#parameters.reduce((sum, { shape }) => sum + elementCount(shape), 0));
    for (const { name, shape, isWords } of this.#parameters) {
      this[name] = frozenParameter(zeros(shape, { device, dtype: isWords ? 'int32' : 'float32' }));
    }
    this.eval();
    this.quantization = this.precision;
  }

  /** @internal Waits for the parameters of `gru`. */
  static of(gru: GRU, precision: Precision): QuantizedGRU {
    const { inputSize, hiddenSize, numLayers, bidirectional, dropout, bias, timeMajor } = gru;
    const device: Device = (gru.weight_ih_l0 as Tensor).on;
    const options = { inputSize, hiddenSize, numLayers, bidirectional, dropout, bias, timeMajor };
    const result = new QuantizedGRU({ ...options, precision, device: device.name });
    const put = (name: `weight_${string}` | `bias_${string}`, data: Int32Array | Float32Array, shape: number[]) => {
      result[name]?.dispose();
      result[name] = frozenParameter(upload(data, shape, device));
    };
    const rows = 3 * hiddenSize;
    for (const [path, parameter] of gru.namedParameters()) {
      const name = path as `weight_${string}` | `bias_${string}`;
      const data = parameter.dataSync() as Float32Array;
      if (name.startsWith('bias_')) {
        put(name, data, [rows]);
        continue;
      }
      const { words, scales } = quantizeMatrix(data, rows, precision, name);
      put(name, words, [rows, words.length / rows]);
      if (scales) put(`${name}_scale` as `weight_${string}`, scales, [rows]);
    }
    result.preprocessing = gru.preprocessing;
    result.summary = gru.summary;
    return result;
  }

  override architecture(): Architecture {
    const { inputSize, hiddenSize, precision, numLayers, bidirectional, dropout, bias, timeMajor } = this;
    const options = { inputSize, hiddenSize, precision, numLayers, bidirectional, dropout, bias, timeMajor };
    return { type: 'QuantizedGRU', options };
  }

  /**
   * Runs the stack over whole sequences.
   *
   * @param x [batch, time, inputSize], or [time, batch, inputSize] with `timeMajor`
   * @returns output and hidden as `GRU.forward` gives them; without gradients
   * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_MISMATCH`, `ERR_NO_GRADIENT` when a gradient would be recorded. Waiting for
   * the result throws `ERR_UNSUPPORTED` if `initialHidden` leaves [-1, 1] with int8.
   */
  forward(x: Tensor, inputs: GRUInputs = {}): { output: Tensor; hidden: Tensor } {
    checkOptions(inputs, 'inputs', ['initialHidden', 'lengths']);
    if (checkTensor(x, 'x', 'float32', 3).shape[2] !== this.inputSize) {
      const axes = this.timeMajor ? 'time, batch' : 'batch, time';
      throw wrongRange('x', `a Tensor of shape [${axes}, ${this.inputSize}]`, x);
    }
    const weights = this.#parameters.map(({ name }) => this[name] as Tensor);
    return gruQuantized(x, weights, {
      precision: this.precision,
      numLayers: this.numLayers,
      bidirectional: this.bidirectional,
      bias: this.bias,
      timeMajor: this.timeMajor,
      initialHidden: inputs.initialHidden ?? null,
      lengths: inputs.lengths ?? null,
    });
  }

  override get stateSize(): number {
    return this.numLayers * this.hiddenSize;
  }

  /** @returns the last layer's state, [batch, hiddenSize] */
  override step(x: Tensor, states: StreamStates): Tensor {
    if (this.bidirectional) throw backwardsError(this);
    checkTensorShape(x, 'x', [x.shape[0] as number, this.inputSize]);
    const { numLayers, bias, precision } = this;
    const weights = this.#parameters.map(({ name }) => this[name] as Tensor);
    const steps = x.reshape(1, -1, this.inputSize);
    const initialHidden = states.read(this, numLayers);
    const options = { precision, numLayers, bias, timeMajor: true, initialHidden };
    const { output, hidden } = gruQuantized(steps, weights, options);
    states.write(this, hidden);
    return output.reshape(-1, this.hiddenSize);
  }

  #storedParameters(): StoredParameter[] {
    const { inputSize, hiddenSize, precision } = this;
    const directions = this.bidirectional ? ['', '_reverse'] : [''];
    const rows = 3 * hiddenSize;
    const parameters: StoredParameter[] = [];
    for (let layer = 0; layer < this.numLayers; layer++) {
      for (const direction of directions) {
        const suffix = `l${layer}${direction}` as const;
        const inputColumns = layer === 0 ? inputSize : directions.length * hiddenSize;
        for (const [name, columns] of [
          [`weight_ih_${suffix}`, inputColumns],
          [`weight_hh_${suffix}`, hiddenSize],
        ] as const) {
          parameters.push({ name, shape: [rows, Math.ceil(columns / valuesPerWord(precision))], isWords: true });
          if (precision === 'int8') parameters.push({ name: `${name}_scale`, shape: [rows], isWords: false });
        }
        if (!this.bias) continue;
        parameters.push({ name: `bias_ih_${suffix}`, shape: [rows], isWords: false });
        parameters.push({ name: `bias_hh_${suffix}`, shape: [rows], isWords: false });
      }
    }
    return parameters;
  }
}
