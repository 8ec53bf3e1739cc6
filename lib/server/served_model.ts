import { batchKey, computeBatch, type HostTensors } from '../inference/compute_batch.js';
import { MicroBatcher } from '../inference/micro_batcher.js';
import { type Signature, signatureOf } from '../inference/signature.js';
import type { Module } from '../layers/module.js';
import { deviceOf } from '../tensor/device.js';
import { elementCount } from '../tensor/tensor.js';
import type { ServerSettings } from './server_options.js';

/**
 * One version of a model that is served, with its queue of requests. It stays alive until it has been retired and everybody who uses it is
 * done.
 */
export class ServedModel {
  readonly signature: Signature;
  /** Steps of one request. */
  readonly maxSteps: number;
  readonly #batcher: MicroBatcher<HostTensors, HostTensors>;
  readonly #jobs: MicroBatcher<() => Promise<unknown>, unknown>;
  #users = 0;
  #retired = false;

  /**
   * @param model taken over
   * @param onBatch called with the rows of each batch
   * @throws CudnnGruError `ERR_UNSUPPORTED` for a module that does not say what it computes
   */
  constructor(
    readonly name: string,
    readonly version: number,
    readonly model: Module,
    settings: ServerSettings,
    onBatch: (rows: number) => void,
  ) {
    this.signature = signatureOf(model);
    const device = deviceOf(settings.device);
    const { maxBatch, maxWait, maxQueue } = settings;
    const limits = { maxBatch, maxWait, maxQueue };
    this.maxSteps = settings.maxSteps;
    this.#batcher = new MicroBatcher({
      run: (calls) => {
        onBatch(calls.reduce((sum, call) => sum + rowsOf(call), 0));
        return computeBatch(this.signature, device, calls);
      },
      // A batch holds no more steps than a request may.
      rows: (call) => Math.max(rowsOf(call), Math.ceil((stepsOf(this.signature, call) * maxBatch) / settings.maxSteps)),
      key: (call) => batchKey(this.signature, call),
      ...limits,
    });
    this.#jobs = new MicroBatcher<() => Promise<unknown>, unknown>({
      run: async ([job]) => [await job?.()],
      rows: () => 1,
      key: () => '',
      ...limits,
      maxBatch: 1,
    });
  }

  /** Requests that wait for this version. */
  get queued(): number {
    return this.#batcher.queued + this.#jobs.queued;
  }

  /** @throws CudnnGruError `ERR_BUSY` when the queue is full; what the operations throw */
  infer(inputs: HostTensors, signal?: AbortSignal): Promise<HostTensors> {
    return this.use(() => this.#batcher.submit(inputs, signal));
  }

  /** As `infer`, for work that is more than one call and cannot be put together with others'. */
  compute<T>(job: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.use(() => this.#jobs.submit(job, signal) as Promise<T>);
  }

  /** Keeps the model alive while `work` goes on. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    this.#users++;
    try {
      return await work();
    } finally {
      this.#users--;
      this.#disposeIfUnused();
    }
  }

  /** Keeps the model alive while somebody asks for further values. */
  async *hold<T>(values: AsyncIterable<T>): AsyncGenerator<T> {
    this.#users++;
    try {
      yield* values;
    } finally {
      this.#users--;
      this.#disposeIfUnused();
    }
  }

  /** No new requests will come: gives the memory back as soon as the last one is answered. */
  retire(): void {
    this.#retired = true;
    this.#disposeIfUnused();
  }

  #disposeIfUnused(): void {
    if (this.#retired && this.#users === 0) this.model.dispose();
  }
}

function rowsOf(call: HostTensors): number {
  return call[0]?.shape[0] as number;
}

function stepsOf({ inputs }: Signature, call: HostTensors): number {
  return Math.max(
    ...inputs.map(({ shape }, i) => (shape[1] === 'time' ? elementCount(call[i]?.shape.slice(0, 2) ?? []) : 0)),
  );
}
