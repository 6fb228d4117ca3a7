import { Logger } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { ClsServiceManager } from 'nestjs-cls';
import { AuditLog, type Written } from './audit-log.js';

/** Where the guard stores the act it recorded for a request. */
export interface AuditedRequest {
  written?: Written;
}

/**
 * Adds the outcome to the recorded act before the answer is sent. The act has happened by then: if the outcome cannot
 * be written, the caller must not get an error, and the row keeps no outcome.
 */
export function recordOutcomes(app: NestFastifyApplication): void {
  const log = app.get(AuditLog);
  const logger = new Logger('Audit');
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onSend', (request, reply, payload, done) => {
      const { written } = request as AuditedRequest;
      if (written === undefined) {
        done(null, payload);
        return;
      }
      const { statusCode: status } = reply;
      log
        .finish(written, status, status < 400 ? changedBy(request) : null, notedTargets())
        .catch((error: unknown) => {
          logger.error({ event: 'audit_outcome_lost', audit_id: written.id, status, err: error });
        })
        .finally(() => done(null, payload));
    });
}

function notedTargets(): Readonly<Record<string, string>> {
  const cls = ClsServiceManager.getClsService();
  return (cls.isActive() ? cls.get('noted_targets') : undefined) ?? {};
}

/** The fields that the handler reported, or those of an accepted PATCH. */
function changedBy({ method, body }: FastifyRequest): string[] | null {
  const cls = ClsServiceManager.getClsService();
  const noted = cls.isActive() ? cls.get('changed_fields') : undefined;
  if (noted !== undefined) return noted;
  return method === 'PATCH' && typeof body === 'object' && body !== null ? Object.keys(body).sort() : null;
}
