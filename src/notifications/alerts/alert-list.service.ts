import { Inject, Injectable } from '@nestjs/common';
import { Outbox } from '../../delivery/outbox.js';
import { Clock } from '../../platform/clock/clock.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { notFound } from '../../platform/errors/problem.js';
import type { TenantCaller } from '../../platform/http/caller.js';
import { type BulkBody, lockMany } from '../../platform/lists/bulk-act.js';
import { type CountedPage, countedPage } from '../../platform/lists/counted-page.js';
import { ListConditions } from '../../platform/lists/list-conditions.js';
import { NotificationViews } from '../views/notification-views.js';
import { type ReaderRow, readerSql } from '../views/reader.js';
import type { AlertDetail } from './alert-detail.dto.js';
import { NEWEST_FIRST, SEARCHED } from './alert-list.sql.js';
import { AlertRecipients } from './alert-recipients.js';
import { alertColumns, type AlertRow } from './alert-row.js';
import type { AlertFilter, AlertsQuery, AlertView } from './alerts.dto.js';
import { ALERT_ORDERS } from './alert-list.sql.js';
import { alertStateSql } from './silence.sql.js';

/** A caller who reads or resolves alerts. */
type AlertReader = Pick<TenantCaller, 'kind' | 'role' | 'user_id'>;

type ShownRow = AlertRow & ReaderRow;

