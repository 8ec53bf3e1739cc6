import { checkNumber, checkOptions, checkPositiveInteger } from '../arguments.js';
import { noGrad } from '../autograd/tape.js';
import { numericColumn, type Table } from '../data/csv.js';
import { Scaler } from '../data/scalers.js';
import type { HostArray } from '../data/types.js';
import { WindowDataset } from '../data/windows.js';
import { CudnnGruError } from '../errors.js';
import { registerModule } from '../formats/models.js';
import { float32, type Signature } from '../inference/signature.js';
import type { StreamStates } from '../inference/stream_states.js';
import { GRU } from '../layers/gru.js';
import { Dropout, Linear } from '../layers/layers.js';
import { type Architecture, Module } from '../layers/module.js';
import { type LayerOptions, layerOptions } from '../layers/parameters.js';
import { upload } from '../ops/result.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { featuresOf, preprocessingOf, targetsOf } from './forecast_inputs.js';

export interface ForecasterOptions extends LayerOptions {
  /** Features of each row. */
  inputSize: number;
  /** Rows to forecast. */
  horizon: number;
  /** Features of the hidden state. Default: 32. */
  hiddenSize?: number;
  /** Stacked layers. Default: 2. */
  numLayers?: number;
  /** Dropout between the layers and before the output layer, in training. Default: 0. */
  dropout?: number;
}

// Windows that are forecast together.
const windowsPerBatch = 256;

/**
 * Forecasts a series: a GRU reads a window of rows, and a linear layer turns its last hidden state into the change of the target from
 * the window's last row to each of the next `horizon` rows:
 *
 * ŷ[t + k] = y[t] + scale · (W h + b)[k], with h the last layer's state after row t.
 *
 * A model that answers zero so repeats the last value; what it has to learn is only how the series departs from it.
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_UNAVAILABLE`, `ERR_OUT_OF_MEMORY`
 */
export class Forecaster extends Module {
  readonly horizon: number;
  readonly gru: GRU;
  readonly dropout: Dropout;
  readonly head: Linear;

  constructor(options: ForecasterOptions) {
    super();
    checkOptions(options, 'options', ['inputSize', 'horizon', 'hiddenSize', 'numLayers', 'dropout', ...layerOptions]);
    const { inputSize, hiddenSize = 32, numLayers = 2, dropout = 0, horizon, ...place } = options;
    this.horizon = checkPositiveInteger(horizon, 'horizon');
    checkNumber(dropout, 'dropout', { min: 0, below: 1 });
    this.gru = new GRU({ inputSize, hiddenSize, numLayers, dropout, ...place });
    this.dropout = new Dropout({ probability: dropout, ...(place.generator && { generator: place.generator }) });
    this.head = new Linear({ inputSize: hiddenSize, outputSize: this.horizon, ...place });
  }

  override architecture(): Architecture {
    const { inputSize, hiddenSize, numLayers, dropout } = this.gru;
    return { type: 'Forecaster', options: { inputSize, hiddenSize, numLayers, dropout, horizon: this.horizon } };
  }

  /** `forward` as the server offers it to those who scale their numbers themselves. */
  signature(): Signature {
    const window = this.preprocessing === null ? 'time' : preprocessingOf(this).window;
    return {
      inputs: [float32('input', 'batch', window, this.gru.inputSize)],
      outputs: [float32('output', 'batch', this.horizon)],
      takesLengths: false,
      run: ([x]) => [this.forward(x as Tensor)],
    };
  }

  /**
   * @param x [batch, window, inputSize], scaled
   * @returns shape [batch, horizon]: the changes from the window's last target, in units of the target's scaler
   * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_MISMATCH`
   */
  forward(x: Tensor): Tensor {
    const { output, hidden } = this.gru.forward(x);
    const { numLayers, hiddenSize } = this.gru;
    const top = hidden.slice(0, numLayers - 1);
    const last = top.reshape(-1, hiddenSize);
    const dropped = this.dropout.forward(last);
    const changes = this.head.forward(dropped);
    // The tape keeps what the gradients need.
    for (const tensor of [output, hidden, top, last, dropped]) tensor.dispose();
    return changes;
  }

  /** Features of each row. */
  get inputSize(): number {
    return this.gru.inputSize;
  }

  /** @returns [batch, horizon]: the changes after this row, of a window that began with the stream */
  override step(x: Tensor, states: StreamStates): Tensor {
    return this.head.step(this.gru.step(x, states));
  }

  /**
   * Forecasts behind windows of a table that holds the columns of `preprocessing`.
   *
   * @param starts the first row of each window. Default: one window, the table's last rows; the forecast is then of the future.
   * @returns [starts, horizon], in the target's unit
   * @throws RangeError; CudnnGruError `ERR_DATA` for a table that lacks a column or has fewer rows than a window, `ERR_FORMAT` for a
   * model without preprocessing
   */
  predict(table: Table, starts?: ArrayLike<number>): Promise<HostArray<Float32Array>> {
    return this.predictWith((windows) => this.#changes(windows), table, starts);
  }

  /** @internal As `predict`, with another way to `forward`: from windows [batch, window, inputSize] to changes [batch, horizon]. */
  async predictWith(
    changesOf: (windows: HostArray) => Promise<Float32Array>,
    table: Table,
    starts?: ArrayLike<number>,
  ): Promise<HostArray<Float32Array>> {
    const preprocessing = preprocessingOf(this);
    const { window, horizon, target } = preprocessing;
    if (table.rows < window) {
      throw new CudnnGruError(
        'ERR_DATA',
        `${table.source} has ${table.rows} rows; the model reads windows of ${window}`,
      );
    }
    const firstRows = Int32Array.from(starts ?? [table.rows - window]);
    const inputs = { data: featuresOf(table, preprocessing), shape: [table.rows, this.gru.inputSize] };
    const windows = new WindowDataset({
      inputs,
      targets: targetsOf(table, preprocessing),
      window,
      horizon,
      starts: [],
    });
    const values = numericColumn(table, target);
    const scale = Scaler.fromJSON(preprocessing.targetScaler).scale[0] as number;
    const data = new Float32Array(firstRows.length * horizon);
    for (let first = 0; first < firstRows.length; first += windowsPerBatch) {
      const batch = firstRows.subarray(first, first + windowsPerBatch);
      const changes = await changesOf(windows.inputsAt(batch));
      for (const [i, change] of changes.entries()) {
        const last = values[(batch[Math.floor(i / horizon)] as number) + window - 1] as number;
        data[first * horizon + i] = last + scale * change;
      }
    }
    return { data, shape: [firstRows.length, horizon] };
  }

  async #changes(inputs: HostArray): Promise<Float32Array> {
    const wasTraining = this.training;
    this.eval();
    const changes = scope(() => noGrad(() => this.forward(upload(inputs.data, inputs.shape, this.head.weight.on))));
    if (wasTraining) this.train();
    try {
      return (await changes.data()) as Float32Array;
    } finally {
      changes.dispose();
    }
  }
}

registerModule('Forecaster', (options) => new Forecaster(options as unknown as ForecasterOptions));
