import { Readable } from 'node:stream';
import { publicError } from './http_errors.js';

/**
 * Server-sent events: one with each part, then `done` with `last`, or `error`. Parts are asked for as the client takes them.
 *
 * @throws what the first part throws: nothing has been sent then
 */
export async function eventStream(parts: AsyncIterable<object>, last: object): Promise<Readable> {
  const iterator = parts[Symbol.asyncIterator]();
  let next = await iterator.next();
  async function* events(): AsyncGenerator<string> {
    try {
      for (; !next.done; next = await iterator.next()) yield `data: ${JSON.stringify(next.value)}\n\n`;
      yield `event: done\ndata: ${JSON.stringify(last)}\n\n`;
    } catch (error) {
      const { error: text, code } = publicError(error as Error);
      yield `event: error\ndata: ${JSON.stringify({ error: text, code })}\n\n`;
    } finally {
      await iterator.return?.();
    }
  }
  return Readable.from(events());
}
