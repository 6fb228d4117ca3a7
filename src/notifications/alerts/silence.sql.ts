/**
 * Whether somebody takes care of the alert, so that it is not announced: it is acknowledged, or snoozed until later.
 * Never null.
 * @param a the alert's alias
 * @param now an SQL expression
 */
export function silentSql(a: string, now: string): string {
  return `(${a}.acknowledged_at IS NOT NULL OR coalesce(${a}.snoozed_until > ${now}, false))`;
}

/** Until when somebody takes care of the alert: a snooze, which may have ended, or for ever; null: nobody does. */
export function silentUntilSql(a: string): string {
  return `CASE WHEN ${a}.acknowledged_at IS NULL THEN ${a}.snoozed_until ELSE 'infinity' END`;
}

/** Whether a snooze of the alert has ended, and nobody has been notified of it since. Never null. */
export function snoozeEndedSql(a: string, now: string): string {
  return `(${a}.acknowledged_at IS NULL AND coalesce(${a}.snoozed_until <= ${now}, false))`;
}

/** What people have marked an alert with. */
export interface Marks {
  acknowledged_at: Date | null;
  /** A user's id; null: a program, or a bare address. */
  acknowledged_by: string | null;
  snoozed_until: Date | null;
}

/**
 * Locks an alert, and reads its marks; waits for a check or an incident that is announcing it. Run the following
 * statements separately, so that they see what that one created.
 * $1 tenant id, $2 alert id, $3 only if this user was notified of it (null: any)
 */
export const LOCK_MARKS = `
  SELECT a.acknowledged_at, a.acknowledged_by, a.snoozed_until, a.gone_at IS NOT NULL AS gone FROM alerts a
  WHERE a.tenant_id = $1 AND a.id = $2
    AND ($3::uuid IS NULL OR EXISTS (
      SELECT FROM notifications n WHERE n.tenant_id = $1 AND n.alert_id = a.id AND n.user_id = $3))
  FOR NO KEY UPDATE OF a`;

/** $1 tenant id, $2 alert id, $3 acknowledged at, $4 acknowledged by, $5 snoozed until */
export const SET_MARKS = `
  UPDATE alerts SET acknowledged_at = $3, acknowledged_by = $4, snoozed_until = $5
  WHERE tenant_id = $1 AND id = $2`;

/**
 * Copies the marks to the alert's notifications, with a new seq in the inbox of each person who was notified of it. Locks
 * the inboxes in user order, as announcements do.
 * The same parameters.
 */
export const SHOW_MARKS = `
  WITH locked AS MATERIALIZED (
    SELECT i.user_id FROM inboxes i
    WHERE i.tenant_id = $1
      AND i.user_id IN (SELECT n.user_id FROM notifications n WHERE n.tenant_id = $1 AND n.alert_id = $2)
    ORDER BY i.user_id FOR UPDATE
  ),
  bumped AS (
    UPDATE inboxes i SET seq = i.seq + 1 FROM locked l WHERE i.tenant_id = $1 AND i.user_id = l.user_id
    RETURNING i.user_id, i.seq
  ),
  changed AS (
    UPDATE notifications n SET acknowledged_at = $3, acknowledged_by = $4, snoozed_until = $5, seq = b.seq
    FROM bumped b WHERE n.tenant_id = $1 AND n.alert_id = $2 AND n.user_id = b.user_id
    RETURNING n.user_id
  )
  SELECT DISTINCT user_id FROM changed`;
