import Type from 'typebox';
import { wrongRange } from '../arguments.js';
import { type GenerateTextOptions, generateText, LanguageModel } from '../tasks/index.js';
import { HttpError } from './http_errors.js';
import type { ServedModel } from './served_model.js';
import type { Task } from './task_routes.js';

// Texts that one model writes at once; each takes the device for one token at a time.
const mostAtOnce = 32;
const writing = new WeakMap<ServedModel, number>();

const properties = {
  prompt: Type.String({ minLength: 1 }),
  length: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000, description: 'Tokens to write (default: 200)' })),
  temperature: Type.Optional(
    Type.Number({ minimum: 0, description: '0, the default: always the most probable token' }),
  ),
  topK: Type.Optional(Type.Integer({ minimum: 1 })),
  topP: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
  seed: Type.Optional(Type.Integer({ minimum: 0 })),
  repetitionPenalty: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
};

interface Piece {
  readonly text: string;
}

/** `/generate`: the text behind a prompt. */
export const generateTask: Task = {
  name: 'generate',
  summary: 'Goes on writing where a prompt ends, piece by piece for clients that accept text/event-stream',
  properties,

  serves: ({ model }) => model instanceof LanguageModel && model.preprocessing !== null,

  async answer(served, body, signal) {
    let text = '';
    for await (const piece of pieces(served, body, signal)) text += piece.text;
    return { text };
  },

  parts: pieces,
};

async function* pieces(served: ServedModel, body: unknown, signal: AbortSignal): AsyncGenerator<Piece> {
  const { model: _, prompt, ...options } = body as { model?: string; prompt: string } & GenerateTextOptions;
  if (prompt.length > served.maxSteps) throw wrongRange('prompt', `at most ${served.maxSteps} characters`, prompt);
  const others = writing.get(served) ?? 0;
  if (others >= mostAtOnce) throw new HttpError(503, 'ERR_BUSY', `${others} texts are being written already`);
  writing.set(served, others + 1);
  try {
    for await (const text of served.hold(generateText(served.model as LanguageModel, prompt, { ...options, signal }))) {
      yield { text };
    }
  } finally {
    writing.set(served, (writing.get(served) as number) - 1);
  }
}
