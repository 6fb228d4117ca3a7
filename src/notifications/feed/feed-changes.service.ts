import { Injectable } from '@nestjs/common';
import type { LiveNotification, UnreadCount } from '../../contracts/socket-messages.js';
import { Database } from '../../platform/database/database.js';
import { prepared } from '../../platform/database/transaction.js';
import {
  NOTIFICATION_COLUMNS,
  type NotificationRow,
  NotificationViews,
} from '../views/notification-views.js';
import { type ReaderRow, readerSql } from '../views/reader.js';
import type { FeedCursor } from './feed-cursor.js';
import { unseenSql } from './inbox-counts.js';

/** A request for the changes in a user's feed after this cursor. */
export interface FeedAsked {
  user_id: string;
  after: FeedCursor;
}

/** The changes after a cursor, oldest first, with the inbox's counts and seq from the same snapshot. */
export interface FeedChanges extends UnreadCount {
  changes: LiveNotification[];
}

type ChangeRow = { place: number; inbox_seq: number; unread_count: number; unseen: number } & ReaderRow &
  (NotificationRow | { [Column in keyof NotificationRow]: null });

/** Reads the changes that gateways send to connected clients, for many users in one statement. */
@Injectable()
export class FeedChangesReader {
  constructor(
    private readonly database: Database,
    private readonly views: NotificationViews,
  ) {}

  /**
   * The changes in these feeds, at most `limit` each, in one statement and so from one snapshot: an answer with fewer
   * than `limit` changes is complete up to its seq.
   * @returns one answer for each request, in order.
   */
  async since(tenantId: string, asked: readonly FeedAsked[], limit: number): Promise<FeedChanges[]> {
    if (asked.length === 0) return [];
    const questions = asked.map(({ user_id, after: { seq, id } }, place) => ({ place, user_id, seq, id }));
    const tx = this.database.single(tenantId);
    const rows = await tx.query<ChangeRow>(CHANGES_SINCE, [tenantId, JSON.stringify(questions), limit]);
    const own = await this.views.ownWords(tx, rows);
    const answers: FeedChanges[] = [];
    for (const row of rows) {
      const { place, inbox_seq: seq, unread_count, unseen } = row;
      const answer = (answers[place] ??= { changes: [], seq, unread_count, unseen });
      // Not a spread: V8 reads and encodes such objects much more slowly, and there is one for each frame.
      if (row.id !== null)
        answer.changes.push(Object.assign(this.views.of(row, own), { unread_count, unseen, seq }));
    }
    return answers;
  }

  /** The seqs of these users' inboxes. Skips users who may not be connected: deleted, or of a suspended tenant. */
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

/**
 * The requests are passed as JSON and every table is read by LATERAL, so that PostgreSQL plans this once per
 * connection: with arrays it planned every call again, which took longer than reading one feed.
 */
const CHANGES_SINCE = prepared(
  `SELECT asked.place, coalesce(inbox.seq, 0) AS inbox_seq, unread.unread_count, unseen.unseen,
          reader.*, n.*
   FROM jsonb_to_recordset($2::jsonb) AS asked (place integer, user_id uuid, seq bigint, id uuid)
   LEFT JOIN LATERAL (
     SELECT seq, seen_seq, seen_id FROM inboxes WHERE tenant_id = $1 AND user_id = asked.user_id LIMIT 1) inbox ON true
   CROSS JOIN LATERAL (
     SELECT count(*) AS unread_count FROM notifications
     WHERE tenant_id = $1 AND user_id = asked.user_id AND read_at IS NULL AND archived_at IS NULL) unread
   CROSS JOIN LATERAL (${unseenSql('asked.user_id', 'inbox')}) unseen
   CROSS JOIN LATERAL (${readerSql('$1', 'asked.user_id')} LIMIT 1) reader
   LEFT JOIN LATERAL (
     SELECT ${NOTIFICATION_COLUMNS} FROM notifications n
     WHERE n.tenant_id = $1 AND n.user_id = asked.user_id AND (n.seq, n.id) > (asked.seq, asked.id)
     ORDER BY n.seq, n.id LIMIT $3) n ON true
   ORDER BY asked.place, n.seq, n.id`,
);
