/* The deliveries that may be admitted, with all deciding data, as `Candidate`s. */

/**
 * From the CTE `chosen (tenant_id, id, recipient, critical, bundle_id, bundle_key, address, admitted_at, time_zone,
 * settings, position)`. Limits count messages by their leading deliveries, without the candidate's own message.
 * (The counts of a tenant include it.)
 * @param tenantHour and tenantDay: the parameters with the installation's limits for a tenant
 */
const withWhatDecides = (tenantHour: string, tenantDay: string): string => `,
  tenant_usage AS MATERIALIZED (
    SELECT t.id, l.per_hour, l.per_day, ${admittedOfTenant('hour')} AS used_hour, ${admittedOfTenant('day')} AS used_day
    FROM tenants t
    CROSS JOIN LATERAL (SELECT coalesce(t.limit_per_hour, ${tenantHour}::integer) AS per_hour,
                               coalesce(t.limit_per_day, ${tenantDay}::integer) AS per_day) l
    WHERE t.id IN (SELECT tenant_id FROM chosen)
  )
  SELECT c.tenant_id, c.id, c.recipient, c.critical, c.admitted_at, c.time_zone, c.address, c.bundle_id,
         CASE WHEN c.bundle_key IS NOT NULL AND ${togetherSql('u', 'c.settings')} THEN c.bundle_key END AS bundle_key,
         c.settings -> 'operating_hours' AS operating_hours, l.per_user_per_hour, l.per_user_per_day,
         u.time_zone AS user_zone,
         CASE WHEN q.starts_at IS NOT NULL THEN jsonb_build_object('from', q.starts_at, 'to', q.ends_at) END
           AS quiet_hours,
         q.receiving_hours, q.paused_until::text AS paused_until,
         hour.used AS used_hour, day.used AS used_day, t.per_hour AS per_tenant_per_hour,
         t.per_day AS per_tenant_per_day, t.used_hour AS tenant_used_hour, t.used_day AS tenant_used_day
  FROM chosen c JOIN tenant_usage t ON t.id = c.tenant_id
  LEFT JOIN users u ON u.tenant_id = c.tenant_id
    AND u.id = CASE WHEN c.recipient LIKE 'user:%' THEN substring(c.recipient FROM 6)::uuid END
  LEFT JOIN quiet_hours q ON q.tenant_id = u.tenant_id AND q.user_id = u.id
  CROSS JOIN LATERAL (
    SELECT coalesce((c.settings -> 'limits' ->> 'per_user_per_hour')::integer, $3) AS per_user_per_hour,
           coalesce((c.settings -> 'limits' ->> 'per_user_per_day')::integer, $4) AS per_user_per_day) l
  CROSS JOIN LATERAL (SELECT count(*) AS used FROM (
    SELECT FROM deliveries a
    WHERE a.tenant_id = c.tenant_id AND a.recipient = c.recipient AND a.channel = $1
      AND a.admitted_at > $2::timestamptz - interval '1 hour' AND a.leads
      AND a.id <> c.id AND a.bundle_id IS DISTINCT FROM coalesce(c.bundle_id, c.id)
    LIMIT l.per_user_per_hour) recent) hour
  CROSS JOIN LATERAL (SELECT count(*) AS used FROM (
    SELECT FROM deliveries a
    WHERE a.tenant_id = c.tenant_id AND a.recipient = c.recipient AND a.channel = $1
      AND a.admitted_at > $2::timestamptz - interval '1 day' AND a.leads
      AND a.id <> c.id AND a.bundle_id IS DISTINCT FROM coalesce(c.bundle_id, c.id)
    LIMIT l.per_user_per_day) recent) day
  ORDER BY c.position`;

/**
 * Messages of the tenant `t` in the last hour or day, counted up to one more than the limit of `l`: one of them may be
 * the candidate's own earlier attempt, which is subtracted.
 */
function admittedOfTenant(span: 'hour' | 'day'): string {
  return `(SELECT count(*) FROM (
      SELECT FROM deliveries a
      WHERE a.channel = $1 AND a.tenant_id = t.id AND a.leads
        AND a.admitted_at > $2::timestamptz - interval '1 ${span}'
      ORDER BY a.admitted_at DESC LIMIT l.per_${span} + 1) recent)`;
}

