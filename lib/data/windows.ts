import { checkInteger, checkOneOf, checkOptions, checkPositiveInteger, wrongKind, wrongRange } from '../arguments.js';
import { CudnnGruError } from '../errors.js';
import { type ArrayInput, toHostArray } from './array_dataset.js';
import type { Batch, Dataset, HostArray, NumericArray } from './types.js';

export interface WindowDatasetOptions {
  /** [rows, features] (or [rows] for one feature): what the model sees, in the order of time. */
  readonly inputs: ArrayInput;
  /** [rows] or [rows, targets]: what it forecasts, on the same rows. */
  readonly targets: ArrayInput;
  /** Rows of history per example. */
  readonly window: number;
  /** Rows to forecast, from the row behind the window on. */
  readonly horizon: number;
  /** Rows between the starts of neighbouring windows; not together with `starts`. Default 1. */
  readonly stride?: number;
  /** The first row of each window, as `splitWindows` gives them. Default: every window that fits. */
  readonly starts?: ArrayLike<number>;
  /**
   * `level`: targets as they are. `change`: targets minus their value in the last row of the window, so that a model
   * which answers zero repeats the last value. Default `level`.
   */
  readonly targetMode?: 'level' | 'change';
}

const OPTIONS = ['inputs', 'targets', 'window', 'horizon', 'stride', 'starts', 'targetMode'];

/**
 * Sliding windows over a series. The example that starts at row s has as input the rows s to s + window - 1, and as
 * target the `horizon` rows behind them. Nothing is copied until a batch is made: inputs [batch, window, features],
 * targets [batch, horizon] (or [batch, horizon, targets]).
 */
export class WindowDataset implements Dataset {
  readonly inputs: HostArray;
  readonly targets: HostArray;
  readonly window: number;
  readonly horizon: number;
  readonly targetMode: 'level' | 'change';
  /** The first row of each window. */
  readonly starts: Int32Array;
  readonly #features: number;
  readonly #width: number;

  /** @throws TypeError or RangeError for bad options; ERR_DATA when not one window fits. */
  constructor(options: WindowDatasetOptions) {
    checkOptions(options, 'options', OPTIONS);
    this.inputs = toHostArray(options.inputs, 'inputs');
    this.targets = toHostArray(options.targets, 'targets');
    this.window = checkPositiveInteger(options.window, 'window');
    this.horizon = checkPositiveInteger(options.horizon, 'horizon');
    this.targetMode = checkOneOf(options.targetMode ?? 'level', 'targetMode', ['level', 'change']);
    if (this.inputs.shape.length > 2) throw wrongRange('inputs', 'an array [rows, features]', [...this.inputs.shape]);
    if (this.targets.shape.length > 2) throw wrongRange('targets', 'an array [rows, targets]', [...this.targets.shape]);
    if (this.targets.shape[0] !== this.rows) {
      throw wrongRange('targets', `as many rows as inputs (${this.rows})`, [...this.targets.shape]);
    }
    this.#features = this.inputs.shape[1] ?? 1;
    this.#width = this.targets.shape[1] ?? 1;
    if (options.starts === undefined) {
      this.starts = windowStarts(this.rows, this.window, this.horizon, options.stride ?? 1);
    } else {
      if (options.stride !== undefined) throw wrongKind('stride', 'nothing beside starts', options.stride);
      this.starts = Int32Array.from(options.starts);
      const last = this.rows - this.window - this.horizon;
      this.starts.forEach((start, i) => {
        checkInteger(start, `starts[${i}]`, { min: 0, max: last });
      });
    }
  }

  get rows(): number {
    return this.inputs.shape[0] as number;
  }

  get length(): number {
    return this.starts.length;
  }

