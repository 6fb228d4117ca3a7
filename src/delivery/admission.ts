import { Injectable } from '@nestjs/common';
import type { DeliveryJob } from '../contracts/jobs.js';
import { prepared, type SystemTransaction } from '../platform/database/transaction.js';
import type { OperatingHours, QuietHours } from './hours.js';

/**
 * How long an admitted delivery waits for a worker before it is admitted again, in seconds. Short, because a
 * worker may be killed with a job in hand that it has not claimed yet; admitting again costs a dead Bull job.
 */
export const QUEUED_LEASE_SECONDS = 15;
/** A worker that has not been heard of for this long counts no more, in seconds. */
export const WORKER_ALIVE_SECONDS = 15;
/** Admitted deliveries per delivery that the living workers can send at the same time. */
const WINDOW_FACTOR = 4;

/** The limits in force for a tenant; 0: none. */
export interface Limits {
  per_user_per_hour: number;
  per_user_per_day: number;
}

/** A delivery whose turn it is, with all that decides whether it may leave now. */
export interface Candidate extends Limits {
  tenant_id: string;
  id: string;
  recipient: string;
  critical: boolean;
  time_zone: string;
  operating_hours: OperatingHours | null;
  user_zone: string | null;
  quiet_hours: QuietHours | null;
  /** Others admitted to this recipient on this channel in the last hour and day, counted up to the limit. */
  used_hour: number;
  used_day: number;
  /** When it was admitted itself, for an earlier attempt: the others have counted that. */
  admitted_at: Date | null;
}

export interface Deferral {
  tenant_id: string;
  id: string;
  until: Date;
  reason: 'operating_hours' | 'quiet_hours';
}

/** The dispatcher's statements, for one channel and within one transaction that holds its row. */
@Injectable()
export class Admission {
  /** Locks the channel for a round; null when another process is at it, or the channel is paused. */
  async begin(tx: SystemTransaction, channel: string): Promise<{ cursor_tenant_id: string | null } | null> {
    return tx.one(
      prepared(
        `SELECT cursor_tenant_id FROM channels WHERE channel = $1 AND NOT paused FOR UPDATE SKIP LOCKED`,
      ),
      [channel],
    );
  }

  /**
   * How many more may be in flight: 4 for each the living workers can send at once, less what already is. Less
   * than one for each is not enough for a round: it would cost as much as a large one, and nobody waits for it,
   * since twice as many are in the queue.
   */
  async window(
    tx: SystemTransaction,
    channel: string,
  ): Promise<{ whole: number; free: number; enough: number }> {
    const row = await tx.one<{ concurrency: number; in_flight: number }>(
      prepared(`SELECT (SELECT coalesce(sum(concurrency), 0) FROM workers
               WHERE channel = $1 AND seen_at > now() - make_interval(secs => $2)) AS concurrency,
              (SELECT count(*) FROM deliveries
               WHERE channel = $1 AND state IN ('queued', 'sending')) AS in_flight`),
      [channel, WORKER_ALIVE_SECONDS],
    );
    const concurrency = row?.concurrency ?? 0;
    const whole = concurrency * WINDOW_FACTOR;
    return { whole, free: Math.max(0, whole - (row?.in_flight ?? 0)), enough: concurrency };
  }

  /** How many were admitted on this channel in the last minute, all tenants together. */
  async admittedLastMinute(tx: SystemTransaction, channel: string, now: Date): Promise<number> {
    const row = await tx.one<{ count: number }>(
      `SELECT count(*) FROM deliveries
       WHERE channel = $1 AND admitted_at > $2::timestamptz - interval '1 minute'`,
      [channel, now],
    );
    return row?.count ?? 0;
  }

  /**
   * Whose turn it is: one delivery a tenant and turn, critical ones first, tenants in the order of their ids,
   * starting after the cursor and wrapping. A tenant has at most half of the window while others wait.
   * Tenants with a backlog are found by hopping through the index `deliveries_pending`.
   * @param free room in the window, and the most that is returned
   * @param whole the window, of which a tenant gets half
   * @param limits the installation's; a tenant's own come before them
   */
  async candidates(
    tx: SystemTransaction,
    channel: string,
    now: Date,
    cursor: string | null,
    { free, whole }: { free: number; whole: number },
    limits: Limits,
  ): Promise<Candidate[]> {
    return tx.query<Candidate>(prepared(CANDIDATES), [
      channel,
      now,
      cursor,
      free,
      Math.ceil(whole / 2),
      limits.per_user_per_hour,
      limits.per_user_per_day,
    ]);
  }

