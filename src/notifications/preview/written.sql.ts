import { readerSql } from '../views/reader.js';

/*
 * The notifications of a tenant that were created at known instants. No index begins with the time: the
 * feed's index serves the tenant's users, and its end serves endpoints and bare addresses, which have no
 * user. PostgreSQL has no statistics of the thousands of rows that a rehearsal has just written: deliveries
 * are selected by an array of ids, not by a join that might loop over all of them.
 */

/** Rows of one slot that a preview reads, the worst first. */
export const MAX_ROWS = 5_000;

/** $1 tenant id; `condition` on the notification `n`. */
function createdSql(condition: string): string {
  return `
    SELECT n.* FROM notifications n
    WHERE n.tenant_id = $1 AND n.user_id = ANY (ARRAY(SELECT id FROM users WHERE tenant_id = $1)) AND ${condition}
    UNION ALL
    SELECT n.* FROM notifications n WHERE n.tenant_id = $1 AND n.user_id IS NULL AND ${condition}`;
}

/** Created between two instants, the first one included, of these kinds. $2 and $3 instants, $4 kinds */
export const CREATED_SINCE = createdSql(
  'n.created_at >= $2::timestamptz AND n.created_at < $3::timestamptz AND n.kind = ANY ($4::text[])',
);

/** A notification and one of its deliveries, as a preview shows them. */
export interface WrittenRow {
  notification_id: string;
  created_at: Date;
  recipient: string;
  user_id: string | null;
  /** Of the user, or the URL of the endpoint. */
  name: string | null;
  kind: string;
  severity: 'info' | 'warning' | 'critical';
  data: Record<string, unknown>;
  audience: string;
  dedupe_key: string;
  alert_id: string | null;
  /** Of a watched fact: days before its date. */
  stage: number | null;
  /** Null without a delivery: it is only in the inbox. */
  delivery_id: string | null;
  channel: string | null;
  address: string | null;
  state: string | null;
  reason: string | null;
  defer_reason: string | null;
  due_at: Date | null;
  sent_at: Date | null;
  bundle_id: string | null;
}

const COLUMNS = `
  n.id AS notification_id, n.created_at, n.recipient, n.user_id, coalesce(u.name, e.url_shown) AS name, n.kind, n.severity,
  n.data - 'body' AS data, n.audience, n.dedupe_key, n.alert_id,
  -- The key of a watched fact's notification is the fact and its stage.
  CASE WHEN starts_with(n.dedupe_key, a.dedupe_key || ':')
       THEN substring(substr(n.dedupe_key, length(a.dedupe_key) + 2) FROM '^-?[0-9]{1,4}')::int END AS stage,
  d.id AS delivery_id, d.channel, d.address, d.state, d.reason, d.defer_reason, d.due_at, d.sent_at, d.bundle_id`;

const FROM = `
  LEFT JOIN alerts a ON a.tenant_id = n.tenant_id AND a.id = n.alert_id
  LEFT JOIN users u ON u.tenant_id = n.tenant_id AND u.id = n.user_id
  LEFT JOIN webhook_endpoints e
    ON e.tenant_id = n.tenant_id AND e.id::text = CASE WHEN n.recipient LIKE 'webhook:%' THEN substr(n.recipient, 9) END
  LEFT JOIN (SELECT * FROM deliveries WHERE tenant_id = $1 AND notification_id = ANY ($2::uuid[]) OFFSET 0) d
    ON d.notification_id = n.id`;

/** The worst first: by severity, by lateness, by recipient. */
const ORDER = `
  ORDER BY array_position('{critical,warning,info}', n.severity), stage, u.name, n.recipient, n.id, d.channel, d.address
  LIMIT ${MAX_ROWS + 1}`;

/** As `WrittenRow`s. $2 ids of notifications */
export const WRITTEN = `
  SELECT ${COLUMNS} FROM (SELECT * FROM notifications WHERE tenant_id = $1 AND id = ANY ($2::uuid[]) OFFSET 0) n ${FROM}
  ${ORDER}`;

/** Ids of the notifications that exist before a rehearsal writes some at these instants. $2 instants */
export const KNOWN = `SELECT n.id FROM (${createdSql('n.created_at = ANY ($2::timestamptz[])')}) n LIMIT 100000`;

/** Ids of the notifications that a rehearsal has just created. $2 the instant, $3 ids of those from before, $4 the most */
export const NEW = `
  SELECT n.id FROM (${createdSql('n.created_at = $2::timestamptz')}) n
  WHERE n.id <> ALL ($3::uuid[])
  ORDER BY array_position('{critical,warning,info}', n.severity), n.id LIMIT $4`;

/** Deliveries of these notifications that the dispatcher would take. $2 their ids */
export const NEW_PENDING = `
  SELECT id FROM deliveries
  WHERE tenant_id = $1 AND notification_id = ANY ($2::uuid[]) AND state = 'pending' ORDER BY id`;

/** An alert whose fact holds, but which is not announced because it is acknowledged or snoozed. */
export interface SilentAlert {
  alert_id: string;
  kind: string;
  severity: 'info' | 'warning' | 'critical';
  data: Record<string, unknown>;
  stage: number;
  reason: 'acknowledged' | 'snoozed';
  until: Date | null;
}

const MAX_SILENT = 200;

/** $2 the instant of the check that has just counted them */
export const SILENT = `
  SELECT a.id AS alert_id, a.kind, a.severity, a.data - 'body' AS data, a.stage,
         CASE WHEN a.acknowledged_at IS NULL THEN 'snoozed' ELSE 'acknowledged' END AS reason,
         CASE WHEN a.acknowledged_at IS NULL THEN a.snoozed_until END AS until
  FROM alerts a
  WHERE a.tenant_id = $1 AND a.gone_at IS NULL AND a.last_seen_at = $2
    AND (a.acknowledged_at IS NOT NULL OR a.snoozed_until > $2)
  ORDER BY array_position('{critical,warning,info}', a.severity), a.stage, a.id LIMIT ${MAX_SILENT}`;

/** The reader of the answer. $2 user id or null */
export const READER = readerSql('$1', '$2::uuid');

/** When snoozes of open alerts end. $2 and $3 instants, both included */
export const SNOOZE_ENDS = `
  SELECT DISTINCT snoozed_until AS at FROM alerts
  WHERE tenant_id = $1 AND gone_at IS NULL AND snoozed_until >= $2 AND snoozed_until <= $3 LIMIT 1000`;