/** Lists the tenant's alerts for people, and resolves them. */
@Injectable()
export class AlertList {
  constructor(
    private readonly outbox: Outbox,
    private readonly views: NotificationViews,
    private readonly recipients: AlertRecipients,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** One page, newest first unless sorted otherwise. Members do not see events reported for others. */
  async list(
    tx: TenantTransaction,
    reader: AlertReader,
    query: AlertsQuery,
  ): Promise<CountedPage<AlertView>> {
    const { limit, cursor, sort = NEWEST_FIRST, count } = query;
    const page = await countedPage<ShownRow>(
      tx,
      {
        columns: `${alertColumns('alert')}, reader.*`,
        from: `alerts alert CROSS JOIN (${readerSql('$1', '$2::uuid')}) reader`,
        conditions: this.conditions(tx, reader, query),
        orders: ALERT_ORDERS,
      },
      { limit, sort, ...(cursor === undefined ? {} : { cursor }), ...(count === undefined ? {} : { count }) },
    );
    const own = await this.views.ownWords(tx, page.data);
    return { ...page, data: page.data.map((row) => this.views.ofAlert(row, own)) };
  }

  /**
   * Silences the fact until it clears: it is counted, but not announced again. No check ends a reported event, so
   * resolving it ends it: its unsent deliveries are suppressed, and the next report opens a new alert. Resolving a
   * resolved alert changes nothing.
   * @throws Problem not_found for an unknown alert, another tenant's, or an event for others than this member.
   */
  async resolve(tx: TenantTransaction, id: string, reader: AlertReader): Promise<AlertView> {
    await this.resolveMany(tx, await this.visible(tx, id, reader), reader);
    return this.get(tx, id, reader);
  }

  /**
   * The same for many.
   * @param ids locked by this transaction
   * @returns how many were not resolved yet
   */
  async resolveMany(
    tx: TenantTransaction,
    ids: readonly string[],
    { user_id }: AlertReader,
  ): Promise<number> {
    const resolved = await tx.query<{ id: string; gone: boolean }>(
      `UPDATE alerts SET state = 'resolved', resolved_at = $3, resolved_by = $4,
                         gone_at = CASE WHEN kind = 'event' THEN $3::timestamptz END
       WHERE tenant_id = $1 AND id = ANY ($2::uuid[]) AND state = 'open'
       RETURNING id, gone_at IS NOT NULL AS gone`,
      [tx.tenant_id, ids, this.clock.now(), user_id],
    );
    const gone = resolved.filter((alert) => alert.gone).map(({ id }) => id);
    if (gone.length > 0) await this.outbox.factsGone(tx, gone);
    return resolved.length;
  }

  /**
   * Locks the alerts of a bulk act, in the order of their keys, as checks and incidents do.
   * @returns the ids of those that the caller sees
   * @throws Problem validation_failed, count_changed
   */
  async lockMany(tx: TenantTransaction, reader: AlertReader, body: BulkBody<AlertFilter>): Promise<string[]> {
    return lockMany<AlertFilter>(
      tx,
      {
        table: 'alerts alert',
        alias: 'alert',
        conditions: (filter) => this.conditions(tx, reader, filter),
        order: 'alert.dedupe_key, alert.id',
      },
      body,
    );
  }

  /** @throws Problem not_found, as `resolve`. */
  async get(tx: TenantTransaction, id: string, reader: AlertReader): Promise<AlertView> {
    const row = await this.read(tx, id, reader);
    return this.views.ofAlert(row, await this.views.ownWords(tx, [row]));
  }

  /** With its text and who was notified. @throws Problem not_found, as `resolve`. */
  async detail(tx: TenantTransaction, id: string, reader: AlertReader): Promise<AlertDetail> {
    const row = await this.read(tx, id, reader);
    const notified = await this.recipients.of(tx, id, row, seesAll(reader));
    return Object.assign(this.views.detailOfAlert(row, await this.views.ownWords(tx, [row])), { notified });
  }

  private async read(tx: TenantTransaction, id: string, reader: AlertReader): Promise<ShownRow> {
    const conditions = this.conditions(tx, reader, {}).equal('alert.id', id);
    const row = await tx.one<ShownRow>(
      `SELECT ${alertColumns('alert')}, reader.* FROM alerts alert CROSS JOIN (${readerSql('$1', '$2::uuid')}) reader
       WHERE ${conditions.sql}`,
      conditions.values,
    );
    if (row === null) throw notFound();
    return row;
  }

  /** Locks the alert. @returns its id; nothing if the reader may not see it */
  private async visible(tx: TenantTransaction, id: string, reader: AlertReader): Promise<string[]> {
    const conditions = this.conditions(tx, reader, {}).equal('alert.id', id);
    const found = await tx.query<{ id: string }>(
      `SELECT alert.id FROM alerts alert WHERE ${conditions.sql} FOR NO KEY UPDATE`,
      conditions.values,
    );
    return found.map((alert) => alert.id);
  }

  /** Which alerts (`alert`) are in a list. $1 is the tenant's id, $2 the reader's. */
  private conditions(
    tx: TenantTransaction,
    reader: AlertReader,
    filter: Partial<AlertFilter>,
  ): ListConditions {
    const { state, since, until, q } = filter;
    const conditions = new ListConditions([tx.tenant_id, reader.user_id])
      // Uses $2, because PostgreSQL must know the type of each parameter, even if the reader sees all.
      .add('alert.tenant_id = $1 AND ($2::uuid IS NULL OR true)')
      .equal('alert.kind', filter.kind)
      .equal('alert.severity', filter.severity)
      .equal('alert.source_type', filter.source_type)
      .equal('alert.source_id', filter.source_id)
      .given(since, (p) => `alert.first_seen_at >= ${p}::timestamptz`)
      .given(until, (p) => `alert.first_seen_at < ${p}::timestamptz`)
      .matching(SEARCHED, q);
    if (state !== undefined) {
      // Also a condition on the column, for the index of open alerts.
      conditions.add(`alert.state = '${state === 'resolved' ? 'resolved' : 'open'}'`);
      const now = conditions.take(this.clock.now());
      conditions.equal(`(${alertStateSql('alert', `${now}::timestamptz`)})`, state);
    }
    return seesAll(reader) ? conditions : conditions.add(OF_MEMBERS);
  }
}

/** Admins and programs see all alerts of the tenant. */
function seesAll({ kind, role }: AlertReader): boolean {
  return kind !== 'user' || role === 'admin';
}

/** Members see the facts that the tenant watches, and the reported events that they were notified of. */
const OF_MEMBERS = `(alert.kind <> 'event' OR EXISTS (
  SELECT FROM notifications n WHERE n.tenant_id = $1 AND n.alert_id = alert.id AND n.user_id = $2::uuid))`;
