import type { Flushed, FormatSettings, OutputRows, RowFormat } from './sinks.js';
import { Thread } from './thread.js';

/** @internal */
export type FormatRequest =
  | { readonly open: FormatSettings }
  | { readonly rows: OutputRows }
  | { readonly flush: true }
  | { readonly end: true };

/** @internal */
export type FormatAnswer = Uint8Array | Flushed | null;

/** A format in a thread of its own: making text or row groups of many numbers would hold the event loop. */
export class RemoteFormat implements RowFormat {
  readonly #thread: Thread<FormatRequest, FormatAnswer>;

  private constructor(thread: Thread<FormatRequest, FormatAnswer>) {
    this.#thread = thread;
  }

  static async open(settings: FormatSettings): Promise<RemoteFormat> {
    const thread = new Thread<FormatRequest, FormatAnswer>(new URL('./format_thread.js', import.meta.url));
    try {
      await thread.ask({ open: settings });
      return new RemoteFormat(thread);
    } catch (error) {
      await thread.close();
      throw error;
    }
  }

  rows({ row, count, outputs }: OutputRows): Promise<Uint8Array> {
    // Copies: others' rows are in the same buffer.
    const own = outputs.map(({ data, shape }) => ({ data: data.slice(), shape }));
    const buffers = own.map(({ data }) => data.buffer as ArrayBuffer);
    return this.#thread.ask({ rows: { row, count, outputs: own } }, buffers) as Promise<Uint8Array>;
  }

  flush(): Promise<Flushed> {
    return this.#thread.ask({ flush: true }) as Promise<Flushed>;
  }

  end(): Promise<Uint8Array> {
    return this.#thread.ask({ end: true }) as Promise<Uint8Array>;
  }

  finalStart(): undefined {}

  close(): Promise<void> {
    return this.#thread.close();
  }
}
