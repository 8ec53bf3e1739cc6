import Type from 'typebox';
import { wrongRange } from '../arguments.js';
import { EncoderDecoder, type TranslateOptions, translate } from '../tasks/index.js';
import type { Task } from './task_routes.js';

const properties = {
  texts: Type.Array(Type.String({ minLength: 1 }), { minItems: 1, maxItems: 64 }),
  width: Type.Optional(Type.Integer({ minimum: 1, maximum: 64, description: 'Hypotheses of the search (default: 4)' })),
  nBest: Type.Optional(Type.Integer({ minimum: 1, maximum: 64, description: 'Answers to each text (default: 1)' })),
  maxLength: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 10_000,
      description: 'The most tokens of an answer (default: as the longest target in training)',
    }),
  ),
  lengthPenalty: Type.Optional(Type.Number({ minimum: 0 })),
};

/** `/translate`: from one sequence of tokens to another, by beam search. */
export const translateTask: Task = {
  name: 'translate',
  summary: 'Translates texts, or whatever pairs of texts a model has learnt',
  properties,

  serves: ({ model }) => model instanceof EncoderDecoder && model.preprocessing !== null,

  async answer(served, body, signal) {
    const { model: _, texts, ...options } = body as { model?: string; texts: string[] } & TranslateOptions;
    const long = texts.findIndex(({ length }) => length > served.maxSteps);
    if (long >= 0) throw wrongRange(`texts[${long}]`, `at most ${served.maxSteps} characters`, texts[long]);
    const search = () => translate(served.model as EncoderDecoder, texts, { ...options, signal });
    const found = await served.compute(search, signal);
    return {
      results: found.map((answers) =>
        answers.map(({ text, logProbability, score }) => ({ text, logProbability, score })),
      ),
    };
  },
};
