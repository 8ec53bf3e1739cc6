import { checkInteger, checkNumber, checkOptions, checkPositiveInteger } from '../../arguments.js';
import { noGrad } from '../../autograd/tape.js';
import type { Table } from '../../data/csv.js';
import type { HostArray } from '../../data/types.js';
import { CudnnGruError } from '../../errors.js';
import { registerModule } from '../../formats/models.js';
import { float32, type Signature } from '../../inference/signature.js';
import type { StreamStates } from '../../inference/stream_states.js';
import { GRU } from '../../layers/gru.js';
import { Dropout, Linear } from '../../layers/layers.js';
import { type Architecture, Module } from '../../layers/module.js';
import { type LayerOptions, layerOptions } from '../../layers/parameters.js';
import { concat } from '../../ops/index.js';
import { upload } from '../../ops/result.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type Compute, forecastWindows, type PredictOptions, type RawForecasts } from './predict_windows.js';
import { preprocessingOf } from './preprocessing.js';
import { seriesTable } from './series.js';

export type { PredictOptions } from './predict_windows.js';

export interface ForecasterOptions extends LayerOptions {
  /** Features of each row. */
  inputSize: number;
  /** Rows to forecast. */
  horizon: number;
  /** Numbers for each row to forecast: its quantiles. Default: 1. */
  outputSize?: number;
  /** The last so many features are known of the rows to come, too, and a decoder reads them. Default: 0, no decoder. */
  decoderSize?: number;
  /** Features of the hidden state. Default: 32. */
  hiddenSize?: number;
  /** Stacked layers. Default: 2. */
  numLayers?: number;
  /** Dropout between the layers and before the output layer, in training. Default: 0. */
  dropout?: number;
}

/**
 * Forecasts a series: a GRU reads a window of rows, and a linear layer turns its last hidden state into an answer for each of the next
 * `horizon` rows, all at once:
 *
 * ŷ[t + k] = base[t] + scale · (W h + b)[k], with h the last layer's state after row t.
 *
 * `base` is the window's last value (`targetMode` change), so that a model that answers zero repeats it, or the training rows' mean
 * (level). With a decoder a second GRU starts from h and goes through the rows to come, reading what is known of them, x[t + k]:
 *
 * ŷ[t + k] = base[t] + scale · (W [h'[k], x[t + k]] + b), with h'[k] its state after that row.
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_UNAVAILABLE`, `ERR_OUT_OF_MEMORY`
 */
export class Forecaster extends Module {
  readonly horizon: number;
  readonly outputSize: number;
  readonly decoderSize: number;
  readonly gru: GRU;
  readonly decoder: GRU | null;
  readonly dropout: Dropout;
  readonly head: Linear;

  constructor(options: ForecasterOptions) {
    super();
    const known = ['inputSize', 'horizon', 'outputSize', 'decoderSize', 'hiddenSize', 'numLayers', 'dropout'];
    checkOptions(options, 'options', [...known, ...layerOptions]);
    const {
      inputSize,
      outputSize = 1,
      decoderSize = 0,
      hiddenSize = 32,
      numLayers = 2,
      dropout = 0,
      horizon,
      ...place
    } = options;
    this.horizon = checkPositiveInteger(horizon, 'horizon');
    this.outputSize = checkPositiveInteger(outputSize, 'outputSize');
    this.decoderSize = checkInteger(decoderSize, 'decoderSize', { min: 0, max: inputSize });
    checkNumber(dropout, 'dropout', { min: 0, below: 1 });
    this.gru = new GRU({ inputSize, hiddenSize, numLayers, dropout, ...place });
    this.decoder = decoderSize > 0 ? new GRU({ inputSize: decoderSize, hiddenSize, ...place }) : null;
    this.dropout = new Dropout({ probability: dropout, ...(place.generator && { generator: place.generator }) });
    this.head = new Linear({
      inputSize: hiddenSize + decoderSize,
      outputSize: this.decoder ? this.outputSize : this.horizon * this.outputSize,
      ...place,
    });
  }

  override architecture(): Architecture {
    const { inputSize, hiddenSize, numLayers, dropout } = this.gru;
    const { horizon, outputSize, decoderSize } = this;
    const own = { horizon, outputSize, decoderSize };
    return { type: 'Forecaster', options: { inputSize, hiddenSize, numLayers, dropout, ...own } };
  }

  /** `forward` as the server offers it to those who scale their numbers themselves. */
  signature(): Signature {
    const window = this.preprocessing === null ? 'time' : preprocessingOf(this).window;
    const rows = this.decoder && typeof window === 'number' ? window + this.horizon : window;
    return {
      inputs: [float32('input', 'batch', rows, this.gru.inputSize)],
      outputs: [float32('output', 'batch', this.horizon, ...(this.outputSize > 1 ? [this.outputSize] : []))],
      takesLengths: false,
      run: ([x]) => [this.forward(x as Tensor)],
    };
  }

