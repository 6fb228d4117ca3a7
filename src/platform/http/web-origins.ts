import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { IncomingHttpHeaders } from 'node:http';
import type { Config } from '../config/config.js';
import { isOwnOrigin } from './same-origin.js';

/** Chromium keeps an answer to a preflight for at most two hours, Firefox for a day. */
const PREFLIGHT_SECONDS = 7_200;

/**
 * Without `x-api-key`: anybody could read a key in a page. Without `cookie`: no page of another origin may
 * use one.
 */
const PREFLIGHT_HEADERS = {
  'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
  'access-control-allow-headers': 'authorization, content-type, idempotency-key, x-request-id',
  'access-control-max-age': String(PREFLIGHT_SECONDS),
};

/** `date` lets a page find out that its own clock is wrong. */
const EXPOSED = 'date, ratelimit-limit, ratelimit-remaining, ratelimit-reset, retry-after, x-request-id';

type Asked = Readonly<{
  method?: string | undefined;
  url?: string | undefined;
  headers: IncomingHttpHeaders;
}>;

/**
 * Lets pages of the configured origins read the answers of the API, errors among them, and answers their preflights
 * (https://fetch.spec.whatwg.org/#http-cors-protocol). Register it before anything that may refuse a request.
 */
export function admitWebOrigins(app: NestFastifyApplication, config: Config): void {
  if (config.webOrigins === null) return;
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', (request, reply, done) => {
      const headers = crossOriginHeaders(request, config);
      reply.headers(headers);
      const isPreflight =
        request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined;
      if (isPreflight && 'access-control-allow-origin' in headers)
        void reply.status(204).headers(PREFLIGHT_HEADERS).send();
      else done();
    });
}

/** The headers that let a page of another origin read an answer of the API; without them its browser hides it. */
export function crossOriginHeaders(
  { url = '', headers: { origin } }: Asked,
  { webOrigins }: Pick<Config, 'webOrigins'>,
): Record<string, string> {
  if (webOrigins === null || !url.startsWith('/api/')) return {};
  // Never `access-control-allow-credentials`: only a token in a header counts.
  return origin !== undefined && webOrigins.includes(origin)
    ? { vary: 'Origin', 'access-control-allow-origin': origin, 'access-control-expose-headers': EXPOSED }
    : { vary: 'Origin' };
}

/**
 * Whether this origin may open a socket: a browser enforces no policy for WebSockets, so the server must (RFC 6455
 * §10.2). Other programs send no origin.
 */
export function admitsOrigin(
  headers: IncomingHttpHeaders,
  { webOrigins }: Pick<Config, 'webOrigins'>,
): boolean {
  const { origin } = headers;
  return origin === undefined || isOwnOrigin(headers) || webOrigins?.includes(origin) === true;
}
