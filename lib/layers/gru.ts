import {
  checkBoolean,
  checkInteger,
  checkNumber,
  checkOneOf,
  checkOptions,
  checkPositiveInteger,
  wrongKind,
  wrongRange,
} from '../arguments.js';
import { noGrad } from '../autograd/tape.js';
import { CudnnGruError } from '../errors.js';
import { backwardsError, type StreamStates } from '../inference/stream_states.js';
import { addon } from '../native/load.js';
import { type GruAlgorithm, gruAlgorithms } from '../ops/gru_algorithm.js';
import { type GruOptions, type GruVariant, gru, type Lengths, type Precision } from '../ops/index.js';
import { checkTensor, checkTensorShape } from '../ops/result.js';
import { uniform } from '../tensor/creation.js';
import type { Device } from '../tensor/device.js';
import { defaultGenerator, Generator } from '../tensor/generator.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { type Architecture, Module } from './module.js';
import { type BlockLayout, type LayerOptions, layerOptions, placeTogether, uniformParameters } from './parameters.js';
import { QuantizedGRU } from './quantized_gru.js';

export interface GRUOptions extends LayerOptions {
  /** Features of each step of the input. */
  inputSize: number;
  /** Features of the hidden state. */
  hiddenSize: number;
  /** Stacked layers, at most 1000. Default: 1. */
  numLayers?: number;
  /** Whether a second direction reads each sequence backwards; its outputs are appended. Default: false. */
  bidirectional?: boolean;
  /** Dropout on every layer's output but the last one's, in training; none with a single layer, as in PyTorch. Default: 0. */
  dropout?: number;
  /** Whether the cell has biases. Default: true. */
  bias?: boolean;
  /** Default: 'resetAfter', the cell of cuDNN, PyTorch and Keras; 'resetBefore' is that of Cho et al. 2014. */
  variant?: GruVariant;
  /** How a GPU runs it; see `ops.gru`. Default: 'auto'. */
  algorithm?: GruAlgorithm;
  /** Sequences are [time, batch, features]. Default: false, [batch, time, features]. */
  timeMajor?: boolean;
}

interface ParameterName {
  name: `weight_${string}` | `bias_${string}`;
  shape: number[];
}

export interface GRUInputs {
  /** [numLayers × directions, batch, hiddenSize]. Default: zeros. */
  initialHidden?: Tensor | null;
  /** Valid steps of each row, 0 to time, on the host. Default: all. */
  lengths?: Lengths | null;
}

type RunOptions = Required<Pick<GruOptions, 'generator' | 'algorithm' | 'initialHidden' | 'lengths'>>;

/** The sizes of a call that `GRU.tune` measures. */
export interface GRUCallShape {
  batch: number;
  time: number;
  /** With gradients. Default: whether the layer is in training. */
  training?: boolean;
  /** With rows of several lengths. Default: false. */
  lengths?: boolean;
}

/**
 * A stack of gated recurrent units (Cho et al. 2014). The formulas are those of `ops.gru`.
 *
 * Parameters have PyTorch's names, shapes, gate order (r, z, n) and initial distribution, U(-1/√hiddenSize, 1/√hiddenSize):
 * `weight_ih_l0` [3H, inputSize], `weight_hh_l0` [3H, H], `bias_ih_l0` [3H], `bias_hh_l0` [3H], then `_l0_reverse`, `_l1`, …
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_UNAVAILABLE`, `ERR_OUT_OF_MEMORY`
 */
export class GRU extends Module {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly bidirectional: boolean;
  readonly dropout: number;
  readonly bias: boolean;
  readonly variant: GruVariant;
  readonly timeMajor: boolean;
  /** How a GPU runs it. Not part of the architecture: a model that is loaded has 'auto'. */
  algorithm: GruAlgorithm;
  /** Draws the dropout masks; a Trainer puts its own here. */
  generator: Generator;
  readonly #parameters: readonly ParameterName[];
  [weight: `weight_${string}`]: Tensor;
  [bias: `bias_${string}`]: Tensor;

