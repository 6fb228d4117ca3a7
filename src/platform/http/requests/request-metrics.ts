import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Metrics } from '../../metrics/metrics.js';
import { onRequestEnd } from './request-end.js';

/** Measures every request by the pattern of its route: a path written by a caller must not become a label. */
export function measureRequests(app: NestFastifyApplication): void {
  const metrics = app.get(Metrics);
  onRequestEnd(app, (request, reply, { status }) => {
    const labels = {
      method: request.method,
      route: request.routeOptions.url ?? 'none',
      status_class: `${Math.floor(status / 100)}xx`,
    };
    metrics.observe('vigie_http_request_duration_seconds', labels, reply.elapsedTime / 1_000);
  });
}
