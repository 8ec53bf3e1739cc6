import { checkNumber, checkOptions, checkPositiveInteger } from '../arguments.js';
import { CudnnGruError } from '../errors.js';
import type { Module } from '../layers/module.js';
import { type Device, type DeviceName, deviceOf } from '../tensor/device.js';
import type { Tensor } from '../tensor/tensor.js';
import { type StepProgram, traceStep } from './step_program.js';
import { Stream } from './stream.js';
import { type PoolRow, type StreamedModel, StreamPool } from './stream_pool.js';
import { type StateLayout, stateLayout } from './stream_states.js';

export interface StreamOptions {
  /** Where the model is. Default: that. */
  device?: DeviceName | 'auto';
  /** Milliseconds that a frame is held back, at most, for others to come while a batch is being computed. Default: 2. */
  deadline?: number;
  /** Features of a frame, for a model of one's own without a property `inputSize`. Default: that property. */
  inputSize?: number;
}

// States that share a block, so that their streams' frames can be computed together.
const blockFloats = 4 << 20;
const [leastCapacity, mostCapacity] = [16, 1024];

const known = new WeakMap<Module, StreamingModel>();

/** @internal What `Module.createStream` does. */
export function openStream(model: Module, options: StreamOptions): Stream {
  checkOptions(options, 'options', ['device', 'deadline', 'inputSize']);
  const deadline = checkNumber(options.deadline ?? 2, 'deadline', { min: 0 });
  const device = (model.parameters()[0] as Tensor | undefined)?.on ?? deviceOf(options.device);
  if (options.device !== undefined && deviceOf(options.device) !== device) {
    throw new CudnnGruError(
      'ERR_DEVICE_MISMATCH',
      `createStream: the model is on ${device.name}, not on ${deviceOf(options.device).name}; move it with to()`,
    );
  }
  const inputSize = checkPositiveInteger(
    options.inputSize ?? (model as { inputSize?: unknown }).inputSize,
    'inputSize',
  );
  let streaming = known.get(model);
  if (!streaming?.fits(device, inputSize)) {
    streaming = new StreamingModel(model, inputSize, device);
    known.set(model, streaming);
  }
  return new Stream(streaming, deadline);
}

/** @internal A model that streams, with what all its streams share. */
export class StreamingModel implements StreamedModel {
  readonly model: Module;
  readonly device: Device;
  readonly inputSize: number;
  readonly outputSize: number;
  readonly layout: StateLayout;
  /** For one stream alone, on the calling thread; null where the device cannot. */
  readonly program: StepProgram | null;
  readonly #parameters: readonly Tensor[];
  readonly #pools: StreamPool[] = [];

  constructor(model: Module, inputSize: number, device: Device) {
    this.model = model;
    this.device = device;
    this.inputSize = inputSize;
    this.layout = stateLayout(model);
    this.#parameters = model.parameters();
    const { outputSize, program } = traceStep(this);
    this.outputSize = outputSize;
    this.program = program;
  }

  /** Whether new streams of the model can be among these: its parameters are still the same tensors. */
  fits(device: Device, inputSize: number): boolean {
    return device === this.device && inputSize === this.inputSize && !this.#parameters.some(({ disposed }) => disposed);
  }

  takeRow(): PoolRow {
    for (const pool of this.#pools) {
      const taken = pool.take();
      if (taken) return taken;
    }
    const capacity = Math.floor(blockFloats / Math.max(1, this.layout.size));
    this.#pools.push(new StreamPool(this, Math.min(mostCapacity, Math.max(leastCapacity, capacity))));
    return this.takeRow();
  }
}