  /** `pending` → `queued`, each under a fresh token; returns what is to be enqueued once this is committed. */
  async admit(tx: SystemTransaction, chosen: readonly Candidate[], now: Date): Promise<DeliveryJob[]> {
    if (chosen.length === 0) return [];
    return tx.query<DeliveryJob>(
      prepared(`UPDATE deliveries d
       SET state = 'queued', admitted_at = $3, lease_token = gen_random_uuid(), defer_reason = NULL,
           lease_until = now() + make_interval(secs => $4)
       FROM unnest($1::uuid[], $2::uuid[]) AS c (tenant_id, id)
       WHERE d.tenant_id = c.tenant_id AND d.id = c.id AND d.state = 'pending'
       RETURNING d.tenant_id, d.id AS delivery_id, d.lease_token`),
      [...identities(chosen), now, QUEUED_LEASE_SECONDS],
    );
  }

  /** Puts off what hours forbid now. */
  async defer(tx: SystemTransaction, deferrals: readonly Deferral[]): Promise<void> {
    if (deferrals.length === 0) return;
    await tx.execute(
      `UPDATE deliveries d SET due_at = c.until, defer_reason = c.reason
       FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[]) AS c (tenant_id, id, until, reason)
       WHERE d.tenant_id = c.tenant_id AND d.id = c.id AND d.state = 'pending'`,
      [...identities(deferrals), deferrals.map(({ until }) => until), deferrals.map(({ reason }) => reason)],
    );
  }

  /**
   * Puts off what is over its recipient's limit until the admission that fills it is an hour (a day) old.
   * Run after `admit`, so that it sees this round's too.
   */
  async deferOverLimit(
    tx: SystemTransaction,
    channel: string,
    over: readonly Candidate[],
    now: Date,
  ): Promise<void> {
    if (over.length === 0) return;
    await tx.execute(
      `UPDATE deliveries d
       SET defer_reason = 'limit',
           due_at = GREATEST($6::timestamptz + interval '1 second', coalesce(h.opens_at, $6), coalesce(y.opens_at, $6))
       FROM unnest($1::uuid[], $2::uuid[], $3::integer[], $4::integer[])
              AS c (tenant_id, id, per_hour, per_day)
       JOIN deliveries o ON o.tenant_id = c.tenant_id AND o.id = c.id
       LEFT JOIN LATERAL (
         SELECT u.admitted_at + interval '1 hour' AS opens_at FROM deliveries u
         WHERE u.tenant_id = o.tenant_id AND u.recipient = o.recipient AND u.channel = $5 AND c.per_hour > 0
           AND u.admitted_at > $6::timestamptz - interval '1 hour' AND u.id <> o.id
         ORDER BY u.admitted_at DESC OFFSET GREATEST(c.per_hour - 1, 0) LIMIT 1) h ON true
       LEFT JOIN LATERAL (
         SELECT u.admitted_at + interval '1 day' AS opens_at FROM deliveries u
         WHERE u.tenant_id = o.tenant_id AND u.recipient = o.recipient AND u.channel = $5 AND c.per_day > 0
           AND u.admitted_at > $6::timestamptz - interval '1 day' AND u.id <> o.id
         ORDER BY u.admitted_at DESC OFFSET GREATEST(c.per_day - 1, 0) LIMIT 1) y ON true
       WHERE d.tenant_id = c.tenant_id AND d.id = c.id AND d.state = 'pending'`,
      [
        ...identities(over),
        over.map(({ per_user_per_hour }) => per_user_per_hour),
        over.map(({ per_user_per_day }) => per_user_per_day),
        channel,
        now,
      ],
    );
  }

  /** The next round starts after this tenant. */
  async moveCursor(tx: SystemTransaction, channel: string, tenantId: string): Promise<void> {
    await tx.execute(`UPDATE channels SET cursor_tenant_id = $2 WHERE channel = $1`, [channel, tenantId]);
  }
}

function identities(rows: readonly { tenant_id: string; id: string }[]): [string[], string[]] {
  return [rows.map(({ tenant_id }) => tenant_id), rows.map(({ id }) => id)];
}

// $1 channel, $2 now, $3 cursor, $4 free room, $5 most in flight for one tenant while others wait,
// $6 and $7 the installation's limits per hour and day
const CANDIDATES = `
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
      SELECT CASE WHEN w.tenants = 1 THEN $4 ELSE LEAST(ceil($4::numeric / w.tenants), $5 - w.in_flight) END
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
    SELECT *, row_number() OVER (ORDER BY turn, tenant_id <= $3::uuid, tenant_id) AS position
    FROM turns
    ORDER BY position LIMIT $4
  )
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
    SELECT coalesce((c.settings -> 'limits' ->> 'per_user_per_hour')::integer, $6) AS per_user_per_hour,
           coalesce((c.settings -> 'limits' ->> 'per_user_per_day')::integer, $7) AS per_user_per_day) l
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
