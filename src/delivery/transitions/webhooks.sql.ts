import { endSql } from './acts.sql.js';
import { eventsSql } from './events.sql.js';

/*
 * The transitions of the deliveries to one webhook endpoint, whose recipient is `webhook:<endpoint id>`. They
 * skip rows that another transaction has locked: a claim checks the endpoint's state itself.
 */

/**
 * `pending` or `queued` → `suppressed`: the endpoint was disabled or deleted.
 * $1 tenant id, $2 recipient, $3 now, $4 reason
 */
export const SUPPRESS_OF_ENDPOINT = `
  WITH locked AS MATERIALIZED (
    SELECT tenant_id, id FROM deliveries
    WHERE tenant_id = $1 AND channel = 'webhook' AND recipient = $2 AND state IN ('pending', 'queued')
    ORDER BY tenant_id, id FOR UPDATE SKIP LOCKED
  ),
  ${endSql('suppressed', '$4::text')}
  SELECT count(*) FROM ended`;

/**
 * Makes waiting retries due: the endpoint works again.
 * $1 tenant id, $2 recipient, $3 now
 */
export const HASTEN_OF_ENDPOINT = `
  UPDATE deliveries d SET due_at = $3, defer_reason = NULL
  FROM (SELECT tenant_id, id FROM deliveries
        WHERE tenant_id = $1 AND channel = 'webhook' AND recipient = $2 AND state = 'pending'
          AND due_at > $3 AND defer_reason = 'retry'
        ORDER BY tenant_id, id FOR UPDATE SKIP LOCKED) l
  WHERE d.tenant_id = l.tenant_id AND d.id = l.id`;

/**
 * Defers the endpoint's other deliveries until the instant that it asked for (Retry-After).
 * $1 tenant id, $2 recipient, $3 until
 */
export const DEFER_OF_ENDPOINT = `
  UPDATE deliveries d SET due_at = $3, defer_reason = 'retry'
  FROM (SELECT tenant_id, id FROM deliveries
        WHERE tenant_id = $1 AND channel = 'webhook' AND recipient = $2 AND state = 'pending' AND due_at < $3
        ORDER BY tenant_id, id FOR UPDATE SKIP LOCKED) l
  WHERE d.tenant_id = l.tenant_id AND d.id = l.id`;

/**
 * `failed`, `unknown`, or `suppressed` while the endpoint was disabled → `pending`, with all attempts again and the
 * same `webhook-id`. Sent ones are left alone.
 * $1 tenant id, $2 recipient, $3 now, $4 created since, or null, $5 how many
 */
export const REPLAY = `
  WITH locked AS MATERIALIZED (
    SELECT tenant_id, id FROM deliveries
    WHERE tenant_id = $1 AND channel = 'webhook' AND recipient = $2
      AND ($4::timestamptz IS NULL OR created_at >= $4)
      AND (state IN ('failed', 'unknown') OR (state = 'suppressed' AND reason = 'endpoint_disabled'))
    ORDER BY tenant_id, id LIMIT $5 FOR UPDATE SKIP LOCKED
  ),
  reset AS (
    UPDATE deliveries d
    SET state = 'pending', attempts = 0, ambiguities = 0, due_at = $3, due_since = $3, defer_reason = NULL,
        reason = NULL, ended_at = NULL, leads = true
    FROM locked l WHERE d.tenant_id = l.tenant_id AND d.id = l.id
    RETURNING d.tenant_id, d.id, 'reset' AS event, 0 AS attempt, 'replayed' AS reason, NULL::timestamptz AS until,
              NULL::text AS error
  ),
  ${eventsSql('reset', '$3')}
  SELECT id FROM reset`;
