import type { FastifyRequest } from 'fastify';

/**
 * Whether a request that changes something comes from a Vigie page, or from no page at all. Browsers send
 * `Sec-Fetch-Site`, or `Origin` over plain http to other machines; other pages can forge neither. A client that sends
 * neither is not a browser and carries no cookie of another user.
 * https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
 */
export function isSameOrigin({ headers }: Pick<FastifyRequest, 'headers'>): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const { origin, host } = headers;
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}