  /**
   * @param x [batch, window, inputSize], scaled; with a decoder [batch, window + horizon, inputSize], where of the last rows only the
   * last `decoderSize` features are read
   * @returns shape [batch, horizon], or [batch, horizon, outputSize] when that is more than 1: in units of the target's scaler
   * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_MISMATCH`
   */
  forward(x: Tensor): Tensor {
    const { horizon, outputSize } = this;
    // The tape keeps what the gradients need.
    return scope(() => {
      const answers = this.decoder
        ? this.#decode(x, this.decoder)
        : this.head.forward(this.dropout.forward(this.#encode(x)));
      if (outputSize > 1) return answers.reshape(-1, horizon, outputSize);
      return this.decoder ? answers.reshape(-1, horizon) : answers;
    });
  }

  // The last layer's state after the window: [batch, hiddenSize].
  #encode(x: Tensor): Tensor {
    const { numLayers, hiddenSize } = this.gru;
    const { hidden } = this.gru.forward(x);
    return hidden.slice(0, numLayers - 1).reshape(-1, hiddenSize);
  }

  // [batch, horizon, outputSize]
  #decode(x: Tensor, decoder: GRU): Tensor {
    const [, rows = 0, features = 0] = x.shape;
    const window = checkPositiveInteger(rows - this.horizon, 'the rows of x before the horizon');
    const state = this.#encode(x.slice(1, 0, window)).reshape(1, -1, decoder.hiddenSize);
    const ahead = x.slice(1, window, rows).slice(2, features - this.decoderSize, features);
    const { output } = decoder.forward(ahead, { initialHidden: state });
    return this.head.forward(concat([this.dropout.forward(output), ahead], 2));
  }

  /** Features of each row. */
  get inputSize(): number {
    return this.gru.inputSize;
  }

  /** @returns [batch, horizon · outputSize]: the answers after this row, of a window that began with the stream */
  override step(x: Tensor, states: StreamStates): Tensor {
    if (this.decoder) {
      throw new CudnnGruError('ERR_UNSUPPORTED', 'a Forecaster with a decoder cannot stream: it reads rows to come');
    }
    return this.head.step(this.gru.step(x, states));
  }

  /**
   * Forecasts behind windows of a table that holds the columns of `preprocessing`. Where there are quantiles, these are their medians.
   *
   * @param starts the first row of each window, counted with the rows of each series brought together. Default: the last window of each
   * series; the forecast is then of the future. Columns that are known ahead stand in further rows, whose target is empty (NaN).
   * @returns [starts, horizon], in the target's unit
   * @throws RangeError; CudnnGruError `ERR_DATA` for a table that lacks a column or has fewer rows than a window, `ERR_FORMAT` for a
   * model without preprocessing
   */
  async predict(
    table: Table,
    starts?: ArrayLike<number>,
    options: PredictOptions = {},
  ): Promise<HostArray<Float32Array>> {
    const { forecasts, count, horizon } = await this.forecastWith(this.compute, table, starts, options);
    return { data: forecasts, shape: [count, horizon] };
  }

  /**
   * The quantiles behind windows, as `predict`. Rising in each row.
   *
   * @returns [starts, horizon, quantiles], in the target's unit; the levels are `preprocessing.quantiles`
   * @throws as `predict`; CudnnGruError `ERR_UNSUPPORTED` for a model without quantiles
   */
  async predictQuantiles(table: Table, starts?: ArrayLike<number>): Promise<HostArray<Float32Array>> {
    const levels = preprocessingOf(this).quantiles.length;
    if (levels === 0) throw new CudnnGruError('ERR_UNSUPPORTED', 'the model was trained without quantiles');
    const { quantiles, count, horizon } = await this.forecastWith(this.compute, table, starts);
    return { data: quantiles as Float32Array, shape: [count, horizon, levels] };
  }

  /** @internal As `predict` and `predictQuantiles`, with any way to `forward`. */
  forecastWith(
    compute: Compute,
    table: Table,
    starts?: ArrayLike<number>,
    options: PredictOptions = {},
  ): Promise<RawForecasts> {
    const preprocessing = preprocessingOf(this);
    return forecastWindows(compute, seriesTable(table, preprocessing), preprocessing, starts, options);
  }

  /** @internal `forward` of host arrays, without gradients. */
  readonly compute: Compute = async (inputs) => {
    const wasTraining = this.training;
    this.eval();
    const answers = scope(() => noGrad(() => this.forward(upload(inputs.data, inputs.shape, this.head.weight.on))));
    if (wasTraining) this.train();
    try {
      return (await answers.data()) as Float32Array;
    } finally {
      answers.dispose();
    }
  };
}

registerModule('Forecaster', (options) => new Forecaster(options as unknown as ForecasterOptions));
