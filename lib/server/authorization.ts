import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { HttpError } from './http_errors.js';

const digest = (text: string) => createHash('sha256').update(text).digest();

/**
 * Refuses requests without the token. Digests are compared, in constant time: neither the token's length nor a common beginning shows in
 * the time an answer takes.
 */
export function checkToken(token: string): (request: FastifyRequest) => void {
  const expected = digest(`Bearer ${token}`);
  return ({ headers }) => {
    if (!timingSafeEqual(digest(headers.authorization ?? ''), expected)) {
      throw new HttpError(401, 'ERR_TOKEN', 'Authorization: expected Bearer and the token of this server');
    }
  };
}

/** Refuses what a page of another site sends from a browser, which may reach addresses that its author cannot. */
export function checkOrigin({ headers }: FastifyRequest): void {
  const { origin, host } = headers;
  if (origin === undefined) return;
  if (!URL.canParse(origin) || new URL(origin).host !== host) {
    throw new HttpError(403, 'ERR_ORIGIN', 'Origin: requests from pages of other sites are not answered');
  }
}
