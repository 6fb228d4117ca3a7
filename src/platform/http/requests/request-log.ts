import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Logger } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Config } from '../../config/config.js';
import type { CallerRequest } from '../caller.js';
import { onRequestEnd } from './request-end.js';

const LOOKS = ['GET', 'HEAD', 'OPTIONS'];

/** The id of a request: the caller's `X-Request-Id` if valid, otherwise a new one. */
export function requestId({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(given) ? given : randomUUID();
}

/**
 * Logs one line per request. It names the route, never the URL: that may contain ids, names and tokens. Requests that
 * change something, are refused or lose their client are logged as `info`, successful reads as `debug`.
 */
export function logRequests(app: NestFastifyApplication, { logLevel }: Config): void {
  const logger = new Logger('Http');
  onRequestEnd(app, (request, reply, { status, client_left }) => {
    // `request_aborted` says it when the request itself is incomplete.
    if (client_left && !request.raw.complete) return;
    const looked = LOOKS.includes(request.method) && status < 400 && !client_left;
    if (looked && logLevel !== 'debug') return;
    const { caller } = request as CallerRequest;
    const line = {
      event: 'request',
      // Set explicitly: this runs outside the request's context.
      request_id: request.id,
      method: request.method,
      route: request.routeOptions.url ?? null,
      status,
      client_left: client_left ? true : undefined,
      duration_ms: Math.round(reply.elapsedTime * 10) / 10,
      principal: caller?.principal,
      tenant_id: caller === undefined || caller.kind === 'operator' ? undefined : caller.tenant_id,
    };
    if (looked) logger.debug(line);
    else logger.log(line);
  });
}
