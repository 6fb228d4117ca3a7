import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { DeliveryJob } from '../../contracts/jobs.js';
import {
  prepared,
  type SystemTransaction,
  type TenantTransaction,
  type Transaction,
} from '../../platform/database/transaction.js';
import { ADMIT, GATHER, GATHER_AMONG } from '../transitions/admission.sql.js';
import type { AddressHealth } from '../channels/channels.js';
import { NAMED, TURNS } from './candidates.sql.js';
import type { Limits } from './limits.js';
import type { OperatingHours, QuietHours } from './hours.js';

/**
 * How long an admitted delivery waits for a worker before it is admitted again, in seconds. Short, because a worker may
 * be killed with an unclaimed job; admitting again only leaves a dead Bull job.
 */
export const QUEUED_LEASE_SECONDS = 15;
/** A worker without a heartbeat for this long no longer counts, in seconds. */
export const WORKER_ALIVE_SECONDS = 15;
/** Admitted messages per message that the live workers can send concurrently. */
const WINDOW_FACTOR = 4;

/** Deliveries per message. */
export const MAX_BUNDLE = 100;
/** Critical deliveries of one kind per message: an agent whose 200 databases all failed is one message. */
export const MAX_CRITICAL_BUNDLE = 250;
/** Fewer critical ones than this are sent one by one. */
const MIN_CRITICAL_BUNDLE = 4;

/**
 * Advisory lock of deferrals. A round and a direct send take it shared before they read hours and limits, and hold it
 * until they commit. A change of hours or limits takes it exclusively, and then sees everything that the old ones
 * deferred.
 */
export const DEFERRAL_LOCK = 'deferrals';

/** A delivery whose turn it is, with the data that decides whether its message may leave now. */
export interface Candidate extends Limits {
  tenant_id: string;
  id: string;
  recipient: string;
  address: string;
  critical: boolean;
  /** The message that carried it in an earlier attempt. */
  bundle_id: string | null;
  /**
   * Deliveries with the same key may share its message; null: it leaves alone, or its recipient wants single messages.
   */
  bundle_key: string | null;
  time_zone: string;
  operating_hours: OperatingHours | null;
  user_zone: string | null;
  quiet_hours: QuietHours | null;
  /** The user's, by weekday. */
  receiving_hours: OperatingHours[] | null;
  /** Civil date on which the user's pause ends. */
  paused_until: string | null;
  /** Other messages admitted to this recipient on this channel in the last hour and day, counted up to the limit. */
  used_hour: number;
  used_day: number;
  /** Messages admitted of its tenant on this channel, counted up to the limit; may include its own earlier attempt. */
  tenant_used_hour: number;
  tenant_used_day: number;
  /** When it was admitted for an earlier attempt: the other counts include it. */
  admitted_at: Date | null;
}

/** How many messages may be in flight. */
export interface Window {
  /**
   * Concurrent sends of the live workers. A round needs as much room: a smaller one would cost as much as a large one,
   * and no worker is idle, because twice as many are queued.
   */
  slots: number;
  whole: number;
  /** The room that is left. */
  free: number;
}

/** How many messages of one tenant may be in flight. */
export interface TenantShare {
  /** While others wait. */
  beside_others: number;
  alone: number;
}

/** Deliveries that leave or wait together. */
export interface Message {
  lead: Candidate;
  /** Its deliveries, locked; the first one leads. */
  ids: readonly string[];
}

/**
 * The statements of admission for one channel: the dispatcher's, in a transaction that locks the channel's row, and
 * those of direct sending, in the transaction that creates the deliveries.
 */
