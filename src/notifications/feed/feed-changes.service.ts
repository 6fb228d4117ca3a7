import { Injectable } from '@nestjs/common';
import type { NotificationView } from '../../contracts/socket-messages.js';
import { Database } from '../../platform/database/database.js';
import { prepared } from '../../platform/database/transaction.js';
import {
  NOTIFICATION_COLUMNS,
  type NotificationRow,
  NotificationViews,
} from '../views/notification-views.js';
import { type ReaderRow, readerSql } from '../views/reader.js';
import type { CountedInbox } from './feed.service.js';

/** How far somebody has been brought up to date: the last change they have, in the order of seq and id. */
export interface FeedCursor {
  seq: number;
  id: string;
}

/** Comes after every notification of its seq. */
export const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** Reads a view's `cursor`, or null when it is not one. */
export function readFeedCursor(text: unknown): FeedCursor | null {
  if (typeof text !== 'string') return null;
  const [, seq, id] = /^(\d{1,15})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(text) ?? [];
  return seq === undefined || id === undefined ? null : { seq: Number(seq), id };
}

/** Whose changes are asked for, and after which. */
export interface FeedAsked {
  user_id: string;
  after: FeedCursor;
}

/** The changes after a cursor, oldest first, with the inbox as it was at the same instant. */
export interface FeedChanges extends CountedInbox {
  changes: NotificationView[];
}

type ChangeRow = { place: number; inbox_seq: number; unread_count: number } & ReaderRow &
  (NotificationRow | { [Column in keyof NotificationRow]: null });

/** What brings clients up to date: read by gateways, for many users at a time. */
@Injectable()
export class FeedChangesReader {
  constructor(
    private readonly database: Database,
    private readonly views: NotificationViews,
  ) {}

  /**
   * What changed in these feeds, at most `limit` changes each, in one statement and so as of one instant: with
   * fewer than `limit`, there are no others up to the seq that comes with them.
   * @returns one answer for each that was asked, in their order.
   */
  async since(tenantId: string, asked: readonly FeedAsked[], limit: number): Promise<FeedChanges[]> {
    if (asked.length === 0) return [];
    const rows = await this.database.single(tenantId).query<ChangeRow>(
      prepared(
        `WITH asked AS MATERIALIZED (
           SELECT * FROM unnest($2::uuid[], $3::bigint[], $4::uuid[]) WITH ORDINALITY AS a (user_id, seq, id, place)
         ),
         inbox AS MATERIALIZED (
           SELECT u.user_id, coalesce(i.seq, 0) AS seq, c.unread_count
           FROM (SELECT DISTINCT user_id FROM asked) u
           LEFT JOIN inboxes i ON i.tenant_id = $1 AND i.user_id = u.user_id
           CROSS JOIN LATERAL (
             SELECT count(*) AS unread_count FROM notifications
             WHERE tenant_id = $1 AND user_id = u.user_id AND read_at IS NULL AND archived_at IS NULL) c
         )
         SELECT asked.place, inbox.seq AS inbox_seq, inbox.unread_count, reader.*, n.*
         FROM asked
         JOIN inbox USING (user_id)
         CROSS JOIN LATERAL (${readerSql('$1', 'asked.user_id')}) reader
         LEFT JOIN LATERAL (
           SELECT ${NOTIFICATION_COLUMNS} FROM notifications n
           WHERE n.tenant_id = $1 AND n.user_id = asked.user_id AND (n.seq, n.id) > (asked.seq, asked.id)
           ORDER BY n.seq, n.id LIMIT $5) n ON true
         ORDER BY asked.place, n.seq, n.id`,
      ),
      [
        tenantId,
        asked.map(({ user_id }) => user_id),
        asked.map(({ after }) => after.seq),
        asked.map(({ after }) => after.id),
        limit,
      ],
    );
    const answers: FeedChanges[] = [];
    for (const { place, inbox_seq, unread_count, ...row } of rows) {
      // WITH ORDINALITY counts from 1.
      const answer = (answers[place - 1] ??= { changes: [], seq: inbox_seq, unread_count });
      if (row.id !== null) answer.changes.push(this.views.of(row));
    }
    return answers;
  }

  /**
   * The seqs of these users' inboxes, for those who may be connected: who was removed, or whose tenant is
   * suspended, is not among them.
   */
  async seqs(tenantId: string, userIds: readonly string[]): Promise<Map<string, number>> {
    const rows = await this.database.single(tenantId).query<{ user_id: string; seq: number }>(
      prepared(
        `SELECT u.id AS user_id, coalesce(i.seq, 0) AS seq
         FROM users u
         JOIN tenants t ON t.id = u.tenant_id AND t.suspended_at IS NULL
         LEFT JOIN inboxes i ON i.tenant_id = u.tenant_id AND i.user_id = u.id
         WHERE u.tenant_id = $1 AND u.id = ANY ($2::uuid[])`,
      ),
      [tenantId, userIds],
    );
    return new Map(rows.map(({ user_id, seq }) => [user_id, seq]));
  }
}