/** Whether the user `u`, or else their tenant, wants bundled messages. */
function togetherSql(user: string, settings: string): string {
  return `coalesce(${user}.bundling, ${settings} ->> 'bundling', 'together') = 'together'`;
}

/**
 * What the pending delivery `d` shares with those that may leave in one message with it.
 * @param t a row with its tenant's `tenant_id` and `settings`
 */
function messageSql(d: string, t: string): string {
  return `CASE
          WHEN ${d}.bundle_id IS NOT NULL THEN ${d}.bundle_id::text
          WHEN ${d}.bundle_key IS NULL OR NOT EXISTS (
            SELECT FROM (SELECT) one LEFT JOIN users u ON u.tenant_id = ${t}.tenant_id
              AND u.id = CASE WHEN ${d}.recipient LIKE 'user:%' THEN substring(${d}.recipient FROM 6)::uuid END
            WHERE ${togetherSql('u', `${t}.settings`)}) THEN ${d}.id::text
          ELSE concat_ws(' ', ${d}.recipient, ${d}.bundle_key, ${d}.address) END`;
}

/** The largest tenant id. */
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

const COLUMNS = 'id, recipient, critical, bundle_id, bundle_key, address, due_at, admitted_at';
/** The address has room for another message in flight. */
const HAS_ROOM = 'address <> ALL ($8::text[])';
/** Deliveries read for each message that may leave: several of them may share a message. */
const LOOKAHEAD = 4;

/**
 * Whose turn it is. Steps through the tenants with pending deliveries in the index `deliveries_pending`, from the one
 * after the cursor and around, only until the room is filled: with a thousand waiting tenants, a round reads as many as
 * it can admit.
 * $1 channel, $2 now, $3 and $4 the installation's limits per hour and day, $5 cursor, $6 free room, $7 most in flight
 * for one tenant while others wait, $8 addresses that have no room, $9 and $10 the installation's limits for a tenant per
 * hour and day, $11 whether only critical ones may leave, $12 most in flight for a tenant alone.
 */
