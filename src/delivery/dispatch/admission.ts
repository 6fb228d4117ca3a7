import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { DeliveryJob } from '../../contracts/jobs.js';
import {
  prepared,
  type SystemTransaction,
  type TenantTransaction,
  type Transaction,
} from '../../platform/database/transaction.js';
import { ADMIT, DEFER, DEFER_OVER_LIMIT, GATHER } from '../transitions/admission.sql.js';
import { NAMED, TURNS } from './candidates.sql.js';
import type { OperatingHours, QuietHours } from './hours.js';

/**
 * How long an admitted delivery waits for a worker before it is admitted again, in seconds. Short, because a
 * worker may be killed with a job in hand that it has not claimed yet; admitting again costs a dead Bull job.
 */
export const QUEUED_LEASE_SECONDS = 15;
/** A worker without a heartbeat for this long no longer counts, in seconds. */
export const WORKER_ALIVE_SECONDS = 15;
/** Admitted messages for each message that the living workers can send at the same time. */
const WINDOW_FACTOR = 4;

/** Deliveries in one message. */
export const MAX_BUNDLE = 100;
/** Critical ones of one kind: an agent whose 200 databases all failed is one message. */
export const MAX_CRITICAL_BUNDLE = 250;
/** Fewer critical ones than this are a message each. */
const MIN_CRITICAL_BUNDLE = 4;

/**
 * Advisory lock of deferrals. A round and a direct send take it shared before they read hours and limits, and hold it
 * until they commit. Who has changed hours or limits takes it alone, and then sees all that was deferred by the old ones.
 */
export const DEFERRAL_LOCK = 'deferrals';

/** The limits in force for a tenant; 0: none. */
export interface Limits {
  per_user_per_hour: number;
  per_user_per_day: number;
}

/** A delivery whose turn it is, with all that decides whether its message may leave now. */
export interface Candidate extends Limits {
  tenant_id: string;
  id: string;
  recipient: string;
  address: string;
  critical: boolean;
  /** The message that carried it in an earlier attempt. */
  bundle_id: string | null;
  /** Others with the same key may leave with it; null: it leaves alone, or its recipient wants single messages. */
  bundle_key: string | null;
  time_zone: string;
  operating_hours: OperatingHours | null;
  user_zone: string | null;
  quiet_hours: QuietHours | null;
  /** Other messages admitted to this recipient on this channel in the last hour and day, counted up to the limit. */
  used_hour: number;
  used_day: number;
  /** When it was admitted itself, for an earlier attempt: the others have counted that. */
  admitted_at: Date | null;
}

/** Deliveries that leave, or wait, together. */
export interface Message {
  lead: Candidate;
  /** Its deliveries, locked; the first one leads. */
  ids: readonly string[];
}

