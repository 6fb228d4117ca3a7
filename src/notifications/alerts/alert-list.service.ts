import { Inject, Injectable } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { Outbox } from '../../delivery/outbox.js';
import { Clock } from '../../platform/clock/clock.js';
import type { SqlValue, TenantTransaction } from '../../platform/database/transaction.js';
import { notFound } from '../../platform/errors/problem.js';
import { decodeCursor, isInstantKey, type Page, pageOf } from '../../platform/http/cursor.js';
import { NotificationViews } from '../views/notification-views.js';
import { type ReaderRow, readerSql } from '../views/reader.js';
import { ALERT_COLUMNS, type AlertRow } from './alert-row.js';
import type { AlertsQuery, AlertView } from './alerts.dto.js';

type ShownRow = AlertRow & ReaderRow;

/** The tenant's alerts as people see them, and silence them. */
@Injectable()
export class AlertList {
  constructor(
    private readonly outbox: Outbox,
    private readonly views: NotificationViews,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * One page, newest first.
   * @param userId who reads it; null for an API key.
   */
  async list(tx: TenantTransaction, userId: string | null, query: AlertsQuery): Promise<Page<AlertView>> {
    const values: SqlValue[] = [tx.tenant_id, userId];
    const conditions = ['tenant_id = $1'];
    const take = (value: SqlValue) => `$${values.push(value)}`;
    if (query.state !== undefined) conditions.push(`state = ${take(query.state)}`);
    if (query.kind !== undefined) conditions.push(`kind = ${take(query.kind)}`);
    if (query.cursor !== undefined) {
      const [seen, id] = decodeCursor(query.cursor, [isInstantKey, (key) => isUUID(key)]);
      conditions.push(`(first_seen_at, id) < (${take(seen)}::timestamptz, ${take(id)}::uuid)`);
    }
    const rows = await tx.query<ShownRow>(
      `SELECT ${ALERT_COLUMNS}, reader.* FROM alerts CROSS JOIN (${readerSql('$1', '$2::uuid')}) reader
       WHERE ${conditions.join(' AND ')}
       ORDER BY first_seen_at DESC, id DESC LIMIT ${take(query.limit + 1)}`,
      values,
    );
    return pageOf(
      rows,
      query.limit,
      ({ first_seen_at, id }) => [first_seen_at.toISOString(), id],
      (row) => this.views.ofAlert(row),
    );
  }

  /**
   * Silences the fact until it clears: it is counted, but not announced again. No check finds that a reported event
   * has cleared, so resolving it ends it: what was not sent is suppressed, and the next report opens a new alert.
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
    const alert = await tx.one<ShownRow>(
      `SELECT ${ALERT_COLUMNS}, reader.* FROM alerts CROSS JOIN (${readerSql('$1', '$3::uuid')}) reader
       WHERE tenant_id = $1 AND id = $2`,
      [tx.tenant_id, id, userId],
    );
    if (alert === null) throw notFound();
    return this.views.ofAlert(alert);
  }
}
