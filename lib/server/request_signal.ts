import type { FastifyReply } from 'fastify';
import { CudnnGruError } from '../errors.js';

/** Raised when a request need not be computed any more: its client has gone, or its time is over. */
export function signalOf(reply: FastifyReply, timeoutSeconds: number): AbortSignal {
  const controller = new AbortController();
  const onTimeout = () =>
    controller.abort(new CudnnGruError('ERR_TIMEOUT', `the request was not answered within ${timeoutSeconds} s`));
  const timer = setTimeout(onTimeout, 1000 * timeoutSeconds);
  reply.raw.once('close', () => {
    clearTimeout(timer);
    if (!reply.raw.writableFinished) controller.abort(new CudnnGruError('ERR_ABORTED', 'the client has gone'));
  });
  return controller.signal;
}
