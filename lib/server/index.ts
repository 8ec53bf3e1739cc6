import { checkLibraries } from './libraries.js';
import { checkServerOptions, type ServerOptions } from './server_options.js';

export type { LogLevel, ServerOptions } from './server_options.js';

/** A server that answers. */
export interface RunningServer {
  /** Where: `http://127.0.0.1:8000`. */
  readonly url: string;
  /**
   * Reads one model's file again, or all of them. The new version takes the old one's place when it is ready; no request fails for it.
   * @throws CudnnGruError `ERR_FILE`, `ERR_FORMAT`, …: the old version stays
   */
  reload(name?: string): Promise<void>;
  /** Takes no more connections, answers the requests that have come, and gives everything back. */
  close(): Promise<void>;
}

/**
 * Serves model files by HTTP: the Open Inference Protocol (version 2), an address for each task, live streams, metrics, a status page and
 * API documentation. Requests for one model that come together are computed together. See `docs/serving.md`.
 *
 * Its libraries are optional: `npm install fastify @fastify/swagger @fastify/swagger-ui @fastify/websocket prom-client typebox`.
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_UNSUPPORTED` with the command that installs what is missing, or for a model that does
 * not say what it computes; `ERR_FILE`, `ERR_FORMAT`, `ERR_DEVICE_UNAVAILABLE`. An error of Node's for an address that cannot be used.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const settings = checkServerOptions(options);
  checkLibraries();
  const { start } = await import('./app.js');
  return start(settings);
}
