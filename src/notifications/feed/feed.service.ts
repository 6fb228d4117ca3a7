import { Inject, Injectable } from '@nestjs/common';
import { isUUID } from 'class-validator';
import type { NotificationView } from '../../contracts/socket-messages.js';
import { Clock } from '../../platform/clock/clock.js';
import type { TenantStatements } from '../../platform/database/database.js';
import { prepared, type SqlValue, type TenantTransaction } from '../../platform/database/transaction.js';
import { notFound, Problem } from '../../platform/errors/problem.js';
import { decodeCursor, isInstantKey, type Page, pageOf } from '../../platform/http/cursor.js';
import type {
  DeliveryDetail,
  FeedFilter,
  FeedNotificationDetail,
  FeedQuery,
  ReadAllQuery,
} from './feed.dto.js';
import { readFeedCursor } from './feed-cursor.js';
import { DELIVERY_COLUMNS, PROVIDER_EVENTS_COLUMN, sentColumns } from '../deliveries/deliveries.sql.js';
import type { Owner } from '../deliveries/delivery-list.service.js';
import { Notifications } from '../notifications.service.js';
import {
  NOTIFICATION_COLUMNS,
  type NotificationRow,
  NotificationViews,
} from '../views/notification-views.js';
import { type ReaderRow, readerSql } from '../views/reader.js';

type FeedRow = NotificationRow & ReaderRow;

/** A person's actions on notifications: which ones each applies to, and the resulting state. */
const CHANGES = {
  read: { applies: 'n.read_at IS NULL', set: 'read_at = $3' },
  // Both use $3, so that every change takes the same parameters.
  unread: { applies: 'n.read_at IS NOT NULL AND $3::timestamptz IS NOT NULL', set: 'read_at = NULL' },
  archive: { applies: 'n.archived_at IS NULL', set: 'archived_at = $3' },
} as const;
export type FeedChange = keyof typeof CHANGES;

/** Adds a parameter to a statement, and returns its name there. */
type Take = (value: SqlValue) => string;

/** The filters that a list and `read-all` share, as conditions of the notification `n`. */
function selected({ kind, severity, since }: FeedFilter, take: Take): string[] {
  return [
    ...(kind === undefined ? [] : [`n.kind = ANY (${take(kind)}::text[])`]),
    ...(severity === undefined ? [] : [`n.severity = ${take(severity)}`]),
    ...(since === undefined ? [] : [`n.created_at >= ${take(new Date(since))}::timestamptz`]),
  ];
}

function ofIds(ids: readonly string[]): (take: Take) => string[] {
  return (take) => [`n.id = ANY (${take(ids)}::uuid[])`];
}

/**
 * A user's notifications and their marks. Every change goes through the user's inbox: it locks the row, raises its seq,
 * and gives the new seq to the changed notifications.
 */
