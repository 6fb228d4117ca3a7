import { Inject, Injectable } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { Outbox } from '../../delivery/outbox.js';
import { Clock } from '../../platform/clock/clock.js';
import type { SqlValue, TenantTransaction } from '../../platform/database/transaction.js';
import { notFound } from '../../platform/errors/problem.js';
import type { TenantCaller } from '../../platform/http/caller.js';
import { decodeCursor, isInstantKey, type Page, pageOf } from '../../platform/http/cursor.js';
import { NotificationViews } from '../views/notification-views.js';
import { type ReaderRow, readerSql } from '../views/reader.js';
import { alertColumns, type AlertRow } from './alert-row.js';
import type { AlertsQuery, AlertView } from './alerts.dto.js';

/** A caller who reads or resolves alerts. */
type AlertReader = Pick<TenantCaller, 'kind' | 'role' | 'user_id'>;

type ShownRow = AlertRow & ReaderRow;

/** Lists the tenant's alerts for people, and resolves them. */
@Injectable()
export class AlertList {
  constructor(
    private readonly outbox: Outbox,
    private readonly views: NotificationViews,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** One page, newest first. Members do not see events reported for others. */
  async list(tx: TenantTransaction, reader: AlertReader, query: AlertsQuery): Promise<Page<AlertView>> {
    const values: SqlValue[] = [tx.tenant_id, reader.user_id];
    const conditions = ['tenant_id = $1', ...visibleSql(reader, '$2')];
    const take = (value: SqlValue) => `$${values.push(value)}`;
    if (query.state !== undefined) conditions.push(`state = ${take(query.state)}`);
    if (query.kind !== undefined) conditions.push(`kind = ${take(query.kind)}`);
    if (query.cursor !== undefined) {
      const [seen, id] = decodeCursor(query.cursor, [isInstantKey, (key) => isUUID(key)]);
      conditions.push(`(first_seen_at, id) < (${take(seen)}::timestamptz, ${take(id)}::uuid)`);
    }
    const rows = await tx.query<ShownRow>(
      `SELECT ${alertColumns('alerts')}, reader.* FROM alerts CROSS JOIN (${readerSql('$1', '$2::uuid')}) reader
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
   * Silences the fact until it clears: it is counted, but not announced again. No check ends a reported event, so
   * resolving it ends it: its unsent deliveries are suppressed, and the next report opens a new alert. Resolving a
   * resolved alert changes nothing.
   * @throws Problem not_found for an unknown alert, another tenant's, or an event for others than this member.
   */
  async resolve(tx: TenantTransaction, id: string, reader: AlertReader): Promise<AlertView> {
    const { user_id: userId } = reader;
    const resolved = await tx.one<{ gone: boolean }>(
      `UPDATE alerts SET state = 'resolved', resolved_at = $3, resolved_by = $4,
                         gone_at = CASE WHEN kind = 'event' THEN $3::timestamptz END
       WHERE tenant_id = $1 AND id = $2 AND state = 'open' ${andVisibleSql(reader, '$4')}
       RETURNING gone_at IS NOT NULL AS gone`,
      [tx.tenant_id, id, this.clock.now(), userId],
    );
    if (resolved?.gone === true) await this.outbox.factsGone(tx, [id]);
    return this.get(tx, id, reader);
  }

  /** @throws Problem not_found, as `resolve`. */
  async get(tx: TenantTransaction, id: string, reader: AlertReader): Promise<AlertView> {
    const alert = await tx.one<ShownRow>(
      `SELECT ${alertColumns('alerts')}, reader.* FROM alerts CROSS JOIN (${readerSql('$1', '$3::uuid')}) reader
       WHERE tenant_id = $1 AND id = $2 ${andVisibleSql(reader, '$3')}`,
      [tx.tenant_id, id, reader.user_id],
    );
    if (alert === null) throw notFound();
    return this.views.ofAlert(alert);
  }
}

function andVisibleSql(reader: AlertReader, user: string): string {
  return ['', ...visibleSql(reader, user)].join(' AND ');
}

/**
 * Which alerts of the table `alerts` a reader may see. Admins and programs: all. Members: the facts that the tenant
 * watches, and the reported events that they were notified of.
 * @param user the parameter of their id
 */
function visibleSql({ kind, role }: AlertReader, user: string): string[] {
  if (kind !== 'user' || role === 'admin') return [];
  return [
    `(kind <> 'event' OR EXISTS (
        SELECT 1 FROM notifications n
        WHERE n.tenant_id = alerts.tenant_id AND n.alert_id = alerts.id AND n.user_id = ${user}::uuid))`,
  ];
}
