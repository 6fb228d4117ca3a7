import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Problem } from '../errors/problem.js';

/** Deeper than any body that a route takes. */
const MAX_DEPTH = 32;

/** Refuses bodies nested so deep that a recursive walk would overflow the stack. */
export function refuseDeepBodies(app: NestFastifyApplication): void {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('preValidation', (request, _reply, done) => {
      done(
        isTooDeep(request.body)
          ? new Problem('malformed_request', `JSON is nested more than ${MAX_DEPTH} levels`)
          : undefined,
      );
    });
}

/** Whether parsed JSON is nested so deep. Level by level, without recursion. */
export function isTooDeep(body: unknown): boolean {
  let level = [body];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) return true;
    level = level.flatMap((value) => (isJson(value) ? Object.values(value) : []));
  }
  return false;
}

/** What JSON.parse makes, and not the stream of an upload. */
function isJson(value: unknown): value is Record<string, unknown> | unknown[] {
  if (typeof value !== 'object' || value === null) return false;
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
}
