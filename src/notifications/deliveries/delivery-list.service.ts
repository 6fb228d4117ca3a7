import { Injectable } from '@nestjs/common';
import { isUUID } from 'class-validator';
import type { SqlValue, TenantTransaction } from '../../platform/database/transaction.js';
import { notFound } from '../../platform/errors/problem.js';
import { decodeCursor, encodeCursor, isInstantKey, type Page, pageOf } from '../../platform/http/cursor.js';
import type { TenantTemplates } from '../../wording/tenant-templates/tenant-templates.js';
import { type ListedRow, NotificationViews } from '../views/notification-views.js';
import { readerSql } from '../views/reader.js';
import type { DeliveriesQuery, OwnDelivery, OwnDeliveryDetail } from './deliveries.dto.js';
import {
  DELIVERY_COLUMNS,
  PROVIDER_EVENTS_COLUMN,
  sentColumns,
  STATE_CONDITIONS,
  WORDED,
} from './deliveries.sql.js';

/** The caller: lists what they received, if they are a user, and what they created. */
export interface Owner {
  user_id: string | null;
  principal: string;
}

/** How many of the latest notifications a filter scans for a page. */
const MAX_SCANNED = 5_000;

/** Sorts before every delivery of its notification: all of them have been scanned. */
const NO_ID = '00000000-0000-0000-0000-000000000000';

/** A delivery, with the data for its notification's title. */
type DeliveryRow = Omit<OwnDelivery, 'title' | 'kind' | 'status_label'> & ListedRow;
type DetailColumns = Pick<OwnDeliveryDetail, 'sent_subject' | 'sent_text' | 'provider_events'>;
type NoRow = { [Field in keyof DeliveryRow]: null };

/** With how far back the scan went, if it did not reach the end. A row without an id if nothing was found. */
type ListRow = { reach_at: Date | null; reach_id: string | null } & (DeliveryRow | NoRow);

/** Lists deliveries for their senders and recipients. */
@Injectable()
export class DeliveryList {
  constructor(private readonly views: NotificationViews) {}

  /**
   * One page, newest first. A filtered page may have fewer than `limit` entries, or none, and still have a next page: a
   * sender of millions must not wait until all have been scanned.
   */
  async list(tx: TenantTransaction, owner: Owner, query: DeliveriesQuery): Promise<Page<OwnDelivery>> {
    const values: SqlValue[] = [tx.tenant_id, owner.user_id, owner.principal, query.limit + 1];
    const take = (value: SqlValue) => `$${values.push(value)}`;
    const which: string[] = [];
    if (query.channel !== undefined) which.push(`d.channel = ${take(query.channel)}`);
    if (query.status !== undefined) which.push(STATE_CONDITIONS[query.status]);
    const lookedThrough = which.length > 0 ? MAX_SCANNED : query.limit + 1;
    let from = 'true';
    if (query.cursor !== undefined) {
      const uuid = (key: string) => isUUID(key);
      const [at, notification, id] = decodeCursor(query.cursor, [isInstantKey, uuid, uuid]);
      const last = `${take(at)}::timestamptz, ${take(notification)}::uuid`;
      from = `(n.created_at, n.id) <= (${last})`;
      which.push(`(own.created_at, own.id, d.id) < (${last}, ${take(id)}::uuid)`);
    }
    const rows = await tx.query<ListRow>(listSql(from, which, take(lookedThrough)), values);
    const found = rows.filter((row) => row.id !== null);
    return this.toPage(rows, query.limit, await this.views.ownWords(tx, found));
  }

