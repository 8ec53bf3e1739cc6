import { CudnnGruError } from '../../errors.js';
import type { FormatAnswer, FormatRequest } from './remote_format.js';
import { type RowFormat, rowFormat } from './sinks.js';
import { answerRequests, type Sent } from './thread.js';

// The thread of a RemoteFormat.

let format: RowFormat | undefined;

answerRequests<FormatRequest, FormatAnswer>(async (request): Promise<Sent<FormatAnswer>> => {
  if ('open' in request) {
    format = await rowFormat(request.open);
    return { value: null };
  }
  if (!format) throw new CudnnGruError('ERR_INTERNAL', 'no file is open');
  if ('flush' in request) return { value: await format.flush() };
  return { value: await ('rows' in request ? format.rows(request.rows) : format.end()) };
});
