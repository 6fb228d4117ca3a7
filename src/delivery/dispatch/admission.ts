import { Injectable } from '@nestjs/common';
import type { DeliveryJob } from '../../contracts/jobs.js';
import {
  prepared,
  type SystemTransaction,
  type TenantTransaction,
  type Transaction,
} from '../../platform/database/transaction.js';
import { NAMED, TURNS } from './candidates.sql.js';
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

/**
 * Held by a round, shared, from before it reads hours and limits until it commits; alone by whoever has changed them
 * and lets what was deferred be decided anew: they must see what a round was about to defer.
 */
export const DECIDING_LOCK = `hashtextextended('deferrals', 0)`;

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

/**
 * The statements of admission, for one channel: the dispatcher's, within one transaction that holds the channel's
 * row, and those of sending directly, within the transaction that creates.
 */
@Injectable()
export class Admission {
  /** Locks the channel for a round; null when another process is at it, or the channel is paused. */
  async begin(tx: SystemTransaction, channel: string): Promise<{ cursor_tenant_id: string | null } | null> {
    return tx.one(
      prepared(
        `SELECT cursor_tenant_id, pg_advisory_xact_lock_shared(${DECIDING_LOCK})
         FROM channels WHERE channel = $1 AND NOT paused FOR UPDATE SKIP LOCKED`,
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
   * (candidates.sql.ts tells how they are found.)
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
    return tx.query<Candidate>(prepared(TURNS), [
      channel,
      now,
      limits.per_user_per_hour,
      limits.per_user_per_day,
      cursor,
      free,
      Math.ceil(whole / 2),
    ]);
  }

  /** The same for these deliveries, whosever turn it is; those that are not pending are left out. */
  async named(
    tx: TenantTransaction,
    channel: string,
    now: Date,
    ids: readonly string[],
    limits: Limits,
  ): Promise<Candidate[]> {
    return tx.query<Candidate>(NAMED, [
      channel,
      now,
      limits.per_user_per_hour,
      limits.per_user_per_day,
      tx.tenant_id,
      ids,
    ]);
  }

  /**
   * `pending` → `queued`, each under a fresh token; returns what is to be enqueued once this is committed.
   * @param directBy who sends them in a request of theirs; null for the dispatcher.
   */
  async admit(
    tx: Transaction,
    chosen: readonly Candidate[],
    now: Date,
    directBy: string | null = null,
  ): Promise<DeliveryJob[]> {
    if (chosen.length === 0) return [];
    return tx.query<DeliveryJob>(
      prepared(`UPDATE deliveries d
       SET state = 'queued', admitted_at = $3, lease_token = gen_random_uuid(), defer_reason = NULL,
           lease_until = now() + make_interval(secs => $4), direct_by = coalesce($5, d.direct_by)
       FROM unnest($1::uuid[], $2::uuid[]) AS c (tenant_id, id)
       WHERE d.tenant_id = c.tenant_id AND d.id = c.id AND d.state = 'pending'
       RETURNING d.tenant_id, d.id AS delivery_id, d.lease_token`),
      [...identities(chosen), now, QUEUED_LEASE_SECONDS, directBy],
    );
  }

  /** Puts off what hours forbid now. */
  async defer(tx: Transaction, deferrals: readonly Deferral[]): Promise<void> {
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
    tx: Transaction,
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
