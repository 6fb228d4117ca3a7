/*
 * Who may be admitted, with all that decides about it, as `Candidate`s.
 */

/** From the CTE `chosen (tenant_id, id, recipient, critical, admitted_at, time_zone, settings, position)`. */
const WITH_WHAT_DECIDES = `
  SELECT c.tenant_id, c.id, c.recipient, c.critical, c.admitted_at, c.time_zone,
         c.settings -> 'operating_hours' AS operating_hours, l.per_user_per_hour, l.per_user_per_day,
         u.time_zone AS user_zone,
         CASE WHEN q.user_id IS NOT NULL THEN jsonb_build_object('from', q.starts_at, 'to', q.ends_at) END
           AS quiet_hours,
         hour.used AS used_hour, day.used AS used_day
  FROM chosen c
  LEFT JOIN users u ON u.tenant_id = c.tenant_id
    AND u.id = CASE WHEN c.recipient LIKE 'user:%' THEN substring(c.recipient FROM 6)::uuid END
  LEFT JOIN quiet_hours q ON q.tenant_id = u.tenant_id AND q.user_id = u.id
  CROSS JOIN LATERAL (
    SELECT coalesce((c.settings -> 'limits' ->> 'per_user_per_hour')::integer, $3) AS per_user_per_hour,
           coalesce((c.settings -> 'limits' ->> 'per_user_per_day')::integer, $4) AS per_user_per_day) l
  CROSS JOIN LATERAL (SELECT count(*) AS used FROM (
    SELECT FROM deliveries a
    WHERE a.tenant_id = c.tenant_id AND a.recipient = c.recipient AND a.channel = $1
      AND a.admitted_at > $2::timestamptz - interval '1 hour' AND a.id <> c.id
    LIMIT l.per_user_per_hour) recent) hour
  CROSS JOIN LATERAL (SELECT count(*) AS used FROM (
    SELECT FROM deliveries a
    WHERE a.tenant_id = c.tenant_id AND a.recipient = c.recipient AND a.channel = $1
      AND a.admitted_at > $2::timestamptz - interval '1 day' AND a.id <> c.id
    LIMIT l.per_user_per_day) recent) day
  ORDER BY c.position`;

/**
 * Whose turn it is. $1 channel, $2 now, $3 and $4 the installation's limits per hour and day, $5 cursor,
 * $6 free room, $7 most in flight for one tenant while others wait.
 */
export const TURNS = `
  WITH RECURSIVE backlog (tenant_id) AS (
    (SELECT tenant_id FROM deliveries WHERE channel = $1 AND state = 'pending' ORDER BY tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.tenant_id FROM deliveries d
            WHERE d.channel = $1 AND d.state = 'pending' AND d.tenant_id > b.tenant_id
            ORDER BY d.tenant_id LIMIT 1)
    FROM backlog b WHERE b.tenant_id IS NOT NULL
  ),
  in_flight AS (
    SELECT tenant_id, count(*) AS count FROM deliveries
    WHERE channel = $1 AND state IN ('queued', 'sending') GROUP BY tenant_id
  ),
  waiting AS (
    SELECT t.id AS tenant_id, t.time_zone, t.settings, count(*) OVER () AS tenants,
           coalesce(f.count, 0) AS in_flight
    FROM backlog b
    JOIN tenants t ON t.id = b.tenant_id AND t.suspended_at IS NULL
    LEFT JOIN in_flight f ON f.tenant_id = b.tenant_id
    WHERE EXISTS (SELECT FROM deliveries d WHERE d.channel = $1 AND d.tenant_id = b.tenant_id
                    AND d.state = 'pending' AND d.critical AND d.due_at <= $2)
       OR EXISTS (SELECT FROM deliveries d WHERE d.channel = $1 AND d.tenant_id = b.tenant_id
                    AND d.state = 'pending' AND NOT d.critical AND d.due_at <= $2)
  ),
  turns AS (
    SELECT w.tenant_id, w.time_zone, w.settings, d.id, d.recipient, d.critical,
           d.admitted_at,
           row_number() OVER (PARTITION BY w.tenant_id ORDER BY d.critical DESC, d.due_at, d.id) AS turn
    FROM waiting w
    CROSS JOIN LATERAL (
      SELECT CASE WHEN w.tenants = 1 THEN $6 ELSE LEAST(ceil($6::numeric / w.tenants), $7 - w.in_flight) END
             ::integer AS most) m
    CROSS JOIN LATERAL (
      (SELECT id, recipient, critical, due_at, admitted_at FROM deliveries
       WHERE channel = $1 AND tenant_id = w.tenant_id AND state = 'pending' AND critical AND due_at <= $2
       ORDER BY due_at, id LIMIT GREATEST(m.most, 0))
      UNION ALL
      (SELECT id, recipient, critical, due_at, admitted_at FROM deliveries
       WHERE channel = $1 AND tenant_id = w.tenant_id AND state = 'pending' AND NOT critical AND due_at <= $2
       ORDER BY due_at, id LIMIT GREATEST(m.most, 0))
      ORDER BY critical DESC, due_at, id LIMIT GREATEST(m.most, 0)
    ) d
  ),
  chosen AS (
    SELECT *, row_number() OVER (ORDER BY turn, tenant_id <= $5::uuid, tenant_id) AS position
    FROM turns
    ORDER BY position LIMIT $6
  )
${WITH_WHAT_DECIDES}`;

/**
 * These deliveries, in their order, while they are pending. $1 channel, $2 now, $3 and $4 the installation's
 * limits per hour and day, $5 tenant id, $6 delivery ids.
 */
export const NAMED = `
  WITH chosen AS (
    SELECT d.tenant_id, d.id, d.recipient, d.critical, d.admitted_at, t.time_zone, t.settings,
           row_number() OVER (ORDER BY d.id) AS position
    FROM deliveries d JOIN tenants t ON t.id = d.tenant_id
    WHERE d.tenant_id = $5 AND d.id = ANY ($6::uuid[]) AND d.channel = $1 AND d.state = 'pending'
  )
${WITH_WHAT_DECIDES}`;