  constructor(options: GRUOptions) {
    super();
    checkOptions(options, 'options', [
      'inputSize',
      'hiddenSize',
      'numLayers',
      'bidirectional',
      'dropout',
      'bias',
      'variant',
      'timeMajor',
      'algorithm',
      ...layerOptions,
    ]);
    this.inputSize = checkPositiveInteger(options.inputSize, 'inputSize');
    this.hiddenSize = checkPositiveInteger(options.hiddenSize, 'hiddenSize');
    this.numLayers = checkInteger(options.numLayers ?? 1, 'numLayers', { min: 1, max: 1000 });
    this.bidirectional = checkBoolean(options.bidirectional ?? false, 'bidirectional');
    this.dropout = checkNumber(options.dropout ?? 0, 'dropout', { min: 0, below: 1 });
    this.bias = checkBoolean(options.bias ?? true, 'bias');
    this.variant = checkOneOf(options.variant ?? 'resetAfter', 'variant', ['resetAfter', 'resetBefore']);
    this.timeMajor = checkBoolean(options.timeMajor ?? false, 'timeMajor');
    this.algorithm = checkOneOf(options.algorithm ?? 'auto', 'algorithm', gruAlgorithms);
    this.generator = options.generator ?? defaultGenerator;
    this.#parameters = this.#parameterNames();
    const shapes = this.#parameters.map(({ shape }) => shape);
    const drawn = uniformParameters(shapes, 1 / Math.sqrt(this.hiddenSize), options, (device) =>
      this.#layoutOn(device),
    );
    for (const [index, { name }] of this.#parameters.entries()) this[name] = drawn[index] as Tensor;
  }

  override architecture(): Architecture {
    const { inputSize, hiddenSize, numLayers, bidirectional, dropout, bias, variant, timeMajor } = this;
    const options = { inputSize, hiddenSize, numLayers, bidirectional, dropout, bias, variant, timeMajor };
    return { type: 'GRU', options };
  }

  override quantize(precision: Precision): QuantizedGRU {
    return super.quantize(precision) as QuantizedGRU;
  }

  /** @internal */
  toQuantized(precision: Precision): QuantizedGRU {
    if (this.variant !== 'resetAfter') {
      throw new CudnnGruError(
        'ERR_UNSUPPORTED',
        `quantize: a GRU of the variant '${this.variant}' cannot be quantized`,
      );
    }
    return QuantizedGRU.of(this, precision);
  }

  /**
   * Runs the stack over whole sequences.
   *
   * @param x [batch, time, inputSize], or [time, batch, inputSize] with `timeMajor`
   * @returns output [batch, time, directions × hiddenSize] (or time-major), 0 after a row's length; hidden
   * [numLayers × directions, batch, hiddenSize], the state after each row's last valid step
   * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_MISMATCH`
   */
  forward(x: Tensor, inputs: GRUInputs = {}): { output: Tensor; hidden: Tensor } {
    checkOptions(inputs, 'inputs', ['initialHidden', 'lengths']);
    if (checkTensor(x, 'x', 'float32', 3).shape[2] !== this.inputSize) {
      const axes = this.timeMajor ? 'time, batch' : 'batch, time';
      throw wrongRange('x', `a Tensor of shape [${axes}, ${this.inputSize}]`, x);
    }
    return this.#run(x, {
      generator: this.generator,
      algorithm: this.algorithm,
      initialHidden: inputs.initialHidden ?? null,
      lengths: inputs.lengths ?? null,
    });
  }

  /**
   * Measures how the device computes calls of these sizes fastest, in the precision of `withPrecision`, so that no later call has to. The
   * choice is kept: in this process, in the user's cache folder for those to come, and in checkpoints. Does nothing on a device that
   * knows a single way, and for what is on record already.
   *
   * @throws TypeError, RangeError; CudnnGruError of the device
   */
  async tune(shapes: readonly GRUCallShape[]): Promise<void> {
    if (!Array.isArray(shapes)) throw wrongKind('shapes', 'an array of { batch, time }', shapes);
    const { device } = this.#weights()[0] as Tensor;
    // All before the first await, so within the caller's scopes.
    const states = shapes.map((shape, index) => {
      const name = `shapes[${index}]`;
      checkOptions(shape, name, ['batch', 'time', 'training', 'lengths']);
      const batch = checkPositiveInteger(shape.batch, `${name}.batch`);
      const time = checkPositiveInteger(shape.time, `${name}.time`);
      const training = checkBoolean(shape.training ?? this.training, `${name}.training`);
      const lengths = checkBoolean(shape.lengths ?? false, `${name}.lengths`)
        ? Int32Array.from({ length: batch }, (_, row) => Math.max(1, time - row))
        : null;
      return scope(() => {
        const generator = new Generator(0);
        const sizes = this.timeMajor ? [time, batch] : [batch, time];
        const x = uniform([...sizes, this.inputSize], -1, 1, { device, generator });
        const run = () => this.#run(x, { generator, algorithm: 'tuned', initialHidden: null, lengths }, training);
        return (training ? run() : noGrad(run)).hidden;
      });
    });
    try {
      await Promise.all(states.map((state) => state.data()));
    } finally {
      for (const state of states) state.dispose();
    }
  }

  #run(x: Tensor, options: RunOptions, training = this.training): { output: Tensor; hidden: Tensor } {
    // Written out: a spread of `options` costs as much as a quarter of one step of one row.
    return gru(x, this.#weights(), {
      generator: options.generator,
      algorithm: options.algorithm,
      initialHidden: options.initialHidden,
      lengths: options.lengths,
      numLayers: this.numLayers,
      bidirectional: this.bidirectional,
      bias: this.bias,
      variant: this.variant,
      timeMajor: this.timeMajor,
      dropout: training ? this.dropout : 0,
    });
  }

  override get stateSize(): number {
    return this.numLayers * this.hiddenSize;
  }

  /** @returns the last layer's state, [batch, hiddenSize] */
  override step(x: Tensor, states: StreamStates): Tensor {
    if (this.bidirectional) throw backwardsError(this);
    checkTensorShape(x, 'x', [x.shape[0] as number, this.inputSize]);
    const { numLayers, bias, variant } = this;
    const steps = x.reshape(1, -1, this.inputSize);
    const initialHidden = states.read(this, numLayers);
    const { output, hidden } = gru(steps, this.#weights(), {
      numLayers,
      bias,
      variant,
      timeMajor: true,
      initialHidden,
    });
    states.write(this, hidden);
    return output.reshape(-1, this.hiddenSize);
  }

  #weights(): Tensor[] {
    return this.#parameters.map(({ name }) => this[name] as Tensor);
  }

  /** @internal All parameters move as one block, in the layout that the device's kernels want. */
  protected override placeOn(device: Device, parameters: readonly Tensor[]): Tensor[] {
    if (parameters.length !== this.#parameters.length) return super.placeOn(device, parameters);
    return placeTogether(parameters, this.#layoutOn(device), device, (from, to) => to.write(from.dataSync()));
  }

  #layoutOn(device: Device): BlockLayout {
    const { inputSize, hiddenSize, numLayers, bidirectional, bias } = this;
    const directions = bidirectional ? 2 : 1;
    const [elements, ...offsets] = addon.gruLayout(device.index, inputSize, hiddenSize, numLayers, directions, bias);
    return { elements: elements as number, offsets };
  }

  #parameterNames(): ParameterName[] {
    const { inputSize, hiddenSize } = this;
    const directions = this.bidirectional ? ['', '_reverse'] : [''];
    const names: ParameterName[] = [];
    for (let layer = 0; layer < this.numLayers; layer++) {
      for (const direction of directions) {
        const suffix = `l${layer}${direction}`;
        const columns = layer === 0 ? inputSize : directions.length * hiddenSize;
        names.push({ name: `weight_ih_${suffix}`, shape: [3 * hiddenSize, columns] });
        names.push({ name: `weight_hh_${suffix}`, shape: [3 * hiddenSize, hiddenSize] });
        if (!this.bias) continue;
        names.push({ name: `bias_ih_${suffix}`, shape: [3 * hiddenSize] });
        names.push({ name: `bias_hh_${suffix}`, shape: [3 * hiddenSize] });
      }
    }
    return names;
  }
}

