import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { checkInteger } from '../arguments.js';
import { type Audio, parseWav } from '../audio/wav.js';
import { argumentRangeError, CudnnGruError } from '../errors.js';
import { MemorySource } from '../formats/byte_source.js';
import { Transcriber, transcribe } from '../tasks/index.js';
import { HttpError } from './http_errors.js';
import type { ModelRepository } from './model_repository.js';
import { signalOf } from './request_signal.js';
import type { ServerSettings } from './server_options.js';
import { checkDuration } from './sound_duration.js';
import { type ModelUse, modelFor, modelName } from './task_routes.js';

const mostHypotheses = 64;
const soundTypes = ['audio/wav', 'audio/x-wav', 'audio/wave', 'audio/vnd.wave', 'application/octet-stream'];

const use: ModelUse = {
  name: 'transcribe',
  serves: ({ model }) => model instanceof Transcriber && model.preprocessing !== null,
};

// What an address holds is text.
const count = (description: string) => Type.Optional(Type.String({ pattern: '^[0-9]{1,9}$', description }));
const Query = Type.Object(
  {
    model: modelName,
    width: count('Prefixes that the search follows, 1 to 64 (default: 1, no search)'),
    nBest: count('Transcripts to give, at most `width` (default: 1)'),
  },
  { additionalProperties: false },
);

/** `/transcribe`: a WAV file in, what is said in it out. */
export function transcribeRoute(app: FastifyInstance, repository: ModelRepository, settings: ServerSettings): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(soundTypes, { parseAs: 'buffer' }, async (_: unknown, body: Buffer) => body);
  const schema = {
    summary: 'What is said in a WAV file',
    tags: ['Tasks'],
    querystring: Query,
    body: { content: { 'audio/wav': { schema: Type.Unsafe({ description: 'A WAV file' }) } } },
  };
  app.post('/transcribe', { schema }, async (request, reply): Promise<object> => {
    const query = request.query as Type.Static<typeof Query>;
    const served = modelFor(use, repository, query.model);
    const width = countOf(query.width, 'width', mostHypotheses);
    const nBest = countOf(query.nBest, 'nBest', width);
    const signal = signalOf(reply, settings.timeout);
    const audio = await readSound(request.body);
    const model = served.model as Transcriber;
    checkDuration('body', audio.samples.length, model, served.maxSteps);
    const [found = []] = await served.compute(() => transcribe(model, [{ audio }], { width, nBest, signal }), signal);
    const transcripts = found.map(({ tokens: _, ...transcript }) => transcript);
    return { model: served.name, seconds: audio.samples.length / audio.sampleRate, transcripts };
  });
}

function countOf(text: string | undefined, name: string, max: number): number {
  return checkInteger(Number(text ?? 1), name, { min: 1, max });
}

// No file is named in what goes wrong: the body is the file.
async function readSound(body: unknown): Promise<Audio> {
  if (!Buffer.isBuffer(body) || body.length === 0) throw argumentRangeError('body: expected a WAV file, got nothing');
  try {
    return await parseWav(new MemorySource(body));
  } catch (error) {
    if (!(error instanceof CudnnGruError)) throw error;
    throw new HttpError(400, error.code, `body: ${error.message}`);
  }
}
