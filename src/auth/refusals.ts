import { Injectable, Logger } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { actOf, isForAdmins } from '../platform/audit/act.js';
import { AuditLog } from '../platform/audit/audit-log.js';
import { ERRORS } from '../platform/errors/error-table.js';
import type { AccessRule, AnyCaller } from '../platform/http/caller.js';

/** Rows per caller, hour and process: refusals must not fill the log. */
const ROWS_PER_HOUR = 60;

/** Records in the audit log who attempted what only admins or operators may do. */
@Injectable()
export class Refusals {
  private readonly logger = new Logger('Access');
  private readonly rows = new RateLimiterMemory({ points: ROWS_PER_HOUR, duration: 60 * 60 });

  constructor(private readonly log: AuditLog) {}

  /** Nothing was done: a failing log does not change the answer. */
  async note(rule: AccessRule, request: FastifyRequest, caller: AnyCaller): Promise<void> {
    if (!isForAdmins(rule)) return;
    const { consumedPoints } = await this.rows.penalty(caller.principal);
    if (consumedPoints > ROWS_PER_HOUR) return;
    try {
      await this.log.write(actOf(request, caller), ERRORS.forbidden.status);
    } catch (error) {
      this.logger.error({ event: 'audit_refusal_lost', err: error });
    }
  }
}
