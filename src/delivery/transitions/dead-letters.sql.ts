import { causeSql } from '../../platform/queues/cause.sql.js';
import { hasAddressSql } from '../forgotten-address.sql.js';
import { eventsSql } from './events.sql.js';
import { joinLink, linkEnded } from './links.sql.js';

/**
 * Failed deliveries, `f`: of one tenant or all ($1), these ids or all ($2), of one channel and cause or all ($3, $4, $5
 * the reason, which counts only with a cause), that failed in a period ($6 from, $7 until).
 */
const CHOSEN = `
  f.state = 'failed' AND f.ended_at > $6 AND f.ended_at <= $7
    AND ($1::uuid IS NULL OR f.tenant_id = $1)
    AND ($2::uuid[] IS NULL OR f.id = ANY ($2))
    AND f.channel = ANY ($3::text[])
    AND ($4::text IS NULL OR (f.reason IS NOT DISTINCT FROM $5::text AND ${causeSql('f.error')} = $4))`;

/**
 * The condition that a delivery, found by its keys, has failed. Written so that the planner cannot use the index of
 * failed deliveries: after many failures, statistics that are not yet updated show that index as empty, and the planner
 * would scan all of it for each row.
 */
const isFailedSql = (d: string): string => `coalesce(${d}.state, '') = 'failed'`;

/** How many are chosen. */
export const COUNT_DEAD = `SELECT count(*) AS count FROM deliveries f WHERE ${CHOSEN}`;

/**
 * `failed` → `pending`, with all attempts again: chosen dead letters, at most $9. Skips those without a
 * recipient (the user was erased), and those with an expired link to set a password. A message that may have
 * arrived keeps its deliveries, and is requeued as a whole. Skips locked rows before it counts to $9, and never waits
 * for a lock, so the order of its locks does not matter. $8 now
 */
export const REQUEUE_DEAD = `
  WITH picked AS MATERIALIZED (
    SELECT f.tenant_id, f.id, f.bundle_id FROM deliveries f
    JOIN notifications n ON n.tenant_id = f.tenant_id AND n.id = f.notification_id
    ${joinLink('n')}
    WHERE ${CHOSEN} AND ${hasAddressSql('f')} AND NOT ${linkEnded('n', '$8')}
    LIMIT $9 FOR UPDATE OF f SKIP LOCKED
  ),
  locked AS MATERIALIZED (
    SELECT f.tenant_id, f.id, (${CHOSEN}) AS chosen FROM (
      SELECT tenant_id, id FROM picked
      UNION
      SELECT o.tenant_id, o.id FROM picked p
      JOIN deliveries o ON o.tenant_id = p.tenant_id AND o.bundle_id = p.bundle_id AND ${isFailedSql('o')}) q
    JOIN deliveries f ON f.tenant_id = q.tenant_id AND f.id = q.id AND ${isFailedSql('f')}
    FOR UPDATE OF f SKIP LOCKED
  ),
  reset AS (
    UPDATE deliveries d
    SET state = 'pending', attempts = 0, ambiguities = 0, due_at = $8, due_since = $8, defer_reason = NULL, reason = NULL,
        ended_at = NULL,
        bundle_id = CASE WHEN d.ambiguities > 0 THEN d.bundle_id END, leads = d.leads OR d.ambiguities = 0
    FROM locked l WHERE d.tenant_id = l.tenant_id AND d.id = l.id
    RETURNING d.tenant_id, d.id, 'reset' AS event, 0 AS attempt, 'retried_by_operator' AS reason,
              NULL::timestamptz AS until, NULL::text AS error
  ),
  ${eventsSql('reset', '$8')}
  SELECT (SELECT count(*) FROM picked) AS picked, count(*) AS moved FROM locked WHERE chosen`;

/**
 * `failed` → `cancelled`: chosen dead letters, at most $9. Skips locked rows before it counts. The event has the reason
 * that a person gave ($10). $8 now
 */
export const DISCARD_DEAD = `
  WITH locked AS MATERIALIZED (
    SELECT f.tenant_id, f.id FROM deliveries f WHERE ${CHOSEN} LIMIT $9 FOR UPDATE OF f SKIP LOCKED
  ),
  discarded AS (
    UPDATE deliveries d SET state = 'cancelled', reason = 'discarded', ended_at = $8
    FROM locked l WHERE d.tenant_id = l.tenant_id AND d.id = l.id
    RETURNING d.tenant_id, d.id, 'cancelled' AS event, d.attempts AS attempt, d.reason,
              NULL::timestamptz AS until, $10::text AS error
  ),
  ${eventsSql('discarded', '$8')}
  SELECT count(*) AS picked, count(*) AS moved FROM discarded`;

/** What one of these statements did. */
export interface MovedDead {
  /** Fewer than the most ($9): no unlocked one is left. */
  picked: number;
  /** Of the chosen ones. Others of their messages moved with them. */
  moved: number;
}
