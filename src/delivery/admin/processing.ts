import { setTimeout as delay } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import { type Channel, CHANNELS } from '../../contracts/channels.js';
import { Clock } from '../../platform/clock/clock.js';
import { SystemDatabase } from '../../platform/database/database.js';
import { WakeUps } from '../../platform/queues/wake-ups.js';
import { Hastening } from './hastening.js';

/** The outcome of the deliveries that were waiting when processing was requested. */
export interface Processed {
  /**
   * Due, waiting for a retry, queued or being sent at that moment; the sum of the counts below. At most 10,000 are
   * followed.
   */
  due: number;
  sent: number;
  /** Refused permanently, or out of attempts or time. */
  failed: number;
  /** Suppressed or cancelled. */
  cancelled: number;
  /** Deferred by hours or limits, or until the next retry. */
  deferred: number;
  /** Still due, queued or being sent. */
  waiting: number;
}

export interface Processing {
  processed: Processed;
  /** Paused channels: they send nothing until they are resumed. */
  paused: Channel[];
}

interface Followed {
  tenant_id: string;
  id: string;
}

type Counts = Omit<Processed, 'due'>;

const MAX_FOLLOWED = 10_000;
/** Deliveries per query. */
const CHUNK = 1_000;
const FIRST_STEP_MS = 100;
const MAX_STEP_MS = 1_000;

/**
 * "Process pending now": makes retries due, requests a dispatcher round from all processes, and follows the waiting
 * deliveries. The dispatcher still decides about turns, hours and limits.
 */
@Injectable()
export class ProcessingService implements BeforeApplicationShutdown {
  private stopping = false;

  constructor(
    private readonly database: SystemDatabase,
    private readonly wakeUps: WakeUps,
    private readonly hastening: Hastening,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * @param tenantId whose deliveries are followed; null: all tenants that are not suspended.
   * @param timeoutMs how long to wait for them to be sent. Does not wait for paused ones.
   * @param signal aborted when the client disconnects
   */
  async process(tenantId: string | null, timeoutMs: number, signal?: AbortSignal): Promise<Processing> {
    await Promise.all(CHANNELS.map((channel) => this.hastening.hasten(channel, tenantId)));
    const followed = await this.database.query<Followed>(WAITING, [tenantId, this.clock.now(), MAX_FOLLOWED]);
    for (const channel of CHANNELS) this.wakeUps.send('dispatch.kick', { channel });
    const deadline = performance.now() + timeoutMs;
    const ended: Counts = { sent: 0, failed: 0, cancelled: 0, deferred: 0, waiting: 0 };
    let open: readonly Followed[] = followed;
    for (let step = FIRST_STEP_MS; ; step = Math.min(step * 1.5, MAX_STEP_MS)) {
      open = await this.drop(open, ended);
      const paused = await this.paused();
      const over = open.length === 0 || paused.length === CHANNELS.length;
      if (over || this.stopping || signal?.aborted === true || performance.now() >= deadline) {
        const rest = await this.countAll(open);
        return { processed: { due: followed.length, ...sum([ended, rest]) }, paused };
      }
      await delay(step);
    }
  }

  beforeApplicationShutdown(): void {
    this.stopping = true;
  }

  /** Counts finished deliveries, up to the first chunk with unfinished ones. @returns the rest. */
  private async drop(open: readonly Followed[], ended: Counts): Promise<readonly Followed[]> {
    for (let from = 0; from < open.length; from += CHUNK) {
      const chunk = open.slice(from, from + CHUNK);
      const outcomes = await this.outcomes(chunk);
      for (const outcome of outcomes) if (outcome !== 'waiting') ended[outcome] += 1;
      const waiting = chunk.filter((_, place) => outcomes[place] === 'waiting');
      if (waiting.length > 0) return [...waiting, ...open.slice(from + CHUNK)];
    }
    return [];
  }

  private async countAll(open: readonly Followed[]): Promise<Counts> {
    const counts: Counts = { sent: 0, failed: 0, cancelled: 0, deferred: 0, waiting: 0 };
    for (let from = 0; from < open.length; from += CHUNK) {
      for (const outcome of await this.outcomes(open.slice(from, from + CHUNK))) counts[outcome] += 1;
    }
    return counts;
  }

  /** In the order of the deliveries. */
  private async outcomes(chunk: readonly Followed[]): Promise<(keyof Counts)[]> {
    const rows = await this.database.query<{ outcome: keyof Counts }>(OUTCOMES, [
      chunk.map(({ tenant_id }) => tenant_id),
      chunk.map(({ id }) => id),
      this.clock.now(),
    ]);
    return rows.map(({ outcome }) => outcome);
  }

  private async paused(): Promise<Channel[]> {
    const rows = await this.database.query<{ channel: Channel }>(`SELECT channel FROM channels WHERE paused`);
    return rows.map(({ channel }) => channel);
  }
}

// $1 tenant or null, $2 now, $3 how many
const WAITING = `
  WITH waiting AS (
    (SELECT tenant_id, id FROM deliveries
     WHERE state IN ('queued', 'sending') AND ($1::uuid IS NULL OR tenant_id = $1) LIMIT $3)
    UNION ALL
    (SELECT tenant_id, id FROM deliveries
     WHERE state = 'pending' AND channel IN (${CHANNELS.map((channel) => `'${channel}'`).join(', ')})
       AND due_at <= $2 AND ($1::uuid IS NULL OR tenant_id = $1) LIMIT $3)
  )
  SELECT w.tenant_id, w.id FROM waiting w JOIN tenants t ON t.id = w.tenant_id AND t.suspended_at IS NULL
  LIMIT $3`;

// $1 tenants, $2 ids, $3 now. A missing delivery was erased with its recipient.
const OUTCOMES = `
  SELECT CASE WHEN d.state = 'sent' THEN 'sent'
              WHEN d.state IN ('failed', 'unknown') THEN 'failed'
              WHEN d.state IN ('suppressed', 'cancelled') OR d.state IS NULL THEN 'cancelled'
              WHEN d.state = 'pending' AND d.due_at > $3 THEN 'deferred'
              ELSE 'waiting' END AS outcome
  FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS f (tenant_id, id, place)
  LEFT JOIN deliveries d ON d.tenant_id = f.tenant_id AND d.id = f.id
  ORDER BY f.place`;

function sum(parts: readonly Counts[]): Counts {
  const add = (field: keyof Counts) => parts.reduce((total, part) => total + part[field], 0);
  return {
    sent: add('sent'),
    failed: add('failed'),
    cancelled: add('cancelled'),
    deferred: add('deferred'),
    waiting: add('waiting'),
  };
}
