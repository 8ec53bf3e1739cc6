import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { quote } from '../arguments.js';
import { classifyTask } from './classify_task.js';
import { detectTask } from './detect_task.js';
import { eventStream } from './event_stream.js';
import { forecastTask } from './forecast_task.js';
import { generateTask } from './generate_task.js';
import { HttpError } from './http_errors.js';
import type { ModelRepository } from './model_repository.js';
import { signalOf } from './request_signal.js';
import type { ServedModel } from './served_model.js';
import type { ServerSettings } from './server_options.js';
import { translateTask } from './translate_task.js';

/** Which models an address is for. */
export interface ModelUse {
  /** The address without the slash. */
  readonly name: string;
  /** Whether it is what this model is for. */
  serves(model: ServedModel): boolean;
}

/** A use of models with an address of its own. */
export interface Task extends ModelUse {
  readonly summary: string;
  /** Of the body, beside `model`. */
  readonly properties: Type.TProperties;
  /** @returns the answer's JSON, beside `model` */
  answer(model: ServedModel, body: unknown, signal: AbortSignal): Promise<object>;
  /** The answer in parts, as they are found, for clients that accept server-sent events. */
  parts?(model: ServedModel, body: unknown, signal: AbortSignal): AsyncIterable<object>;
}

const tasks: readonly Task[] = [forecastTask, classifyTask, detectTask, generateTask, translateTask];

export const modelName = Type.Optional(
  Type.String({ description: 'May be left out when only one model is for this task' }),
);

/** One address for each task: `/forecast`, … */
export function taskRoutes(app: FastifyInstance, repository: ModelRepository, settings: ServerSettings): void {
  for (const task of tasks) {
    const body = Type.Object({ model: modelName, ...task.properties }, { additionalProperties: false });
    app.post(
      `/${task.name}`,
      { schema: { summary: task.summary, tags: ['Tasks'], body } },
      async (request, reply): Promise<object> => {
        const { model: name } = request.body as { model?: string };
        const model = modelFor(task, repository, name);
        const signal = signalOf(reply, settings.timeout);
        if (task.parts && request.headers.accept?.includes('text/event-stream')) {
          const events = await eventStream(task.parts(model, request.body, signal), { model: model.name });
          return reply.type('text/event-stream').header('Cache-Control', 'no-store').send(events);
        }
        const answer = await task.answer(model, request.body, signal);
        return { model: model.name, ...answer };
      },
    );
  }
}

/** The model of this name, or the only one for this use. @throws HttpError 400, 404 */
export function modelFor(task: ModelUse, repository: ModelRepository, name: string | undefined): ServedModel {
  if (name !== undefined) {
    const model = repository.get(name);
    if (!task.serves(model)) throw new HttpError(400, 'ERR_MODEL', `model: ${quote(name)} is not made to ${task.name}`);
    return model;
  }
  const able = repository.models.filter((model) => task.serves(model));
  if (able.length === 1) return able[0] as ServedModel;
  throw able.length === 0
    ? new HttpError(404, 'ERR_MODEL', `no model here is made to ${task.name}`)
    : new HttpError(400, 'ERR_MODEL', `model: name one of ${able.map((model) => quote(model.name)).join(', ')}`);
}
