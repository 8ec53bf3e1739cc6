import { CudnnGruError } from '../../errors.js';
import type { Module } from '../../layers/module.js';
import { buildModule } from '../../layers/registry.js';
import { withMeasuredGru } from '../../ops/gru_algorithm.js';
import { type Device, type DeviceName, deviceOf } from '../../tensor/device.js';
import { computeBatch, type HostTensors } from '../compute_batch.js';
import { type Signature, signatureOf } from '../signature.js';

// While a device computes one batch, the next two lie in its queue: JavaScript may be late by a batch.
const batchesAtOnce = 3;

interface Executor {
  readonly device: Device;
  readonly signature: Signature;
  running: number;
}

/** A model on one device or several, which take the batches in turn, each as it is free. */
export class Executors {
  readonly signature: Signature;
  readonly #all: Executor[] = [];
  readonly #copies: Module[] = [];
  readonly #waiting: (() => void)[] = [];

  private constructor(model: Module) {
    this.signature = signatureOf(model);
  }

  /** @param names default: where the model is. Elsewhere it is copied. */
  static async of(model: Module, names: readonly (DeviceName | 'auto')[]): Promise<Executors> {
    const executors = new Executors(model);
    const own = model.parameters()[0]?.on ?? deviceOf();
    const devices = new Set(names.length > 0 ? names.map((name) => deviceOf(name)) : [own]);
    for (const device of devices) {
      if (device === own) {
        executors.#all.push({ device, signature: executors.signature, running: 0 });
        continue;
      }
      const copy = buildModule(model.architecture());
      executors.#copies.push(copy);
      await copy.loadStateDict(await model.stateDict());
      copy.preprocessing = model.preprocessing;
      copy.eval().to(device.name);
      executors.#all.push({ device, signature: signatureOf(copy), running: 0 });
    }
    return executors;
  }

  get devices(): readonly Device[] {
    return this.#all.map(({ device }) => device);
  }

  /** `computeBatch` as soon as a device is free, in the order of the calls. */
  async compute(calls: readonly HostTensors[], wanted?: readonly number[]): Promise<HostTensors[]> {
    let executor = this.#free();
    while (!executor) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
      executor = this.#free();
    }
    executor.running++;
    try {
      const { signature, device } = executor;
      return await withMeasuredGru(() => computeBatch(signature, device, calls, wanted));
    } finally {
      executor.running--;
      this.#waiting.shift()?.();
    }
  }

  dispose(): void {
    for (const copy of this.#copies) copy.dispose();
  }

  #free(): Executor | undefined {
    const [least] = [...this.#all].sort((a, b) => a.running - b.running);
    if (!least) throw new CudnnGruError('ERR_INTERNAL', 'no device');
    return least.running < batchesAtOnce ? least : undefined;
  }
}
