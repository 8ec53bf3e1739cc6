import { parentPort, type Transferable, Worker } from 'node:worker_threads';
import { argumentRangeError, argumentTypeError, CudnnGruError, type ErrorCode } from '../../errors.js';

/** What an answer is, and what of it goes to the other thread instead of being copied. */
export interface Sent<T> {
  readonly value: T;
  readonly transfer?: readonly Transferable[];
}

type Reply<T> = { readonly value: T } | { readonly failure: { code: string | undefined; message: string } };

/** A worker thread that answers requests one after another: for work on files that would hold the event loop. */
export class Thread<Request, Answer> {
  readonly #worker: Worker;
  readonly #waiting: { resolve(answer: Answer): void; reject(error: Error): void }[] = [];
  #ended: Error | undefined;

  /** @param entry a module that calls `answerRequests` */
  constructor(entry: URL) {
    // Options of this process, as --input-type, are not the thread's.
    this.#worker = new Worker(entry, { execArgv: [] });
    this.#worker.on('message', (reply: Reply<Answer>) => {
      const asked = this.#waiting.shift();
      if ('value' in reply) asked?.resolve(reply.value);
      else asked?.reject(errorOf(reply.failure));
    });
    const end = (error: Error) => {
      this.#ended ??= error;
      for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
    };
    this.#worker.on('error', (cause) =>
      end(new CudnnGruError('ERR_INTERNAL', `a worker thread failed: ${cause.message}`, { cause })),
    );
    this.#worker.on('exit', () => end(new CudnnGruError('ERR_ABORTED', 'the worker thread has ended')));
  }

  ask(request: Request, transfer: readonly Transferable[] = []): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#ended) {
        reject(this.#ended);
        return;
      }
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(request, transfer as Transferable[]);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** In a thread: answers what `Thread.ask` asks. */
export function answerRequests<Request, Answer>(answer: (request: Request) => Promise<Sent<Answer>>): void {
  let last: Promise<void> = Promise.resolve();
  parentPort?.on('message', (request: Request) => {
    last = last.then(async () => {
      try {
        const { value, transfer = [] } = await answer(request);
        parentPort?.postMessage({ value } satisfies Reply<Answer>, transfer as Transferable[]);
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        parentPort?.postMessage({ failure: { code, message } } satisfies Reply<Answer>);
      }
    });
  });
}

// A message between threads carries neither an error's class nor its code.
function errorOf({ code, message }: { code: string | undefined; message: string }): Error {
  if (code === 'ERR_INVALID_ARG_TYPE') return argumentTypeError(message);
  if (code === 'ERR_OUT_OF_RANGE') return argumentRangeError(message);
  return new CudnnGruError((code ?? 'ERR_INTERNAL') as ErrorCode, message);
}
