import type { ArchivedTable, ArchiveParameters } from '../platform/archives/archived-thing.js';
import { KEEP_KEYS } from './announced-keys.sql.js';

export const NOTIFICATION_TABLE: ArchivedTable = {
  table: 'notifications',
  parent: null,
  key: ['id'],
  references: [
    // An erased person must not return.
    { column: 'user_id', table: 'users', missing: 'skip' },
    { column: 'alert_id', table: 'alerts', missing: 'clear' },
  ],
};

export const FALLBACK_TABLE: ArchivedTable = {
  table: 'channel_fallbacks',
  parent: { table: 'notifications', column: 'notification_id' },
  key: ['notification_id'],
};

/**
 * Whether nobody needs the notification in their feed any more: they have read or archived it, or it is old
 * enough, and its alert is no longer open. One without deliveries is old enough at `sent_before`.
 * @param deliveriesEnded whether its deliveries have ended; null without any
 */
export function notificationFinishedSql(
  n: string,
  p: ArchiveParameters<'sent_before' | 'unread_before'>,
  deliveriesEnded: string,
): string {
  return `(
    (${n}.user_id IS NULL OR ${n}.read_at IS NOT NULL OR ${n}.archived_at IS NOT NULL
      OR ${n}.created_at < ${p.unread_before})
    AND (${n}.alert_id IS NULL OR NOT EXISTS (
      SELECT FROM alerts a
      WHERE a.tenant_id = ${p.tenant_id} AND a.id = ${n}.alert_id AND a.gone_at IS NULL AND a.state = 'open'))
    AND coalesce(${deliveriesEnded}, ${n}.created_at < ${p.sent_before}))`;
}

/**
 * The notifications with the ids and positions that a SELECT finds.
 * @param found a SELECT of `notification_id` and `position`
 */
export function notificationsOfSql(tenantId: string, found: string): string {
  return `
    SELECT n.*, f.position FROM (${found}) f
    JOIN notifications n ON n.tenant_id = ${tenantId} AND n.id = f.notification_id`;
}

/** The inboxes whose counts change when these notifications are deleted. $1 tenant id, $2 notification ids */
const COUNTING = `
  i.tenant_id = $1 AND EXISTS (
    SELECT FROM notifications n
    WHERE n.tenant_id = $1 AND n.id = ANY ($2::uuid[]) AND n.user_id = i.user_id AND n.archived_at IS NULL
      AND (n.read_at IS NULL OR (n.created_seq, n.id) > (i.seen_seq, i.seen_id)))`;

/** Locks them in the order of announcements, which lock inboxes before notifications. */
export const LOCK_COUNTING_INBOXES = `
  SELECT i.user_id FROM inboxes i WHERE ${COUNTING} ORDER BY i.user_id FOR UPDATE`;

/** Connected clients get the new counts with the next comparison of feeds, within 15 s. $3 now */
export const BUMP_COUNTING_INBOXES = `
  UPDATE inboxes i SET seq = i.seq + 1 WHERE $3::timestamptz IS NOT NULL AND ${COUNTING}`;

export const BEFORE_DELETING_NOTIFICATIONS: readonly string[] = [KEEP_KEYS, BUMP_COUNTING_INBOXES];
