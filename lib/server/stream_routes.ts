import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import type { RawData, WebSocket } from 'ws';
import { checkOptions, wrongKind, wrongRange } from '../arguments.js';
import { argumentRangeError } from '../errors.js';
import { HttpError, publicError } from './http_errors.js';
import { jsonNumbers } from './inference_response.js';
import { type LiveSession, openSession } from './live_session.js';
import type { ModelRepository } from './model_repository.js';
import type { ServerSettings } from './server_options.js';

// Messages of one client that are being answered. Beyond these its socket is not read; what was read before, in one piece, waits.
const mostPending = 64;
// Closed when the client answers no ping for so long.
const pingMilliseconds = 30_000;
const [goingAway, policyViolation] = [1001, 1008];

/**
 * Live streams: `/v2/models/NAME/stream`, a WebSocket. Each message is answered by one, in their order:
 *
 * - the bytes of a frame (float32, little-endian): the bytes of the output
 * - `{ "frame": [numbers] }`: `{ "output": [numbers] }`; of a detector `{ "score": number, "alarm": boolean }`; of a transcriber, whose frames are
 *   up to 10 s of samples, `{ "text": text, "confidence": number }` of all that was heard
 * - `{ "save": true }`: `{ "state": text }`; `{ "restore": text }`: `{}`
 * - `{ "reset": true }`, which begins a new sequence: `{}`; what was sent before is answered all the same
 * - `{ "end": true }`, which does so too: `{}`; of a transcriber as a frame
 * - anything else: `{ "error": text, "code": text }`; the stream goes on as if it had not come
 *
 * A stream stays with the version of the model that it began with.
 *
 * @returns how many there are
 */
export function streamRoutes(
  app: FastifyInstance,
  repository: ModelRepository,
  settings: ServerSettings,
): () => number {
  const open = new Set<WebSocket>();
  app.addHook('preClose', async () => {
    for (const socket of open) socket.close(goingAway, 'the server ends');
  });
  const Path = Type.Object({ name: Type.String() });
  const options = {
    websocket: true,
    schema: { params: Path },
    async preValidation(request: { params: unknown }) {
      repository.get((request.params as Type.Static<typeof Path>).name);
      if (open.size >= settings.maxStreams)
        throw new HttpError(503, 'ERR_BUSY', `${open.size} streams are open already`);
    },
  } as const;
  app.get('/v2/models/:name/stream', options, (socket, request) => {
    const model = repository.get((request.params as Type.Static<typeof Path>).name);
    void model.use(async () => {
      let session: LiveSession;
      try {
        session = openSession(model);
      } catch (error) {
        socket.close(policyViolation, publicError(error as Error).error.slice(0, 100));
        return;
      }
      open.add(socket);
      await new Conversation(socket, session).ended;
      open.delete(socket);
      session.close();
    });
  });
  return () => open.size;
}

class Conversation {
  /** Resolves when the socket is closed. */
  readonly ended: Promise<void>;
  readonly #socket: WebSocket;
  readonly #session: LiveSession;
  #pending = 0;
  readonly #answering: Promise<unknown>[] = [];
  #begun: Promise<unknown> = Promise.resolve();
  #sent: Promise<void> = Promise.resolve();
  #isAlive = true;

  constructor(socket: WebSocket, session: LiveSession) {
    this.#socket = socket;
    this.#session = session;
    socket.on('message', (data, isBinary) => this.#take(data, isBinary));
    socket.on('pong', () => {
      this.#isAlive = true;
    });
    const ping = setInterval(() => this.#ping(), pingMilliseconds);
    this.ended = new Promise((resolve) =>
      socket.on('close', () => {
        clearInterval(ping);
        resolve();
      }),
    );
  }

  #ping(): void {
    if (!this.#isAlive) this.#socket.terminate();
    this.#isAlive = false;
    this.#socket.ping();
  }

  #take(data: RawData, isBinary: boolean): void {
    const earlier = this.#answering.length < mostPending ? undefined : this.#answering.shift();
    this.#begun = this.#begun.then(() => earlier);
    const answer = this.#begun
      .then(() => this.#answer(data as Buffer, isBinary))
      .catch((error: Error) => {
        const { error: text, code } = publicError(error);
        return JSON.stringify({ error: text, code });
      });
    this.#answering.push(answer);
    if (++this.#pending === mostPending) this.#socket.pause();
    this.#sent = this.#sent.then(async () => {
      const text = await answer;
      // Until the client has room for it.
      await new Promise((resolve) => this.#socket.send(text, resolve));
      if (this.#pending-- === mostPending) this.#socket.resume();
    });
  }

  async #answer(data: Buffer, isBinary: boolean): Promise<Buffer | string> {
    const session = this.#session;
    if (isBinary) {
      const output = await session.push(readFrame(floatsOf(data, 'frame'), session.inputSize));
      return output instanceof Float32Array ? bytesOf(output) : JSON.stringify(output);
    }
    const message = parse(data.toString('utf8'));
    if (message.frame !== undefined) {
      if (!Array.isArray(message.frame)) throw wrongKind('frame', 'an array of numbers', message.frame);
      const wrong = message.frame.findIndex((value) => typeof value !== 'number');
      if (wrong >= 0) throw wrongKind(`frame[${wrong}]`, 'a number', message.frame[wrong]);
      const output = await session.push(readFrame(Float32Array.from(message.frame), session.inputSize));
      return JSON.stringify(output instanceof Float32Array ? { output: jsonNumbers(output, 'output') } : output);
    }
    if (message.save === true) return JSON.stringify({ state: bytesOf(await session.save()).toString('base64') });
    if (message.restore !== undefined) {
      if (typeof message.restore !== 'string') throw wrongKind('restore', 'a saved state', message.restore);
      session.restore(checkFinite(floatsOf(Buffer.from(message.restore, 'base64'), 'restore'), 'restore'));
      return '{}';
    }
    if (message.end === true) return JSON.stringify(await session.end());
    if (message.reset !== true) throw argumentRangeError('message: expected frame, save, restore, reset or end');
    session.reset();
    return '{}';
  }
}

function parse(text: string): Record<string, unknown> {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch (error) {
    throw argumentRangeError(`message: not JSON: ${(error as Error).message}`);
  }
  checkOptions(message, 'message', ['frame', 'save', 'restore', 'reset', 'end']);
  return message as Record<string, unknown>;
}

function readFrame(frame: Float32Array, inputSize: number | null): Float32Array {
  if (inputSize !== null && frame.length !== inputSize) throw wrongRange('frame', `${inputSize} numbers`, frame);
  return checkFinite(frame, 'frame');
}

function checkFinite(values: Float32Array, field: string): Float32Array {
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw wrongRange(`${field}[${wrong}]`, 'a finite float32 number', values[wrong]);
  return values;
}

function floatsOf(bytes: Buffer, field: string): Float32Array {
  if (bytes.length % 4 !== 0) throw argumentRangeError(`${field}: ${bytes.length} bytes are no float32 numbers`);
  return new Float32Array(new Uint8Array(bytes).buffer);
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
