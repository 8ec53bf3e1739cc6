import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';

/** An answer that is no success. Its message is for the client. */
export class HttpError extends Error {
  constructor(
    readonly statusCode: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** What proxies log for a client that did not wait for its answer. */
export const clientGone = 499;

const statusCodes: Readonly<Record<string, number>> = {
  ERR_INVALID_ARG_TYPE: 400,
  ERR_OUT_OF_RANGE: 400,
  ERR_DATA: 400,
  ERR_INDEX_OUT_OF_RANGE: 400,
  ERR_BUSY: 503,
  ERR_OUT_OF_MEMORY: 503,
  ERR_TIMEOUT: 504,
  ERR_ABORTED: clientGone,
};

// Clients that are told to come back soon.
const retrySeconds = 1;

/** What goes back for an error: 400 and its message for the client's own fault, else nothing that tells of the machine. */
export function sendError(error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply): void {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'ERR_INTERNAL';
  const status = statusOf(error, code);
  if (status === 503) void reply.header('Retry-After', retrySeconds);
  if (status === 500) request.log.error({ err: error }, 'request failed');
  const isOurs = error instanceof HttpError || status < 500 || code in statusCodes;
  void reply.code(status).send({ error: isOurs ? error.message : 'the request failed; the log says why', code });
}

function statusOf(error: FastifyError | Error, code: string): number {
  if (error instanceof HttpError) return error.statusCode;
  const own = statusCodes[code];
  if (own !== undefined) return own;
  // fastify's: a body that is too large or no JSON, a schema that does not fit.
  const status = 'statusCode' in error ? error.statusCode : undefined;
  return status !== undefined && status >= 400 && status < 500 ? status : 500;
}