@Injectable()
export class Feed {
  constructor(
    private readonly notifications: Notifications,
    private readonly views: NotificationViews,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** One page of a user's feed, newest first. */
  async list(tx: TenantStatements, userId: string, query: FeedQuery): Promise<Page<NotificationView>> {
    const values: SqlValue[] = [tx.tenant_id, userId];
    const conditions: string[] = [];
    const take: Take = (value) => `$${values.push(value)}`;
    // Literals, not parameters: they select the partial index on unread notifications.
    if (!query.archived) conditions.push('n.archived_at IS NULL');
    if (query.unread !== undefined)
      conditions.push(query.unread ? 'n.read_at IS NULL' : 'n.read_at IS NOT NULL');
    conditions.push(...selected(query, take));
    if (query.cursor !== undefined) {
      const [created_at, id] = decodeCursor(query.cursor, [isInstantKey, (key) => isUUID(key)]);
      conditions.push(`(n.created_at, n.id) < (${take(created_at)}::timestamptz, ${take(id)}::uuid)`);
    }
    const rows = await tx.query<FeedRow>(
      prepared(
        `SELECT ${NOTIFICATION_COLUMNS}, reader.*
         FROM notifications n CROSS JOIN (${readerSql('$1', '$2')}) reader
         WHERE ${['n.tenant_id = $1', 'n.user_id = $2', ...conditions].join(' AND ')}
         ORDER BY n.created_at DESC, n.id DESC LIMIT ${take(query.limit + 1)}`,
      ),
      values,
    );
    const own = await this.views.ownWords(tx, rows);
    return pageOf(
      rows,
      query.limit,
      ({ created_at, id }) => [created_at.toISOString(), id],
      (row) => this.views.of(row, own),
    );
  }

  /**
   * A notification that they received or created, with its deliveries. Only the recipient sees their own marks.
   * @throws Problem not_found for an unknown one or somebody else's.
   */
  async get(tx: TenantTransaction, owner: Owner, id: string): Promise<FeedNotificationDetail> {
    const row = await tx.one<FeedRow & { received: boolean }>(
      `SELECT ${NOTIFICATION_COLUMNS}, reader.*, n.user_id IS NOT DISTINCT FROM $3::uuid AS received
       FROM notifications n CROSS JOIN (${readerSql('$1', '$3::uuid')}) reader
       WHERE n.tenant_id = $1 AND n.id = $2 AND (n.user_id = $3::uuid OR n.created_by = $4::text)`,
      [tx.tenant_id, id, owner.user_id, owner.principal],
    );
    if (row === null) throw notFound();
    const { received, ...stored } = row;
    const notification = this.views.of(
      received ? stored : { ...stored, read_at: null, archived_at: null, seq: 0 },
      await this.views.ownWords(tx, [row]),
    );
    const deliveries = await tx.query<DeliveryDetail>(
      `SELECT ${DELIVERY_COLUMNS}, ${sentColumns(received ? 'true' : 'false')}, ${PROVIDER_EVENTS_COLUMN} FROM deliveries d WHERE d.tenant_id = $1 AND d.notification_id = $2
       ORDER BY d.channel, d.address LIMIT 100`,
      [tx.tenant_id, id],
    );
    return { ...notification, audience: row.audience, deliveries };
  }

  /**
   * Marks one notification, and returns it. Repeating a mark changes nothing.
   * @throws Problem not_found for an unknown one or somebody else's.
   */
  async mark(
    tx: TenantTransaction,
    userId: string,
    id: string,
    change: FeedChange,
  ): Promise<NotificationView> {
    await this.apply(tx, userId, change, ofIds([id]));
    return this.view(tx, userId, id);
  }

  /** Marks these as read; ignores ids of other users. @returns how many were unread. */
  async markRead(tx: TenantTransaction, userId: string, ids: readonly string[]): Promise<number> {
    return this.apply(tx, userId, 'read', ofIds(ids));
  }

  /** Marks all unread notifications that are not archived as read. @returns how many. */
  async markAllRead(tx: TenantTransaction, userId: string, which: ReadAllQuery = {}): Promise<number> {
    return this.apply(tx, userId, 'read', (take) => {
      const conditions = ['n.archived_at IS NULL', ...selected(which, take)];
      if (which.up_to === undefined) return conditions;
      const last = readFeedCursor(which.up_to);
      if (last === null) throw new Problem('invalid_cursor');
      // A notification that arrived after the list was shown stays unread.
      return [...conditions, `(n.created_seq, n.id) <= (${take(last.seq)}::bigint, ${take(last.id)}::uuid)`];
    });
  }

  /**
   * One statement. If there is something to change, it first locks the inbox; it checks rows again that changed while
   * it waited, and skips those that need no change.
   */
  private async apply(
    tx: TenantTransaction,
    userId: string,
    change: FeedChange,
    which: (take: Take) => string[],
  ): Promise<number> {
    const { applies, set } = CHANGES[change];
    const values: SqlValue[] = [tx.tenant_id, userId, this.clock.now()];
    const conditions = which((value) => `$${values.push(value)}`);
    const affected = ['n.tenant_id = $1', 'n.user_id = $2', ...conditions, applies].join(' AND ');
    const changed = await tx.one<{ updated: number }>(
      `WITH inbox AS (
         INSERT INTO inboxes AS i (tenant_id, user_id, seq)
         SELECT $1, $2, 1 WHERE EXISTS (SELECT FROM notifications n WHERE ${affected})
         ON CONFLICT (tenant_id, user_id) DO UPDATE SET seq = i.seq + 1
         RETURNING seq
       ),
       changed AS (
         UPDATE notifications n SET ${set}, seq = inbox.seq FROM inbox WHERE ${affected} RETURNING n.id
       )
       SELECT count(*) AS updated FROM changed`,
      values,
    );
    const updated = changed?.updated ?? 0;
    if (updated > 0) this.notifications.feedsChanged(tx, [userId]);
    return updated;
  }

  private async view(tx: TenantTransaction, userId: string, id: string): Promise<NotificationView> {
    const row = await tx.one<FeedRow>(
      `SELECT ${NOTIFICATION_COLUMNS}, reader.* FROM notifications n CROSS JOIN (${readerSql('$1', '$2')}) reader
       WHERE n.tenant_id = $1 AND n.user_id = $2 AND n.id = $3`,
      [tx.tenant_id, userId, id],
    );
    if (row === null) throw notFound();
    return this.views.of(row, await this.views.ownWords(tx, [row]));
  }
}