  get(indices: ArrayLike<number>): Batch {
    const starts = Int32Array.from(indices, (index) => this.#start(index));
    return { inputs: this.inputsAt(starts), targets: this.#targetsAt(starts) };
  }

  /**
   * The inputs of windows that start at these rows: [starts, window, features]. No target rows are needed behind them,
   * so `inputsAt([rows - window])` is what a forecast of the future reads.
   */
  inputsAt(starts: ArrayLike<number>): HostArray {
    const size = this.window * this.#features;
    const data = new Float32Array(starts.length * size);
    for (let i = 0; i < starts.length; i++) {
      const start = checkInteger(starts[i], `starts[${i}]`, { min: 0, max: this.rows - this.window });
      data.set(this.inputs.data.subarray(start * this.#features, start * this.#features + size), i * size);
    }
    return { data, shape: [starts.length, this.window, this.#features] };
  }

  /** The targets' values in the last row of windows that start at these rows: [starts] or [starts, targets]. */
  lastTargetsAt(starts: ArrayLike<number>): HostArray {
    const data = new Float32Array(starts.length * this.#width);
    for (let i = 0; i < starts.length; i++) {
      const start = checkInteger(starts[i], `starts[${i}]`, { min: 0, max: this.rows - this.window });
      const row = (start + this.window - 1) * this.#width;
      data.set(this.targets.data.subarray(row, row + this.#width), i * this.#width);
    }
    return { data, shape: [starts.length, ...this.targets.shape.slice(1)] };
  }

  /** [starts, horizon, …], as `targetMode` says. */
  #targetsAt(starts: Int32Array): HostArray {
    const size = this.horizon * this.#width;
    const data = new Float32Array(starts.length * size);
    starts.forEach((start, i) => {
      const row = (start + this.window) * this.#width;
      data.set(this.targets.data.subarray(row, row + size), i * size);
    });
    const shape = [starts.length, this.horizon, ...this.targets.shape.slice(1)];
    if (this.targetMode === 'level') return { data, shape };
    addLast(data, this.lastTargetsAt(starts).data, starts.length, this.horizon, -1);
    return { data, shape };
  }

  #start(index: number): number {
    const start = this.starts[index];
    if (start === undefined) throw wrongRange('index', `an integer >= 0 and < ${this.length}`, index);
    return start;
  }
}

/**
 * Turns forecasts of the change back into levels: `changes` [batch, horizon] or [batch, horizon, targets] plus `last`
 * [batch] or [batch, targets], the last known values (`lastTargetsAt`).
 */
export function changesToLevels(changes: HostArray, last: HostArray): HostArray {
  const [batch = 0, horizon = 0, ...width] = changes.shape;
  if (last.shape.join() !== [batch, ...width].join()) {
    throw wrongRange('last', `the shape [${[batch, ...width].join(', ')}]`, [...last.shape]);
  }
  const data = Float32Array.from(changes.data);
  addLast(data, last.data, batch, horizon, 1);
  return { data, shape: changes.shape };
}

// values [batch, horizon, width] += sign * last [batch, width], in place.
function addLast(values: Float32Array, last: NumericArray, batch: number, horizon: number, sign: 1 | -1): void {
  const width = batch === 0 ? 0 : last.length / batch;
  for (let example = 0, i = 0; example < batch; example++) {
    for (let step = 0; step < horizon; step++) {
      for (let column = 0; column < width; column++, i++) {
        values[i] = (values[i] as number) + sign * (last[example * width + column] as number);
      }
    }
  }
}

/** The first rows of all windows that fit, `stride` rows apart. @throws ERR_DATA when none does. */
export function windowStarts(rows: number, window: number, horizon: number, stride = 1): Int32Array {
  checkInteger(rows, 'rows', { min: 0 });
  checkPositiveInteger(window, 'window');
  checkPositiveInteger(horizon, 'horizon');
  checkPositiveInteger(stride, 'stride');
  const last = rows - window - horizon;
  if (last < 0) {
    throw new CudnnGruError(
      'ERR_DATA',
      `the series has ${rows} rows; a window of ${window} and a horizon of ${horizon} need at least ${window + horizon}`,
    );
  }
  return Int32Array.from({ length: Math.floor(last / stride) + 1 }, (_, i) => i * stride);
}