  /**
   * A delivery that they created or received.
   * @throws Problem not_found for an unknown one or somebody else's.
   */
  async get(tx: TenantTransaction, { user_id, principal }: Owner, id: string): Promise<OwnDeliveryDetail> {
    const row = await tx.one<DeliveryRow & DetailColumns>(
      `SELECT ${DELIVERY_COLUMNS}, ${sentColumns('n.user_id = $3::uuid')}, ${PROVIDER_EVENTS_COLUMN}, n.id AS notification_id, n.recipient,
              n.created_at, ${WORDED} AS worded, reader.*
       FROM notifications n JOIN deliveries d ON d.tenant_id = n.tenant_id AND d.notification_id = n.id
       CROSS JOIN (${readerSql('$1', '$3::uuid')}) reader
       WHERE d.tenant_id = $1 AND d.id = $2 AND (n.user_id = $3::uuid OR n.created_by = $4::text)`,
      [tx.tenant_id, id, user_id, principal],
    );
    if (row === null) throw notFound();
    const { sent_subject, sent_text, provider_events, ...delivery } = row;
    return Object.assign(this.view(delivery, await this.views.ownWords(tx, [row])), {
      sent_subject,
      sent_text,
      provider_events,
    });
  }

  private toPage(rows: readonly ListRow[], limit: number, own: TenantTemplates | null): Page<OwnDelivery> {
    const found = rows.flatMap(({ reach_at: _at, reach_id: _id, ...row }) => (row.id === null ? [] : [row]));
    const page = pageOf(
      found,
      limit,
      ({ created_at, notification_id, id }) => [created_at.toISOString(), notification_id, id],
      (row) => this.view(row, own),
    );
    const { reach_at = null, reach_id = null } = rows[0] ?? {};
    if (page.next_cursor !== null || reach_at === null || reach_id === null) return page;
    return { ...page, next_cursor: encodeCursor([reach_at.toISOString(), reach_id, NO_ID]) };
  }

  private view(row: DeliveryRow, own: TenantTemplates | null): OwnDelivery {
    const status_label = this.views.statusLabel(row.status, row);
    return { ...this.views.titled(row, own), status_label, kind: row.worded.kind };
  }
}

/**
 * Scans the latest notifications of two indexes, by recipient and by creator, only as far back as both reach. Returns
 * their deliveries, each row with that limit if there is more.
 * $1 tenant id, $2 user id, $3 principal, $4 the most rows
 */
function listSql(from: string, which: readonly string[], lookedThrough: string): string {
  const latest = (whose: string) => `
    SELECT n.id, n.created_at FROM notifications n WHERE n.tenant_id = $1 AND ${whose} AND ${from}
    ORDER BY n.created_at DESC, n.id DESC LIMIT ${lookedThrough}`;
  const reach = (those: string) => `
    (SELECT created_at, id FROM ${those} ORDER BY created_at DESC, id DESC OFFSET ${lookedThrough} - 1)`;
  return `
    WITH received AS MATERIALIZED (${latest('n.user_id = $2::uuid')}),
    created AS MATERIALIZED (${latest('n.created_by = $3::text')}),
    reach AS MATERIALIZED (
      SELECT * FROM (${reach('received')} UNION ALL ${reach('created')}) r
      ORDER BY created_at DESC, id DESC LIMIT 1
    ),
    own AS MATERIALIZED (
      SELECT * FROM (SELECT * FROM received UNION SELECT * FROM created) o
      WHERE NOT EXISTS (SELECT FROM reach r WHERE (o.created_at, o.id) < (r.created_at, r.id))
    ),
    page AS MATERIALIZED (
      SELECT d.*, own.id AS notification_id, own.created_at
      FROM own
      -- OFFSET 0: by the index for each, never by reading the table for all.
      CROSS JOIN LATERAL (
        SELECT ${DELIVERY_COLUMNS} FROM deliveries d
        WHERE ${['d.tenant_id = $1', 'd.notification_id = own.id', ...which].join(' AND ')} OFFSET 0) d
      ORDER BY own.created_at DESC, own.id DESC, d.id DESC LIMIT $4
    ),
    found AS (
      SELECT page.*, n.recipient, ${WORDED} AS worded, reader.*
      FROM page JOIN notifications n ON n.tenant_id = $1 AND n.id = page.notification_id
      CROSS JOIN (${readerSql('$1', '$2::uuid')}) reader
    )
    SELECT reach.created_at AS reach_at, reach.id AS reach_id, found.*
    FROM (SELECT) AS always LEFT JOIN reach ON true LEFT JOIN found ON true
    ORDER BY found.created_at DESC, found.notification_id DESC, found.id DESC`;
}
