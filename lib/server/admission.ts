import type { FastifyReply, FastifyRequest } from 'fastify';
import { HttpError } from './http_errors.js';

/** Keeps the bodies of all requests that are not answered yet within a number of bytes. */
export class Admission {
  readonly #maxBody: number;
  readonly #maxPending: number;
  #pending = 0;

  constructor(maxBody: number, maxPending: number) {
    this.#maxBody = maxBody;
    this.#maxPending = maxPending;
  }

  /** Before the body is read. One that does not say its length may become as long as any. @throws HttpError 503 */
  admit({ headers }: FastifyRequest, reply: FastifyReply): void {
    const isChunked = headers['transfer-encoding'] !== undefined;
    const bytes = isChunked ? this.#maxBody : Math.min(Number(headers['content-length'] ?? 0), this.#maxBody);
    if (bytes === 0) return;
    if (this.#pending + bytes > this.#maxPending) {
      throw new HttpError(503, 'ERR_BUSY', 'the requests that are not answered yet are as large as allowed together');
    }
    this.#pending += bytes;
    reply.raw.once('close', () => {
      this.#pending -= bytes;
    });
  }
}
