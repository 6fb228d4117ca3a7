import { eventsSql } from './events.sql.js';

/**
 * `pending` → `failed` (`expired`): deliveries due long ago, on a channel that has been down for as long. Time on a
 * channel that was paused, or up, does not count. Deliveries of a paused or disabled channel do not expire: somebody
 * chose that.
 * $1 channel, $2 due before, $3 now, $4 how many
 */
export const EXPIRE = `
  WITH locked AS MATERIALIZED (
    SELECT tenant_id, id FROM deliveries
    WHERE channel = $1 AND state = 'pending' AND due_at < $2
      AND (SELECT down_since FROM channels WHERE channel = $1) < $2
    ORDER BY tenant_id, id LIMIT $4 FOR UPDATE SKIP LOCKED
  ),
  ended AS (
    UPDATE deliveries d
    SET state = 'failed', reason = 'expired', ended_at = $3, defer_reason = NULL,
        error = coalesce(d.error, c.down_detail, 'the channel was down')
    FROM locked l, channels c
    WHERE d.tenant_id = l.tenant_id AND d.id = l.id AND c.channel = $1
    RETURNING d.tenant_id, d.id, 'failed' AS event, d.attempts AS attempt, d.reason, NULL::timestamptz AS until, d.error
  ),
  ${eventsSql('ended', '$3')}
  SELECT id FROM ended`;