export interface Deferral {
  message: Message;
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
    // One message: the second begins when the first has the lock.
    const [, row] = await Promise.all([
      this.lockDeferrals(tx),
      tx.one<{ cursor_tenant_id: string | null }>(
        prepared(
          `SELECT cursor_tenant_id FROM channels WHERE channel = $1 AND NOT paused FOR UPDATE SKIP LOCKED`,
        ),
        [channel],
      ),
    ]);
    return row;
  }

  /**
   * How many more may be in flight: 4 for each the living workers can send at once, less what already is. Less
   * than one for each is not enough for a round: it would cost as much as a large one, and no worker is idle,
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
               WHERE channel = $1 AND state IN ('queued', 'sending') AND leads) AS in_flight`),
      [channel, WORKER_ALIVE_SECONDS],
    );
    const concurrency = row?.concurrency ?? 0;
    const whole = concurrency * WINDOW_FACTOR;
    return { whole, free: Math.max(0, whole - (row?.in_flight ?? 0)), enough: concurrency };
  }

  /**
   * How many messages were admitted on this channel in the last minute, all tenants together. Who asks in the
   * transaction that admits, under `lockMinute`, can't pass a limit together with others.
   */
  async admittedLastMinute(tx: SystemTransaction, channel: string, now: Date): Promise<number> {
    const row = await tx.one<{ count: number }>(
      `SELECT count(*) FROM deliveries
       WHERE channel = $1 AND leads AND admitted_at > $2::timestamptz - interval '1 minute'`,
      [channel, now],
    );
    return row?.count ?? 0;
  }

  /**
   * Every count of the last minute's messages takes it, after the deferral lock, and holds it until what it
   * admits is committed.
   */
  async lockMinute(tx: Transaction, channel: string): Promise<void> {
    await tx.lock(`minute:${channel}`);
  }

  /** Hours and limits are not changed until this transaction ends. */
  async lockDeferrals(tx: Transaction): Promise<void> {
    await tx.lock(DEFERRAL_LOCK, 'shared');
  }

  /**
   * Whose turn it is: one message a tenant and turn, critical ones first, tenants in the order of their ids,
   * starting after the cursor and wrapping. A tenant has at most half of the window while others wait.
   * (candidates.sql.ts says how they are found.)
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
   * The messages that these deliveries lead, each with what leaves together with it, locked until the transaction
   * ends. Rows that another transaction has locked are left out: a round never waits.
   */
  async gather(
    tx: Transaction,
    channel: string,
    candidates: readonly Candidate[],
    now: Date,
  ): Promise<Message[]> {
    if (candidates.length === 0) return [];
    const rows = await tx.query<{ place: number; id: string }>(prepared(GATHER), [
      candidates.map(({ tenant_id }) => tenant_id),
      candidates.map(({ id }) => id),
      candidates.map(({ bundle_key }) => bundle_key !== null),
      channel,
      now,
      MAX_BUNDLE,
      MAX_CRITICAL_BUNDLE,
    ]);
    const gathered = candidates.map((): string[] => []);
    for (const { place, id } of rows) gathered[place - 1]?.push(id);
    return candidates.flatMap((lead, index) => {
      const ids = gathered[index] ?? [];
      const apart = lead.critical && lead.bundle_id === null && ids.length < MIN_CRITICAL_BUNDLE;
      if (ids.length === 0) return [];
      return apart ? ids.map((id) => ({ lead, ids: [id] })) : [{ lead, ids }];
    });
  }

  /**
   * `pending` → `queued`, each message under a fresh token; returns what is to be enqueued once this is committed.
   * @param directBy who sends them in a request of theirs; null for the dispatcher.
   */
  async admit(
    tx: Transaction,
    chosen: readonly Message[],
    now: Date,
    directBy: string | null = null,
  ): Promise<DeliveryJob[]> {
    if (chosen.length === 0) return [];
    const jobs = chosen.map(({ lead, ids }) => ({
      tenant_id: lead.tenant_id,
      bundle_id: lead.bundle_id ?? ids[0] ?? lead.id,
      lease_token: randomUUID(),
    }));
    const rows = chosen.flatMap(({ ids }, place) =>
      ids.map((id, position) => ({ id, leads: position === 0, ...jobs[place] })),
    );
    await tx.execute(prepared(ADMIT), [
      rows.map(({ tenant_id }) => tenant_id ?? null),
      rows.map(({ id }) => id),
      rows.map(({ bundle_id }) => bundle_id ?? null),
      rows.map(({ lease_token }) => lease_token ?? null),
      rows.map(({ leads }) => leads),
      now,
      QUEUED_LEASE_SECONDS,
      directBy,
    ]);
    return jobs;
  }

  /** Puts off what hours forbid now. */
  async defer(tx: Transaction, deferrals: readonly Deferral[], now: Date): Promise<void> {
    if (deferrals.length === 0) return;
    const rows = deferrals.flatMap(({ message, until, reason }) =>
      message.ids.map((id) => ({ tenant_id: message.lead.tenant_id, id, until, reason })),
    );
    await tx.execute(DEFER, [
      rows.map(({ tenant_id }) => tenant_id),
      rows.map(({ id }) => id),
      rows.map(({ until }) => until),
      rows.map(({ reason }) => reason),
      now,
    ]);
  }

  /**
   * Puts off what is over its recipient's limit until the message that fills it is an hour (a day) old.
   * Run after `admit`, so that it sees this round's too.
   */
  async deferOverLimit(tx: Transaction, channel: string, over: readonly Message[], now: Date): Promise<void> {
    if (over.length === 0) return;
    const rows = over.flatMap(({ lead, ids }, index) =>
      ids.map((id) => ({ tenant_id: lead.tenant_id, id, place: index + 1 })),
    );
    await tx.execute(DEFER_OVER_LIMIT, [
      rows.map(({ tenant_id }) => tenant_id),
      rows.map(({ id }) => id),
      rows.map(({ place }) => place),
      over.map(({ lead }) => lead.id),
      over.map(({ lead }) => lead.per_user_per_hour),
      over.map(({ lead }) => lead.per_user_per_day),
      channel,
      now,
    ]);
  }

  /** The next round starts after this tenant. */
  async moveCursor(tx: SystemTransaction, channel: string, tenantId: string): Promise<void> {
    await tx.execute(`UPDATE channels SET cursor_tenant_id = $2 WHERE channel = $1`, [channel, tenantId]);
  }
}
