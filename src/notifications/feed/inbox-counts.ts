import { Injectable } from '@nestjs/common';
import { MAX_UNSEEN, type UnreadCount } from '../../contracts/socket-messages.js';
import type { TenantStatements } from '../../platform/database/database.js';
import { prepared, type TenantTransaction } from '../../platform/database/transaction.js';
import { Problem } from '../../platform/errors/problem.js';
import { Notifications } from '../notifications.service.js';
import { readFeedCursor } from './feed-cursor.js';

/**
 * A row with `unseen`: how many notifications were created after what the user has seen, and are not archived.
 * @param userId an SQL expression
 * @param inbox the alias of the user's row in `inboxes`
 */
export function unseenSql(userId: string, inbox: string): string {
  return `
    SELECT count(*) AS unseen FROM (
      SELECT FROM notifications WHERE tenant_id = $1 AND user_id = ${userId} AND archived_at IS NULL
        AND (created_seq, id) > (${inbox}.seen_seq, ${inbox}.seen_id)
      -- Without the order the planner read the whole feed: it cannot estimate the row above.
      ORDER BY created_seq, id LIMIT ${MAX_UNSEEN}) counted`;
}

/** Clients call it often. A user without an inbox has had no notification yet. */
const COUNTS = prepared(
  `SELECT (SELECT count(*) FROM notifications
           WHERE tenant_id = $1 AND user_id = $2 AND read_at IS NULL AND archived_at IS NULL) AS unread_count,
          (${unseenSql('$2', 'i')}) AS unseen, coalesce(i.seq, 0) AS seq
   FROM (SELECT) one LEFT JOIN inboxes i ON i.tenant_id = $1 AND i.user_id = $2`,
);

/**
 * The cursor must belong to one of the user's notifications, which had this seq when it was created or at a
 * later change. Moves only forward, and only if that shows something new: opening a bell again writes
 * nothing.
 * $1 tenant id, $2 user id, $3 seq and $4 id of the cursor
 */
const MOVE_SEEN = `
  WITH target AS (
    SELECT FROM notifications
    WHERE tenant_id = $1 AND user_id = $2 AND id = $4::uuid AND $3::bigint BETWEEN created_seq AND seq
  ),
  moved AS (
    UPDATE inboxes i SET seen_seq = $3, seen_id = $4, seq = i.seq + 1
    WHERE i.tenant_id = $1 AND i.user_id = $2 AND EXISTS (SELECT FROM target)
      AND (
        SELECT (n.created_seq, n.id) <= ($3::bigint, $4::uuid) FROM notifications n
        WHERE n.tenant_id = $1 AND n.user_id = $2 AND n.archived_at IS NULL
          AND (n.created_seq, n.id) > (i.seen_seq, i.seen_id)
        ORDER BY n.created_seq, n.id LIMIT 1)
    RETURNING i.seq
  )
  SELECT EXISTS (SELECT FROM target) AS known, EXISTS (SELECT FROM moved) AS moved`;

/** How many notifications a user has not read and not seen. Seen is not read: it is what a bell has shown. */
@Injectable()
export class InboxCounts {
  constructor(private readonly notifications: Notifications) {}

  /** Exact at the returned seq of the inbox. */
  async of(tx: TenantStatements, userId: string): Promise<UnreadCount> {
    const counts = await tx.one<UnreadCount>(COUNTS, [tx.tenant_id, userId]);
    return counts ?? { unread_count: 0, unseen: 0, seq: 0 };
  }

  /**
   * The user has seen everything up to this notification. An older cursor changes nothing.
   * @param cursor the `cursor` of a notification in their feed
   * @throws Problem invalid_cursor for any other text, and for the cursor of another user's notification.
   */
  async markSeen(tx: TenantTransaction, userId: string, cursor: string): Promise<UnreadCount> {
    const last = readFeedCursor(cursor);
    if (last === null) throw new Problem('invalid_cursor');
    const row = await tx.one<{ known: boolean; moved: boolean }>(MOVE_SEEN, [
      tx.tenant_id,
      userId,
      last.seq,
      last.id,
    ]);
    if (row?.known !== true) throw new Problem('invalid_cursor');
    if (row.moved) this.notifications.feedsChanged(tx, [userId]);
    return this.of(tx, userId);
  }
}
