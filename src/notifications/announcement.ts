import { Outbox } from '../delivery/outbox.js';

/**
 * The tail of every statement that tells people something: from the CTE `told (user_id, alert_id, created_by,
 * dedupe_key, kind, severity, title, body, data)` to notifications, each once per recipient and key, in their
 * feeds under a new seq, with their deliveries.
 *
 * Adds the CTEs `fresh`, `bumped`, `created (id, user_id, …)` and `delivered (id, state)`.
 * Parameters: $1 tenant id, $4 now, $5 the outbox's channels; $2 and $3 are the caller's own.
 */
export function announceSql(told: string): string {
  return `
    fresh AS (
      SELECT t.*, 'user:' || t.user_id AS recipient FROM ${told} t
      WHERE NOT EXISTS (
        SELECT FROM notifications n
        WHERE n.tenant_id = $1 AND n.recipient = 'user:' || t.user_id AND n.dedupe_key = t.dedupe_key)
    ),
    -- Locks the inboxes in user order; whoever changes a feed waits here, so seqs commit in their order.
    bumped AS (
      INSERT INTO inboxes AS i (tenant_id, user_id, seq)
      SELECT DISTINCT $1::uuid, user_id, 1 FROM fresh ORDER BY user_id
      ON CONFLICT (tenant_id, user_id) DO UPDATE SET seq = i.seq + 1
      RETURNING user_id, seq
    ),
    created AS (
      INSERT INTO notifications (tenant_id, recipient, user_id, alert_id, created_by, dedupe_key, kind,
                                 severity, title, body, data, seq, created_at)
      SELECT $1, recipient, user_id, alert_id, created_by, dedupe_key, kind, severity, title, body, data,
             bumped.seq, $4::timestamptz
      FROM fresh JOIN bumped USING (user_id)
      ON CONFLICT (tenant_id, recipient, dedupe_key) DO NOTHING
      RETURNING id, recipient, user_id, kind, severity
    ),
    ${Outbox.deliveriesSql('created')}`;
}