export type GRUCellOptions = Pick<GRUOptions, 'inputSize' | 'hiddenSize' | 'bias' | 'variant' | 'device' | 'generator'>;

/**
 * One step of a gated recurrent unit, for loops of one's own. Parameters `weight_ih` [3H, inputSize], `weight_hh` [3H, H], `bias_ih` [3H],
 * `bias_hh` [3H], as torch.nn.GRUCell. Whole sequences are much faster through `GRU`.
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_UNAVAILABLE`, `ERR_OUT_OF_MEMORY`
 */
export class GRUCell extends Module {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly variant: GruVariant;
  weight_ih: Tensor;
  weight_hh: Tensor;
  bias_ih: Tensor | null = null;
  bias_hh: Tensor | null = null;

  constructor(options: GRUCellOptions) {
    super();
    checkOptions(options, 'options', ['inputSize', 'hiddenSize', 'bias', 'variant', ...layerOptions]);
    this.inputSize = checkPositiveInteger(options.inputSize, 'inputSize');
    this.hiddenSize = checkPositiveInteger(options.hiddenSize, 'hiddenSize');
    this.variant = checkOneOf(options.variant ?? 'resetAfter', 'variant', ['resetAfter', 'resetBefore']);
    const rows = 3 * this.hiddenSize;
    const shapes = [
      [rows, this.inputSize],
      [rows, this.hiddenSize],
    ];
    if (checkBoolean(options.bias ?? true, 'bias')) shapes.push([rows], [rows]);
    const [weightIh, weightHh, biasIh, biasHh] = uniformParameters(shapes, 1 / Math.sqrt(this.hiddenSize), options);
    this.weight_ih = weightIh as Tensor;
    this.weight_hh = weightHh as Tensor;
    this.bias_ih = biasIh ?? null;
    this.bias_hh = biasHh ?? null;
  }