@Injectable()
export class Admission {
  /** Locks the channel for a round; null if another process has it, or the channel is paused. */
  async begin(tx: SystemTransaction, channel: string): Promise<{ cursor_tenant_id: string | null } | null> {
    // One round trip: each statement starts after the one before has its lock.
    const [, , row] = await Promise.all([
      this.lockDeferrals(tx),
      tx.lock(channelLock(channel)),
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
   * How many more messages may be in flight: 4 per concurrent send of the live workers, minus those in flight.
   */
  async window(tx: SystemTransaction, channel: string): Promise<Window> {
    const row = await tx.one<{ concurrency: number; in_flight: number }>(
      prepared(`SELECT (SELECT coalesce(sum(concurrency), 0) FROM workers
               WHERE channel = $1 AND seen_at > now() - make_interval(secs => $2)) AS concurrency,
              (SELECT count(*) FROM deliveries
               WHERE channel = $1 AND state IN ('queued', 'sending') AND leads) AS in_flight`),
      [channel, WORKER_ALIVE_SECONDS],
    );
    const slots = row?.concurrency ?? 0;
    const whole = slots * WINDOW_FACTOR;
    return { slots, whole, free: Math.max(0, whole - (row?.in_flight ?? 0)) };
  }

  /**
   * Makes the counts of this transaction exact until it commits: a direct call excludes rounds, and other calls of its
   * tenant on this channel. Take it after the rows of the message are locked, because a round waits for it.
   * @param all excludes also the calls of other tenants, for the limit per minute
   */
  async lockChannel(tx: TenantTransaction, channel: string, all: boolean): Promise<void> {
    await Promise.all([
      tx.lock(channelLock(channel), 'shared'),
      tx.lock(`admission:${channel}:${tx.tenant_id}`),
      ...(all ? [tx.lock(`minute:${channel}`)] : []),
    ]);
  }

  /** Prevents changes of hours and limits until this transaction ends. */
  async lockDeferrals(tx: Transaction): Promise<void> {
    await tx.lock(DEFERRAL_LOCK, 'shared');
  }

  /**
   * Whose turn it is: one message per tenant and turn, critical ones first, tenants in order of their ids, starting
   * after the cursor and wrapping around. (See candidates.sql.ts.)
   * @param free room in the window, and the maximum that is returned
   * @param full addresses without room
   * @param share how many of a tenant may be in flight
   * @param limits the installation's; a tenant's own take precedence
   * @param which critical: only those that ignore limits
   */
  async candidates(
    tx: SystemTransaction,
    channel: string,
    now: Date,
    cursor: string | null,
    { free, share, full }: { free: number; share: TenantShare; full: readonly string[] },
    limits: Limits,
    which: 'all' | 'critical' = 'all',
  ): Promise<Candidate[]> {
    return tx.query<Candidate>(prepared(TURNS), [
      channel,
      now,
      limits.per_user_per_hour,
      limits.per_user_per_day,
      cursor,
      free,
      share.beside_others,
      full,
      limits.per_tenant_per_hour,
      limits.per_tenant_per_day,
      which === 'critical',
      share.alone,
    ]);
  }

  /** The same for these deliveries, independent of turns; skips those that are not pending. */
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
      limits.per_tenant_per_hour,
      limits.per_tenant_per_day,
    ]);
  }

  /**
   * The messages led by these deliveries, each with the deliveries that leave with it, locked until the transaction
   * ends. Skips rows that another transaction has locked: a round never waits.
   * @param among only these deliveries; default: all that are due
   */
  async gather(
    tx: Transaction,
    channel: string,
    candidates: readonly Candidate[],
    now: Date,
    among?: readonly string[],
  ): Promise<Message[]> {
    if (candidates.length === 0) return [];
    const statement = among === undefined ? GATHER : GATHER_AMONG;
    const rows = await tx.query<{ place: number; id: string }>(prepared(statement), [
      candidates.map(({ tenant_id }) => tenant_id),
      candidates.map(({ id }) => id),
      candidates.map(({ bundle_key }) => bundle_key !== null),
      channel,
      now,
      MAX_BUNDLE,
      MAX_CRITICAL_BUNDLE,
      ...(among === undefined ? [] : [among]),
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
   * `pending` → `queued`, each message with a new token; returns the jobs to enqueue after the commit.
   * @param directBy who sends them in their own request; null for the dispatcher.
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

  /** The next round starts after this tenant. */
  async moveCursor(tx: SystemTransaction, channel: string, tenantId: string): Promise<void> {
    await tx.execute(`UPDATE channels SET cursor_tenant_id = $2 WHERE channel = $1`, [channel, tenantId]);
  }
}

/** Rounds take this lock exclusively; direct calls share it. */
function channelLock(channel: string): string {
  return `admission:${channel}`;
}

/**
 * A tenant may fill half of the window while others wait. Where each address has its own health, it may fill half of
 * the concurrent sends, even alone: whoever comes next must not wait until its broken addresses have timed out.
 */
export function shareOfTenant({ slots, whole }: Window, addressHealth: AddressHealth | null): TenantShare {
  const half = Math.ceil((addressHealth === null ? whole : slots) / 2);
  return { beside_others: half, alone: addressHealth === null ? whole : half };
}
