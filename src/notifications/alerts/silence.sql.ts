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

/** The `AlertState` of an alert. */
export function alertStateSql(a: string, now: string): string {
  return `CASE WHEN ${a}.state = 'resolved' THEN 'resolved' WHEN ${a}.acknowledged_at IS NOT NULL THEN 'acknowledged'
    WHEN ${a}.snoozed_until > ${now} THEN 'snoozed' ELSE 'open' END`;
}

/** What people have marked an alert with. */
export interface Marks {
  acknowledged_at: Date | null;
  /** A user's id; null: a program, or a bare address. */
  acknowledged_by: string | null;
  snoozed_until: Date | null;
}

/**
 * Locks alerts in the order of their keys, as checks and incidents do, and reads their marks; waits for a check or an
 * incident that is announcing one of them. Run the following statements separately, so that they see what that one
 * created.
 * $1 tenant id, $2 alert ids, $3 only those that this user was notified of (null: any)
 */
export const LOCK_MARKS = `
  SELECT a.id, a.acknowledged_at, a.acknowledged_by, a.snoozed_until, a.gone_at IS NOT NULL AS gone FROM alerts a
  WHERE a.tenant_id = $1 AND a.id = ANY ($2::uuid[])
    AND ($3::uuid IS NULL OR EXISTS (
      SELECT FROM notifications n WHERE n.tenant_id = $1 AND n.alert_id = a.id AND n.user_id = $3))
  ORDER BY a.dedupe_key, a.id FOR NO KEY UPDATE OF a`;

const MARKS = `jsonb_to_recordset($2::jsonb) AS mark (
  id uuid, acknowledged_at timestamptz, acknowledged_by uuid, snoozed_until timestamptz)`;

/** $1 tenant id, $2 the new marks of alerts, as a list of `Marks` with the alert's id */
export const SET_MARKS = `
  UPDATE alerts a
  SET acknowledged_at = mark.acknowledged_at, acknowledged_by = mark.acknowledged_by, snoozed_until = mark.snoozed_until
  FROM ${MARKS}
  WHERE a.tenant_id = $1 AND a.id = mark.id`;

/**
 * Copies the marks to the alerts' notifications, with a new seq in the inbox of each person who was notified of one.
 * Locks the inboxes in user order, as announcements do.
 * The same parameters.
 */
export const SHOW_MARKS = `
  WITH marks AS MATERIALIZED (SELECT * FROM ${MARKS}),
  locked AS MATERIALIZED (
    SELECT i.user_id FROM inboxes i
    WHERE i.tenant_id = $1
      AND i.user_id IN (
        SELECT n.user_id FROM marks JOIN notifications n ON n.tenant_id = $1 AND n.alert_id = marks.id)
    ORDER BY i.user_id FOR UPDATE
  ),
  bumped AS (
    UPDATE inboxes i SET seq = i.seq + 1 FROM locked l WHERE i.tenant_id = $1 AND i.user_id = l.user_id
    RETURNING i.user_id, i.seq
  ),
  changed AS (
    UPDATE notifications n
    SET acknowledged_at = marks.acknowledged_at, acknowledged_by = marks.acknowledged_by,
        snoozed_until = marks.snoozed_until, seq = b.seq
    FROM marks, bumped b WHERE n.tenant_id = $1 AND n.alert_id = marks.id AND n.user_id = b.user_id
    RETURNING n.user_id
  )
  SELECT DISTINCT user_id FROM changed`;
