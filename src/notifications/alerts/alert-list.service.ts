import { Inject, Injectable } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { Outbox } from '../../delivery/outbox.js';
import { Clock } from '../../platform/clock/clock.js';
import type { SqlValue, TenantTransaction } from '../../platform/database/transaction.js';
import { notFound } from '../../platform/errors/problem.js';
import { decodeCursor, isInstantKey, type Page, pageOf } from '../../platform/http/cursor.js';
import type { AlertsQuery, AlertView } from './alerts.dto.js';

/** The columns of an `AlertView`. */
export const ALERT_COLUMNS = `id, kind, severity, source_type, source_id, dedupe_key, stage, title, state, occurrences,
  first_seen_at, last_seen_at, gone_at, resolved_at, resolved_by`;

/** The tenant's alerts as people see them, and silence them. */
@Injectable()
export class AlertList {
  constructor(
    private readonly outbox: Outbox,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** One page, newest first. */
  async list(tx: TenantTransaction, query: AlertsQuery): Promise<Page<AlertView>> {
    const values: SqlValue[] = [tx.tenant_id];
    const conditions = ['tenant_id = $1'];
    const take = (value: SqlValue) => `$${values.push(value)}`;
    if (query.state !== undefined) conditions.push(`state = ${take(query.state)}`);
    if (query.kind !== undefined) conditions.push(`kind = ${take(query.kind)}`);
    if (query.cursor !== undefined) {
      const [seen, id] = decodeCursor(query.cursor, [isInstantKey, (key) => isUUID(key)]);
      conditions.push(`(first_seen_at, id) < (${take(seen)}::timestamptz, ${take(id)}::uuid)`);
    }
    const rows = await tx.query<AlertView>(
      `SELECT ${ALERT_COLUMNS} FROM alerts WHERE ${conditions.join(' AND ')}
       ORDER BY first_seen_at DESC, id DESC LIMIT ${take(query.limit + 1)}`,
      values,
    );
    return pageOf(
      rows,
      query.limit,
      ({ first_seen_at, id }) => [first_seen_at.toISOString(), id],
      (row) => row,
    );
  }

  /**
   * Silences the fact until it clears: it is counted on, but nobody is told again. No check finds that a reported
   * event has cleared, so resolving it ends it: what has not left is called off, and the next report is news.
   * Resolving a resolved alert changes nothing.
   * @param userId who did; null for an API key.
   * @throws Problem not_found for one that is not there or another tenant's.
   */
  async resolve(tx: TenantTransaction, id: string, userId: string | null): Promise<AlertView> {
    const resolved = await tx.one<{ gone: boolean }>(
      `UPDATE alerts SET state = 'resolved', resolved_at = $3, resolved_by = $4,
                         gone_at = CASE WHEN kind = 'event' THEN $3::timestamptz END
       WHERE tenant_id = $1 AND id = $2 AND state = 'open'
       RETURNING gone_at IS NOT NULL AS gone`,
      [tx.tenant_id, id, this.clock.now(), userId],
    );
    if (resolved?.gone === true) await this.outbox.factsGone(tx, [id]);
    const alert = await tx.one<AlertView>(
      `SELECT ${ALERT_COLUMNS} FROM alerts WHERE tenant_id = $1 AND id = $2`,
      [tx.tenant_id, id],
    );
    if (alert === null) throw notFound();
    return alert;
  }
}