export const TURNS = `
  WITH RECURSIVE walk (tenant_id, wrapped, place, ready, in_flight, found) AS (
    SELECT coalesce($5::uuid, '00000000-0000-0000-0000-000000000000'), $5::uuid IS NULL, 0, false, 0::bigint, 0
    UNION ALL
    SELECT n.tenant_id, n.wrapped, w.place + 1, r.ready, f.count,
           w.found + CASE WHEN r.ready AND f.count < $7 THEN 1 ELSE 0 END
    FROM walk w
    CROSS JOIN LATERAL (
      (SELECT d.tenant_id, w.wrapped FROM deliveries d
       WHERE d.channel = $1 AND d.state = 'pending' AND d.tenant_id > w.tenant_id
         AND d.tenant_id <= CASE WHEN w.wrapped THEN coalesce($5::uuid, '${LAST_ID}') ELSE '${LAST_ID}' END
       ORDER BY d.tenant_id LIMIT 1)
      UNION ALL
      (SELECT d.tenant_id, true FROM deliveries d
       WHERE NOT w.wrapped AND d.channel = $1 AND d.state = 'pending' AND d.tenant_id <= $5::uuid
       ORDER BY d.tenant_id LIMIT 1)
      ORDER BY wrapped LIMIT 1) n
    CROSS JOIN LATERAL (
      SELECT count(*) FROM deliveries d
      WHERE d.channel = $1 AND d.tenant_id = n.tenant_id AND d.state IN ('queued', 'sending')
        AND d.leads) f
    CROSS JOIN LATERAL (
      SELECT EXISTS (SELECT FROM tenants t WHERE t.id = n.tenant_id AND t.suspended_at IS NULL)
        AND (EXISTS (SELECT FROM deliveries d WHERE d.channel = $1 AND d.tenant_id = n.tenant_id
                       AND d.state = 'pending' AND d.critical AND d.due_at <= $2 AND ${HAS_ROOM})
          OR EXISTS (SELECT FROM deliveries d WHERE d.channel = $1 AND d.tenant_id = n.tenant_id
                       AND d.state = 'pending' AND NOT d.critical AND d.due_at <= $2 AND ${HAS_ROOM} AND NOT $11)) AS ready) r
    WHERE w.found < $6
  ),
  waiting AS (
    SELECT t.id AS tenant_id, t.time_zone, t.settings, w.place, w.in_flight, count(*) OVER () AS tenants
    FROM walk w JOIN tenants t ON t.id = w.tenant_id
    WHERE w.ready
  ),
  turns AS (
    SELECT w.tenant_id, w.time_zone, w.settings, w.place, d.*,
           row_number() OVER (PARTITION BY w.tenant_id ORDER BY d.critical DESC, d.due_at, d.id) AS turn
    FROM waiting w
    CROSS JOIN LATERAL (
      SELECT GREATEST(LEAST(ceil($6::numeric / w.tenants),
                            CASE WHEN w.tenants = 1 THEN $12::integer ELSE $7 END - w.in_flight), 0)::integer AS most) m
    CROSS JOIN LATERAL (
      -- One for each message: what leaves with it needs no turn of its own.
      SELECT * FROM (
        SELECT DISTINCT ON (g.message) s.* FROM (
          (SELECT ${COLUMNS} FROM deliveries
           WHERE channel = $1 AND tenant_id = w.tenant_id AND state = 'pending' AND critical AND due_at <= $2
             AND ${HAS_ROOM}
           ORDER BY due_at, id LIMIT m.most * ${LOOKAHEAD})
          UNION ALL
          (SELECT ${COLUMNS} FROM deliveries
           WHERE channel = $1 AND tenant_id = w.tenant_id AND state = 'pending' AND NOT critical AND due_at <= $2
             AND ${HAS_ROOM} AND NOT $11
           ORDER BY due_at, id LIMIT m.most * ${LOOKAHEAD})
          ORDER BY critical DESC, due_at, id LIMIT m.most * ${LOOKAHEAD}) s
        CROSS JOIN LATERAL (SELECT ${messageSql('s', 'w')} AS message) g
        ORDER BY g.message, s.critical DESC, s.due_at, s.id) each_message
      ORDER BY critical DESC, due_at, id LIMIT m.most
    ) d
  ),
  chosen AS (
    SELECT *, row_number() OVER (ORDER BY turn, place) AS position
    FROM turns
    ORDER BY position LIMIT $6
  )${withWhatDecides('$9', '$10')}`;

/**
 * These deliveries, in their order, if they are pending. $1 channel, $2 now, $3 and $4 the installation's limits per
 * hour and day, $5 tenant id, $6 delivery ids, $7 and $8 the installation's limits for a tenant per hour and day.
 */
export const NAMED = `
  WITH chosen AS (
    SELECT d.tenant_id, d.id, d.recipient, d.critical, d.bundle_id, NULL::text AS bundle_key, d.address,
           d.admitted_at, t.time_zone, t.settings,
           row_number() OVER (ORDER BY d.id) AS position
    FROM deliveries d JOIN tenants t ON t.id = d.tenant_id
    WHERE d.tenant_id = $5 AND d.id = ANY ($6::uuid[]) AND d.channel = $1 AND d.state = 'pending'
  )${withWhatDecides('$7', '$8')}`;

/**
 * The leading deliveries of the messages that these due deliveries form among themselves, in the order in which a round
 * would take them. Parameters as those of NAMED.
 */
export const LEADING = `
  WITH due AS (
    SELECT DISTINCT ON (g.message) d.*
    FROM (SELECT d.*, t.time_zone, t.settings FROM deliveries d JOIN tenants t ON t.id = d.tenant_id
          WHERE d.tenant_id = $5 AND d.id = ANY ($6::uuid[]) AND d.channel = $1 AND d.state = 'pending'
            AND d.due_at <= $2) d
    CROSS JOIN LATERAL (SELECT ${messageSql('d', 'd')} AS message) g
    ORDER BY g.message, d.critical DESC, d.due_at, d.id
  ),
  chosen AS (SELECT *, row_number() OVER (ORDER BY critical DESC, due_at, id) AS position FROM due)
  ${withWhatDecides('$7', '$8')}`;
