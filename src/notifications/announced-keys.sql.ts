/** Why a delivery ended before it left, although the reader should have got it. */
const NEVER_LEFT = `'fact_gone', 'superseded', 'acknowledged', 'snoozed'`;

/**
 * Whether a notification had deliveries to send, and none was sent: its key may be announced again. Null without
 * deliveries.
 * @param tenantId an SQL expression
 * @param n the alias of the notification
 */
export function unsentSql(tenantId: string, n: string): string {
  return `(
    SELECT bool_or(d.state IN ('cancelled', 'failed') OR d.reason IN (${NEVER_LEFT}))
       AND NOT bool_or(d.state IN ('pending', 'queued', 'sending', 'sent', 'unknown'))
    FROM deliveries d WHERE d.tenant_id = ${tenantId} AND d.notification_id = ${n}.id)`;
}

/** The key of an announcement in `announced_keys`: half of a SHA-256. @param of an alias with recipient, dedupe_key */
function keySql(of: string): string {
  return `encode(substring(sha256(convert_to(${of}.recipient || chr(10) || ${of}.dedupe_key, 'UTF8')) FROM 1 FOR 16),
                 'hex')::uuid`;
}

/**
 * Whether this was announced by a notification that the cleanup has deleted since. Never null.
 * @param of an alias with `recipient` and `dedupe_key`
 */
export function announcedBeforeSql(tenantId: string, of: string): string {
  // The first condition is evaluated once per statement: a tenant without deleted notifications pays nothing more. The
  // LIMIT keeps PostgreSQL from reading all keys of the tenant into a hash.
  return `CASE WHEN EXISTS (SELECT FROM announced_keys WHERE tenant_id = ${tenantId})
    THEN coalesce((SELECT true FROM announced_keys a
                   WHERE a.tenant_id = ${tenantId} AND a.key = ${keySql(of)} LIMIT 1), false)
    ELSE false END`;
}

/** How long the keys of messages, reminders and summaries are kept: they carry a date or come from one call. */
const KEPT_DAYS = 400;

/**
 * Keeps the keys of notifications that are about to be deleted, except those that may be announced again
 * anyway. A key that begins with its alert's id cannot return: no other alert gets that id.
 * $1 tenant id, $2 notification ids, $3 now
 */
export const KEEP_KEYS = `
  INSERT INTO announced_keys (tenant_id, key, until)
  SELECT DISTINCT ON (key) $1::uuid, key, until FROM (
    SELECT ${keySql('n')} AS key,
           CASE WHEN n.alert_id IS NULL THEN $3::timestamptz + interval '${KEPT_DAYS} days' END AS until
    FROM notifications n
    WHERE n.tenant_id = $1 AND n.id = ANY ($2::uuid[]) AND NOT coalesce(${unsentSql('$1', 'n')}, false)
      AND (n.alert_id IS NULL OR NOT starts_with(n.dedupe_key, n.alert_id || ':'))) k
  ORDER BY key
  ON CONFLICT (tenant_id, key) DO NOTHING`;
