import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { notFound, Problem } from '../errors/problem.js';
import { addressOf } from './addresses.js';
import { RequestLimits } from './request-limits.js';

/**
 * Answers requests without a route: 405 with the methods that the path has (RFC 9110 §15.5.6), else 404. They count
 * against the address's limit, like all anonymous requests.
 */
export function answerUnknownRoutes(app: NestFastifyApplication): void {
  const limits = app.get(RequestLimits);
  const server = app.getHttpAdapter().getInstance();
  const routes = new Map<string, { path: RegExp; methods: Set<string> }>();
  server.addHook('onRoute', ({ url, method }) => {
    const route = routes.get(url) ?? { path: pathOf(url), methods: new Set() };
    for (const each of [method].flat()) route.methods.add(each);
    routes.set(url, route);
  });
  server.addHook('onRequest', (request, reply, done) => {
    if (!request.is404) {
      done();
      return;
    }
    reply.headers(limits.countAddress(addressOf(request)) ?? {});
    const path = request.url.split('?', 1).join('');
    const methods = [...routes.values()]
      .filter((route) => route.path.test(path))
      .flatMap((route) => [...route.methods]);
    if (methods.length === 0) throw notFound();
    const allow = [...new Set(methods)].sort().join(', ');
    throw new Problem('method_not_allowed', undefined, { headers: { allow } });
  });
}

/** Turns `/api/v1/users/:id` or `/docs/*` into an expression that matches their paths. */
function pathOf(url: string): RegExp {
  const parts = url.split('/').map((part) => {
    if (part === '*') return '.*';
    return part.startsWith(':') ? '[^/]+' : part.replace(/[^\w-]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('/')}$`);
}