  override architecture(): Architecture {
    const { inputSize, hiddenSize, variant } = this;
    return { type: 'GRUCell', options: { inputSize, hiddenSize, variant, bias: this.bias_ih !== null } };
  }

  /**
   * @param x [batch, inputSize]
   * @param hidden [batch, hiddenSize]; default: zeros
   * @returns the next hidden state [batch, hiddenSize]
   * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_MISMATCH`
   */
  forward(x: Tensor, hidden: Tensor | null = null): Tensor {
    const weights = [this.weight_ih, this.weight_hh, this.bias_ih, this.bias_hh].filter((weight) => weight !== null);
    if (checkTensor(x, 'x', 'float32', 2).shape[1] !== this.inputSize) {
      throw wrongRange('x', `a Tensor of shape [batch, ${this.inputSize}]`, x);
    }
    if (hidden) checkTensorShape(hidden, 'hidden', [x.shape[0] as number, this.hiddenSize]);
    const { hidden: next } = gru(x.reshape(x.shape[0] as number, 1, this.inputSize), weights, {
      bias: this.bias_ih !== null,
      variant: this.variant,
      initialHidden: hidden?.reshape(1, ...hidden.shape) ?? null,
    });
    return next.reshape(x.shape[0] as number, this.hiddenSize);
  }
}
