import { Outbox } from '../delivery/outbox.js';

/**
 * The tail of every statement that tells users something: from the CTE `told (user_id, alert_id, created_by,
 * dedupe_key, kind, severity, title, body, data)` to notifications, each once per recipient and key, in their
 * feeds under a new seq, with their deliveries on every channel, due now.
 *
 * Adds the CTEs `fresh`, `bumped`, `created (id, user_id, …)` and `delivered (id, state, …)`.
 * Parameters: $1 tenant id, $4 now, $5 the outbox's channels; $2 and $3 are the caller's own.
 */
export function announceSql(told: string): string {
  return `
    ${freshSql(`(SELECT *, 'user:' || user_id AS recipient FROM ${told})`)},
    created AS (
      ${INSERT}
      RETURNING id, recipient, user_id, kind, severity, NULL::text AS address, NULL::text AS channel,
                created_at AS due_at
    ),
    ${Outbox.deliveriesSql('created')}`;
}

/**
 * The same for messages to whom somebody named: `told` also has `recipient`, `address` (null: the user's), `channel`
 * and `due_at`; its `user_id` is null for a bare address, which has no feed.
 */
export function announceMessageSql(told: string): string {
  return `
    ${freshSql(told)},
    inserted AS (
      ${INSERT}
      RETURNING id, recipient, user_id, kind, severity
    ),
    created AS (SELECT i.*, f.address, f.channel, f.due_at FROM inserted i JOIN fresh f USING (recipient)),
    ${Outbox.deliveriesSql('created')}`;
}

function freshSql(told: string): string {
  return `
    fresh AS (
      SELECT t.* FROM ${told} t
      -- The first key at or after ours is ours if it exists. Written so that only the unique index can answer it: for
      -- NOT EXISTS the planner read all notifications of the tenant, by another index that begins with tenant_id.
      WHERE t.dedupe_key IS DISTINCT FROM (
        SELECT n.dedupe_key FROM notifications n
        WHERE n.tenant_id = $1 AND n.recipient = t.recipient AND n.dedupe_key >= t.dedupe_key
        ORDER BY n.dedupe_key LIMIT 1)
    ),
    -- Locks the inboxes in user order; whoever changes a feed waits here, so seqs commit in their order.
    bumped AS (
      INSERT INTO inboxes AS i (tenant_id, user_id, seq)
      SELECT DISTINCT $1::uuid, user_id, 1 FROM fresh WHERE user_id IS NOT NULL ORDER BY user_id
      ON CONFLICT (tenant_id, user_id) DO UPDATE SET seq = i.seq + 1
      RETURNING user_id, seq
    )`;
}

const INSERT = `
      INSERT INTO notifications (tenant_id, recipient, user_id, alert_id, created_by, dedupe_key, kind,
                                 severity, title, body, data, seq, created_at)
      SELECT $1, recipient, user_id, alert_id, created_by, dedupe_key, kind, severity, title, body, data,
             coalesce(bumped.seq, 0), $4::timestamptz
      FROM fresh LEFT JOIN bumped USING (user_id)
      ON CONFLICT (tenant_id, recipient, dedupe_key) DO NOTHING`;
