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
  ERR_UNSUPPORTED: 400,
  ERR_BUSY: 503,
  ERR_OUT_OF_MEMORY: 503,
  ERR_TIMEOUT: 504,
  ERR_ABORTED: clientGone,
};

// Clients that are told to come back soon.
const retrySeconds = 1;

/** What a client is told of an error: its message for the client's own fault, else nothing that tells of the machine. */
export function publicError(error: Error): { status: number; error: string; code: string } {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'ERR_INTERNAL';
  const status = statusOf(error, code);
  return { status, error: status === 500 ? 'the request failed; the log says why' : error.message, code };
}

/** Answers a request with an error. */
export function sendError(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  const { status, ...body } = publicError(error);
  if (status === 503) void reply.header('Retry-After', retrySeconds);
  if (status === 500) request.log.error({ err: error }, 'request failed');
  void reply.code(status).send(body);
}

function statusOf(error: Error, code: string): number {
  if (error instanceof HttpError) return error.statusCode;
  const own = statusCodes[code];
  if (own !== undefined) return own;
  // fastify's: a body that is too large or no JSON, a schema that does not fit.
  const status = (error as FastifyError).statusCode;
  return status !== undefined && status >= 400 && status < 500 ? status : 500;
}
