import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { CURRENT_SPAN } from '../../tracing/current.js';
import type { StartedSpan } from '../../tracing/otlp.js';
import { Tracing } from '../../tracing/tracing.js';
import { onRequestEnd } from './request-end.js';

/** Health checks and scrapes would be most of the traces. */
const UNTRACED = ['/livez', '/readyz', '/metrics'];

/**
 * A span for each request, by the pattern of its route: never its path, which may contain ids and tokens. A caller's
 * `traceparent` continues its own trace.
 */
export function traceRequests(app: NestFastifyApplication): void {
  const tracing = app.get(Tracing);
  const spans = new WeakMap<object, StartedSpan>();
  const server = app.getHttpAdapter().getInstance();
  server.addHook('onRequest', (request, _reply, done) => {
    const route = request.routeOptions.url ?? 'none';
    const { traceparent } = request.headers;
    const span = UNTRACED.includes(route)
      ? null
      : tracing.start(
          `${request.method} ${route}`,
          { 'http.request.method': request.method, 'http.route': route, 'vigie.request_id': request.id },
          { kind: 'server', traceparent: typeof traceparent === 'string' ? traceparent : null },
        );
    if (span === null) {
      done();
      return;
    }
    spans.set(request, span);
    CURRENT_SPAN.run(span, () => done());
  });
  onRequestEnd(app, (request, _reply, { status }) => {
    const span = spans.get(request);
    span?.note({ 'http.response.status_code': status });
    if (status >= 500) span?.fail(String(status));
    span?.end();
  });
}
