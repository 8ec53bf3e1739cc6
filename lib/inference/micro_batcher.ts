import { CudnnGruError } from '../errors.js';

export interface MicroBatcherOptions<Item, Result> {
  /** Computes a batch: as many results as items, in their order. All items have the same key. */
  run(items: readonly Item[]): Promise<readonly Result[]>;
  /** How many rows of a batch an item takes. */
  rows(item: Item): number;
  /** What items must have in common to be computed together. */
  key(item: Item): string;
  /** Rows of a batch. An item with more is computed alone. */
  maxBatch: number;
  /** Milliseconds that an item is held back, at most, for a batch to fill while another one is computed. */
  maxWait: number;
  /** Items that wait, at most. */
  maxQueue: number;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly since: number;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

// While the device computes one batch, the next may lie in its queue, so that it need not wait for JavaScript between them.
const mostBatchesAtOnce = 2;

/**
 * Computes what many callers ask for, each for a few rows, in batches.
 *
 * It never waits when nothing is being computed: what has arrived by the end of the event loop's turn goes at once. While a batch is being
 * computed, the next gathers until it is full, the one before is done, or its oldest item has waited for `maxWait`. Items are taken in the
 * order of their arrival; one of another key than the oldest stays for a later batch.
 */
export class MicroBatcher<Item, Result> {
  readonly #options: MicroBatcherOptions<Item, Result>;
  #queue: Waiting<Item, Result>[] = [];
  #running = 0;
  #turn: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: MicroBatcherOptions<Item, Result>) {
    this.#options = options;
  }

  /** Items that wait. */
  get queued(): number {
    return this.#queue.length;
  }

  /**
   * @param signal gives the item up: its promise is rejected with the signal's reason, and nothing is computed for it unless that has begun
   * @throws CudnnGruError `ERR_BUSY` when the queue is full; whatever `run` throws for this item
   */
  submit(item: Item, signal?: AbortSignal): Promise<Result> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#queue.length >= this.#options.maxQueue) {
      return Promise.reject(new CudnnGruError('ERR_BUSY', `${this.#queue.length} requests are waiting already`));
    }
    return new Promise<Result>((resolve, reject) => {
      const onAbort = () => {
        this.#queue = this.#queue.filter((other) => other !== waiting);
        reject(signal?.reason);
      };
      const settled = () => signal?.removeEventListener('abort', onAbort);
      const waiting: Waiting<Item, Result> = {
        item,
        since: performance.now(),
        resolve(result) {
          settled();
          resolve(result);
        },
        reject(error) {
          settled();
          reject(error);
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#queue.push(waiting);
      this.#turn ??= setImmediate(() => {
        this.#turn = undefined;
        this.#startDue();
      });
    });
  }

  #startDue(): void {
    clearTimeout(this.#timer);
    while (this.#queue.length > 0 && this.#running < mostBatchesAtOnce) {
      const batch = this.#oldestBatch();
      const wait = this.#running === 0 || batch.full ? 0 : this.#options.maxWait - (performance.now() - batch.since);
      if (wait > 0) {
        this.#timer = setTimeout(() => this.#startDue(), wait);
        return;
      }
      const taken = new Set(batch.items);
      this.#queue = this.#queue.filter((waiting) => !taken.has(waiting));
      void this.#compute(batch.items);
    }
  }

  // The oldest item and those of its key behind it, as far as they fit.
  #oldestBatch(): { items: Waiting<Item, Result>[]; since: number; full: boolean } {
    const { key, rows, maxBatch } = this.#options;
    const oldest = this.#queue[0] as Waiting<Item, Result>;
    const common = key(oldest.item);
    const items: Waiting<Item, Result>[] = [];
    let total = 0;
    for (const waiting of this.#queue) {
      if (key(waiting.item) !== common) continue;
      const more = rows(waiting.item);
      if (items.length > 0 && total + more > maxBatch) return { items, since: oldest.since, full: true };
      items.push(waiting);
      total += more;
    }
    return { items, since: oldest.since, full: total >= maxBatch };
  }

  async #compute(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    this.#running++;
    try {
      const results = await this.#options.run(batch.map(({ item }) => item));
      for (const [i, { resolve }] of batch.entries()) resolve(results[i] as Result);
    } catch (error) {
      // One item's fault must not be the others': each gets its own answer.
      if (batch.length === 1) batch[0]?.reject(error);
      else for (const waiting of batch) await this.#compute([waiting]);
    } finally {
      this.#running--;
      this.#startDue();
    }
  }
}
