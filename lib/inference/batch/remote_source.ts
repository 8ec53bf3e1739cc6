import type { TensorSpec } from '../signature.js';
import type { RowSource, SourceItem, SourcePosition } from './source.js';
import { Thread } from './thread.js';

/** @internal */
export type SourceKind = 'csv' | 'jsonl' | 'parquet';

/** @internal What a thread needs to open a file. */
export interface SourceSettings {
  readonly kind: SourceKind;
  readonly path: string;
  readonly spec: TensorSpec;
  readonly columns?: readonly string[];
}

/** @internal */
export type SourceRequest =
  | { readonly open: SourceSettings }
  | { readonly count: true }
  | { readonly read: SourcePosition; readonly rows: number }
  | { readonly next: true };

/** @internal */
export type SourceAnswer = { readonly size: number } | { readonly rows: number } | { readonly items: SourceItem[] };

/** A file that a thread of its own reads and parses: a chunk of text or a row group would hold the event loop. */
export class RemoteSource implements RowSource {
  readonly size: number;
  readonly #thread: Thread<SourceRequest, SourceAnswer>;

  private constructor(thread: Thread<SourceRequest, SourceAnswer>, size: number) {
    this.#thread = thread;
    this.size = size;
  }

  static async open(settings: SourceSettings): Promise<RemoteSource> {
    const thread = new Thread<SourceRequest, SourceAnswer>(new URL('./source_thread.js', import.meta.url));
    try {
      const { size } = (await thread.ask({ open: settings })) as { size: number };
      return new RemoteSource(thread, size);
    } catch (error) {
      await thread.close();
      throw error;
    }
  }

  async countRows(): Promise<number> {
    return ((await this.#thread.ask({ count: true })) as { rows: number }).rows;
  }

  async *read(from: SourcePosition = { rows: 0, end: 0 }, rows = Number.POSITIVE_INFINITY): AsyncGenerator<SourceItem> {
    await this.#thread.ask({ read: from, rows });
    const ask = () => {
      const answer = this.#thread.ask({ next: true }) as Promise<{ items: SourceItem[] }>;
      answer.catch(() => undefined); // answered when it is awaited
      return answer;
    };
    // The thread reads on while these are computed.
    for (let next = ask(); ; ) {
      const { items } = await next;
      if (items.length === 0) return;
      next = ask();
      yield* items;
    }
  }

  close(): Promise<void> {
    return this.#thread.close();
  }
}
