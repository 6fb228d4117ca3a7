import type { FastifyRequest } from 'fastify';
import type { IncomingHttpHeaders } from 'node:http';
import { parseUrl } from '../text/url.js';

/**
 * Whether a request that changes something comes from a Vigie page, or from no page at all. Browsers send
 * `Sec-Fetch-Site`, or `Origin` over plain http to other machines; other pages can forge neither. A client that sends
 * neither is not a browser and carries no cookie of another user.
 * https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
 */
export function isSameOrigin({ headers }: Pick<FastifyRequest, 'headers'>): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  return headers.origin === undefined || isOwnOrigin(headers);
}

/**
 * Whether a cookie may authenticate a request: a cookie is sent by the browser, not by the page that asks. A request
 * that may change something must say that it comes from a page of this server; one that only reads must not say that
 * it comes from another, because SameSite=Strict does not keep out pages of sibling domains.
 */
export function admitsCookie({ method, headers }: Pick<FastifyRequest, 'method' | 'headers'>): boolean {
  if (headers.origin !== undefined && !isOwnOrigin(headers)) return false;
  if (method === 'GET' || method === 'HEAD') return true;
  return (headers.origin ?? headers['sec-fetch-site']) !== undefined && isSameOrigin({ headers });
}

/** Whether a request's `Origin` is the origin of this server. */
export function isOwnOrigin({ origin = '', host }: IncomingHttpHeaders): boolean {
  const page = parseUrl(origin);
  return page !== null && page.host === host;
}
