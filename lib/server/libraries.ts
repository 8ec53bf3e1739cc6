import { CudnnGruError } from '../errors.js';

// Optional peers of this package: whoever does not serve models does not install them.
const names = ['fastify', '@fastify/swagger', '@fastify/swagger-ui', '@fastify/websocket', 'prom-client', 'typebox'];

/** @throws CudnnGruError `ERR_UNSUPPORTED` with the command that installs what is missing */
export function checkLibraries(): void {
  const missing: string[] = [];
  for (const name of names) {
    try {
      import.meta.resolve(name);
    } catch {
      missing.push(name);
    }
  }
  if (missing.length > 0) {
    throw new CudnnGruError(
      'ERR_UNSUPPORTED',
      `the server needs packages that are not installed: npm install ${missing.join(' ')}`,
    );
  }
}
