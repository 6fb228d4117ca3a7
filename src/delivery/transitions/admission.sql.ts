import { eventsSql } from './events.sql.js';

/*
 * The transitions of admission. GATHER locks the rows that the others change, in order of (tenant_id, id) and without
 * waiting: locked rows are left for a later round.
 */

/**
 * The deliveries that leave or wait together with each of these: locked, a row each.
 * - A retried one leaves with the rest of its bundle, all of it or nothing.
 * - One whose recipient wants bundles leaves with the due ones of its key.
 * - Any other one leaves alone.
 * $1 tenant ids, $2 delivery ids, $3 whether together, $4 channel, $5 now, $6 most for a message, $7 most critical ones
 */
export const GATHER = `
  WITH leaders AS (
    SELECT l.place, l.together, d.* FROM unnest($1::uuid[], $2::uuid[], $3::boolean[])
      WITH ORDINALITY AS l (tenant_id, id, together, place)
    JOIN deliveries d ON d.tenant_id = l.tenant_id AND d.id = l.id
  ),
  found AS MATERIALIZED (
    SELECT l.place, l.bundle_id IS NOT NULL AS again, m.tenant_id, m.id, m.due_at FROM leaders l
    CROSS JOIN LATERAL (
      (SELECT l.tenant_id, l.id, l.due_at WHERE l.bundle_id IS NULL AND (NOT l.together OR l.bundle_key IS NULL))
      UNION ALL
      (SELECT d.tenant_id, d.id, d.due_at FROM deliveries d
       WHERE l.bundle_id IS NOT NULL AND d.tenant_id = l.tenant_id AND d.bundle_id = l.bundle_id
         AND d.state IN ('pending', 'queued', 'sending'))
      UNION ALL
      (SELECT d.tenant_id, d.id, d.due_at FROM deliveries d
       WHERE l.bundle_id IS NULL AND l.together AND d.tenant_id = l.tenant_id AND d.channel = $4
         AND d.recipient = l.recipient AND d.bundle_key = l.bundle_key AND d.address = l.address
         AND d.state = 'pending' AND d.bundle_id IS NULL AND d.due_at <= $5
       ORDER BY d.due_at, d.id LIMIT CASE WHEN l.critical THEN $7::integer ELSE $6::integer END)) m
  ),
  locked AS MATERIALIZED (
    SELECT f.place, f.again, d.tenant_id, d.id, d.due_at, d.bundle_id
    FROM found f JOIN deliveries d ON d.tenant_id = f.tenant_id AND d.id = f.id AND d.state = 'pending'
    ORDER BY d.tenant_id, d.id FOR UPDATE OF d SKIP LOCKED
  )
  SELECT l.place::integer AS place, l.id, l.bundle_id FROM locked l
  WHERE NOT l.again OR (SELECT count(*) FROM found f WHERE f.place = l.place)
                     = (SELECT count(*) FROM locked o WHERE o.place = l.place)
  ORDER BY l.place, l.due_at, l.id`;

/**
 * `pending` → `queued`, with the token of its message.
 * $1 tenant ids, $2 delivery ids, $3 bundle ids, $4 lease tokens, $5 which lead, $6 now, $7 seconds of the lease, $8
 * who sends directly, or null
 */
export const ADMIT = `
  UPDATE deliveries d
  SET state = 'queued', admitted_at = $6, bundle_id = c.bundle_id, lease_token = c.lease_token, leads = c.leads,
      lease_until = now() + make_interval(secs => $7), defer_reason = NULL, direct_by = coalesce($8, d.direct_by)
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::boolean[])
    AS c (tenant_id, id, bundle_id, lease_token, leads)
  WHERE d.tenant_id = c.tenant_id AND d.id = c.id AND d.state = 'pending'`;

/** The event of a deferral, unless the reason is unchanged. */
const DEFERRED = `CASE WHEN was.defer_reason IS DISTINCT FROM d.defer_reason THEN 'deferred' END AS event`;

/**
 * Defers deliveries that hours do not permit now.
 * $1 tenant ids, $2 delivery ids, $3 until when, $4 reasons, $5 now
 */
export const DEFER = `
  WITH deferred AS (
    UPDATE deliveries d SET due_at = c.until, defer_reason = c.reason
    FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[]) AS c (tenant_id, id, until, reason)
    JOIN deliveries was ON was.tenant_id = c.tenant_id AND was.id = c.id
    WHERE d.tenant_id = c.tenant_id AND d.id = c.id AND d.state = 'pending'
    RETURNING d.tenant_id, d.id, ${DEFERRED}, d.attempts AS attempt, d.defer_reason AS reason, d.due_at AS until,
              NULL::text AS error
  ),
  ${eventsSql('deferred', '$5')}
  SELECT count(*) FROM deferred`;

/**
 * Defers deliveries over their recipient's limit until the message that fills it is an hour (a day) old. Run after
 * ADMIT, so that it counts this round's messages.
 * $1 tenant ids and $2 delivery ids of those that are deferred, $3 the index of each in the following: $4 ids of the
 * leading ones, $5 and $6 their limits per hour and day; $7 channel, $8 now
 */
export const DEFER_OVER_LIMIT = `
  WITH opening AS MATERIALIZED (
    SELECT c.place,
           GREATEST($8::timestamptz + interval '1 second', coalesce(h.opens_at, $8), coalesce(y.opens_at, $8)) AS at
    FROM unnest($4::uuid[], $5::integer[], $6::integer[]) WITH ORDINALITY AS c (id, per_hour, per_day, place)
    CROSS JOIN LATERAL (SELECT tenant_id FROM unnest($1::uuid[], $3::integer[]) AS m (tenant_id, place)
                        WHERE m.place = c.place LIMIT 1) t
    JOIN deliveries o ON o.tenant_id = t.tenant_id AND o.id = c.id
    ${opensAt('h', 'hour')}
    ${opensAt('y', 'day')}
  ),
  deferred AS (
    UPDATE deliveries d SET defer_reason = 'limit', due_at = p.at
    FROM unnest($1::uuid[], $2::uuid[], $3::integer[]) AS c (tenant_id, id, place)
    JOIN opening p USING (place)
    JOIN deliveries was ON was.tenant_id = c.tenant_id AND was.id = c.id
    WHERE d.tenant_id = c.tenant_id AND d.id = c.id AND d.state = 'pending'
    RETURNING d.tenant_id, d.id, ${DEFERRED}, d.attempts AS attempt, d.defer_reason AS reason, d.due_at AS until,
              NULL::text AS error
  ),
  ${eventsSql('deferred', '$8')}
  SELECT count(*) FROM deferred`;

/** When the message that fills a limit is old enough; null if it is not filled. */
function opensAt(alias: string, span: 'hour' | 'day'): string {
  return `
    LEFT JOIN LATERAL (
      SELECT u.admitted_at + interval '1 ${span}' AS opens_at FROM deliveries u
      WHERE u.tenant_id = o.tenant_id AND u.recipient = o.recipient AND u.channel = $7 AND c.per_${span} > 0
        AND u.admitted_at > $8::timestamptz - interval '1 ${span}' AND u.leads
        AND u.id <> o.id AND u.bundle_id IS DISTINCT FROM coalesce(o.bundle_id, o.id)
      ORDER BY u.admitted_at DESC OFFSET GREATEST(c.per_${span} - 1, 0) LIMIT 1) ${alias} ON true`;
}
