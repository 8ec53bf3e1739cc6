import { readFile } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import type { Metrics } from './metrics.js';

const page = new URL('../../assets/status.html', import.meta.url);

/** The metrics for Prometheus, and a page for people that reads them. */
export function statusRoutes(app: FastifyInstance, { registry }: Metrics): void {
  app.get('/metrics', { schema: { summary: 'Metrics for Prometheus', tags: ['Status'] } }, async (_, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
  app.get('/', { schema: { summary: 'The status page', tags: ['Status'] } }, async (_, reply) =>
    reply
      .header(
        'Content-Security-Policy',
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'",
      )
      .type('text/html; charset=utf-8')
      .send(await readFile(page, 'utf8')),
  );
}
