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
export const GATHER = gatherSql('');

/** The same among these deliveries only: $8 their ids. */
export const GATHER_AMONG = gatherSql('AND d.id = ANY ($8::uuid[])');

function gatherSql(among: string): string {
  return `
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
         AND d.state = 'pending' AND d.bundle_id IS NULL AND d.due_at <= $5 ${among}
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
}

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

/** Defers the deliveries of over-limit statements to the `opening` of their message. */
const TO_OPENING = `
    UPDATE deliveries d SET defer_reason = ($9::text[])[c.place], due_at = p.at
    FROM unnest($1::uuid[], $2::uuid[], $3::integer[]) AS c (tenant_id, id, place)
    JOIN opening p USING (place)
    JOIN deliveries was ON was.tenant_id = c.tenant_id AND was.id = c.id
    WHERE d.tenant_id = c.tenant_id AND d.id = c.id AND d.state = 'pending'
    RETURNING d.tenant_id, d.id, ${DEFERRED}, d.attempts AS attempt, d.defer_reason AS reason, d.due_at AS until,
              NULL::text AS error`;

/**
 * Defers deliveries that hours do not permit now. Their age does not count during a user's pause.
 * $1 tenant ids, $2 delivery ids, $3 until when, $4 reasons, $5 now
 */
export const DEFER = `
  WITH deferred AS (
    UPDATE deliveries d
    SET due_at = c.until, defer_reason = c.reason,
        due_since = CASE WHEN c.reason = 'user_paused' THEN GREATEST(d.due_since, c.until) ELSE d.due_since END
    FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[]) AS c (tenant_id, id, until, reason)
    JOIN deliveries was ON was.tenant_id = c.tenant_id AND was.id = c.id
    WHERE d.tenant_id = c.tenant_id AND d.id = c.id AND d.state = 'pending'
    RETURNING d.tenant_id, d.id, ${DEFERRED}, d.attempts AS attempt, d.defer_reason AS reason, d.due_at AS until,
              NULL::text AS error
  ),
  ${eventsSql('deferred', '$5')}
  SELECT count(*) FROM deferred`;

/**
 * Notes why due deliveries wait, once. Their due time does not change.
 * $1 tenant ids, $2 delivery ids, $3 until when, $4 reason, $5 now
 */
export const HOLD = `
  WITH deferred AS (
    UPDATE deliveries d SET defer_reason = $4
    FROM unnest($1::uuid[], $2::uuid[]) AS c (tenant_id, id)
    WHERE d.tenant_id = c.tenant_id AND d.id = c.id AND d.state = 'pending' AND d.defer_reason IS DISTINCT FROM $4
    RETURNING d.tenant_id, d.id, 'deferred' AS event, d.attempts AS attempt, d.defer_reason AS reason,
              $3::timestamptz AS until, NULL::text AS error
  ),
  ${eventsSql('deferred', '$5')}
  SELECT count(*) FROM deferred`;

/**
 * Defers deliveries over their recipient's limit until the message that fills it is an hour (a day) old. Run after
 * ADMIT, so that it counts this round's messages.
 * $1 tenant ids and $2 delivery ids of those that are deferred, $3 the index of each in the following: $4 ids of the
 * leading ones, $5 and $6 their limits per hour and day, $9 the reasons; $7 channel, $8 now
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
    ${TO_OPENING}
  ),
  ${eventsSql('deferred', '$8')}
  SELECT count(*) FROM deferred`;

/** Messages that wait for one tenant's limit are counted up to this many deliveries. */
const MAX_WAITING = 10_000;

/**
 * Defers deliveries over their tenant's limit. Each message gets the next free place: the first one that of the oldest
 * message in the last hour (day), the next one that of the message after it. With the same time for all, only one of
 * thousands could leave then, and the others would be deferred again.
 * Parameters as those of DEFER_OVER_LIMIT.
 */
export const DEFER_OVER_TENANT_LIMIT = `
  WITH ranked AS MATERIALIZED (
    SELECT c.*, m.tenant_id, row_number() OVER (PARTITION BY m.tenant_id ORDER BY c.place) - 1 AS rank
    FROM unnest($4::uuid[], $5::integer[], $6::integer[]) WITH ORDINALITY AS c (id, per_hour, per_day, place)
    CROSS JOIN LATERAL (SELECT tenant_id FROM unnest($1::uuid[], $3::integer[]) AS m (tenant_id, place)
                        WHERE m.place = c.place LIMIT 1) m
  ),
  waiting AS MATERIALIZED (
    SELECT t.tenant_id, w.messages FROM (SELECT DISTINCT tenant_id FROM ranked) t
    CROSS JOIN LATERAL (
      SELECT count(DISTINCT coalesce(recipient || ' ' || bundle_key, id::text)) AS messages FROM (
        SELECT d.recipient, d.bundle_key, d.id FROM deliveries d
        WHERE d.tenant_id = t.tenant_id AND d.channel = $7 AND d.due_at > $8 AND d.state = 'pending'
          AND d.defer_reason IN ('limit_per_tenant_per_hour', 'limit_per_tenant_per_day')
        ORDER BY d.due_at LIMIT ${MAX_WAITING}) d) w
  ),
  opening AS MATERIALIZED (
    SELECT r.place, GREATEST($8::timestamptz + interval '1 second', coalesce(h.at, $8), coalesce(y.at, $8)) AS at
    FROM ranked r JOIN waiting w USING (tenant_id)
    ${placeOfTenant('h', 'hour')}
    ${placeOfTenant('y', 'day')}
  ),
  deferred AS (
    ${TO_OPENING}
  ),
  ${eventsSql('deferred', '$8')}
  SELECT count(*) FROM deferred`;

/** When the place of the message `r` in its tenant's limit is free; null without a limit, or if it is not filled. */
function placeOfTenant(alias: string, span: 'hour' | 'day'): string {
  const limit = `r.per_${span}`;
  const ahead = '(r.rank + w.messages)';
  return `
    LEFT JOIN LATERAL (
      SELECT u.admitted_at + interval '1 ${span}' * (1 + ${ahead} / ${limit}) AS at FROM deliveries u
      WHERE ${limit} > 0 AND u.channel = $7 AND u.tenant_id = r.tenant_id AND u.leads
        AND u.admitted_at > $8::timestamptz - interval '1 ${span}'
      ORDER BY u.admitted_at DESC OFFSET CASE WHEN ${limit} > 0 THEN ${limit} - 1 - ${ahead} % ${limit} ELSE 0 END
      LIMIT 1) ${alias} ON true`;
}

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
