import type { AddressInfo } from 'node:net';
import websocket from '@fastify/websocket';
import { type FastifyInstance, fastify, LogController } from 'fastify';
import { Admission } from './admission.js';
import { apiDocs } from './api_docs.js';
import { checkOrigin, checkToken } from './authorization.js';
import { clientGone, sendError } from './http_errors.js';
import type { RunningServer } from './index.js';
import { Metrics } from './metrics.js';
import { ModelRepository } from './model_repository.js';
import { openInferenceRoutes } from './open_inference.js';
import type { ServerSettings } from './server_options.js';
import { statusRoutes } from './status_routes.js';
import { streamRoutes } from './stream_routes.js';
import { taskRoutes } from './task_routes.js';
import { transcribeRoute } from './transcribe_route.js';

// What anybody may read: whether the server lives, and pages that hold no data.
const openRoutes = new Set(['/', '/v2/health/live', '/v2/health/ready']);

const mostConnections = 4096;

/** Loads the models, then listens. */
export async function start(settings: ServerSettings): Promise<RunningServer> {
  const app = emptyApp(settings);
  const metrics = new Metrics();
  const repository = new ModelRepository(settings, (model, rows) => metrics.batchRows.observe({ model }, rows));
  let ready = false;
  const load = async (name: string) => {
    try {
      const { version } = await repository.load(name);
      app.log.info({ model: name, version }, 'model loaded');
    } catch (error) {
      app.log.error({ model: name, err: error }, 'model not loaded');
      throw error;
    }
  };

  observe(app, metrics);
  guard(app, settings);
  await app.register(websocket, { options: { maxPayload: settings.maxBody }, preClose: (done) => done() });
  await apiDocs(app);
  statusRoutes(app, metrics);
  await app.register(async (scope) => openInferenceRoutes(scope, repository, settings, { isReady: () => ready, load }));
  await app.register(async (scope) => taskRoutes(scope, repository, settings));
  await app.register(async (scope) => transcribeRoute(scope, repository, settings));

  metrics.watch(repository, streamRoutes(app, repository, settings));

  let closing = false;
  // A connection that was busy when the server began to close would else be kept alive for the next request.
  app.addHook('onResponse', async () => {
    if (closing) setImmediate(() => app.server.closeIdleConnections());
  });
  const close = async () => {
    ready = false;
    closing = true;
    const cut = setTimeout(() => {
      app.server.closeAllConnections();
      for (const stream of app.websocketServer.clients) stream.terminate();
    }, 1000 * settings.drainTimeout);
    await app.close();
    clearTimeout(cut);
    repository.dispose();
    metrics.registry.clear();
    app.log.info('closed');
  };
  try {
    for (const name of repository.names) await load(name);
    await app.listen({ host: settings.host, port: settings.port });
  } catch (error) {
    await close();
    throw error;
  }
  ready = true;

  const { address, family, port } = app.server.address() as AddressInfo;
  let closed: Promise<void> | undefined;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    async reload(name) {
      const loading = (name === undefined ? repository.names : [name]).map(load);
      await Promise.allSettled(loading);
      await Promise.all(loading);
    },
    close() {
      closed ??= close();
      return closed;
    },
  };
}

function emptyApp({ maxBody, timeout, logLevel }: ServerSettings): FastifyInstance {
  const milliseconds = 1000 * timeout;
  const app = fastify({
    bodyLimit: maxBody,
    requestTimeout: milliseconds,
    // An answer that nobody takes: one wait for the computation, another for the client.
    connectionTimeout: 2 * milliseconds,
    // How often Node looks for requests that take too long to arrive.
    http: { connectionsCheckingInterval: Math.min(1000, milliseconds / 4), headersTimeout: milliseconds },
    // A request that has come is answered, also while the server closes.
    return503OnClosing: false,
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false } },
    // `observe` writes one line for each request, and by default none for those that succeed.
    logController: new LogController({ disableRequestLogging: true }),
    logger: { level: logLevel, stream: process.stderr },
  });
  app.server.maxConnections = mostConnections;
  app.setErrorHandler(sendError);
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({ error: `there is no ${request.method} ${request.url.slice(0, 200)}`, code: 'ERR_ROUTE' }),
  );
  return app;
}

function guard(app: FastifyInstance, { token, maxBody, maxPendingBytes }: ServerSettings): void {
  const admission = new Admission(maxBody, maxPendingBytes);
  const check = token === undefined ? undefined : checkToken(token);
  app.addHook('onRequest', async (request, reply) => {
    checkOrigin(request);
    const url = request.routeOptions.url ?? '';
    if (!openRoutes.has(url) && !url.startsWith('/docs')) check?.(request);
    admission.admit(request, reply);
  });
}

function observe(app: FastifyInstance, metrics: Metrics): void {
  app.addHook('onRequest', async (request, reply) => {
    const route = `${request.method} ${request.routeOptions.url ?? 'unknown'}`;
    // Comes also where no answer was sent.
    reply.raw.once('close', () => {
      const { elapsedTime } = reply;
      const status = reply.raw.writableFinished ? reply.statusCode : clientGone;
      metrics.requestSeconds.observe({ route, status }, elapsedTime / 1000);
      request.log[status >= 400 ? 'info' : 'debug']({ route, status, milliseconds: elapsedTime }, 'answered');
    });
  });
}
