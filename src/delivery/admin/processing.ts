import { setTimeout as delay } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import { type Channel, CHANNELS } from '../../contracts/channels.js';
import { Clock } from '../../platform/clock/clock.js';
import { SystemDatabase } from '../../platform/database/database.js';
import { WakeUps } from '../../platform/queues/wake-ups.js';
import { ChannelHealth } from '../channel-health/channel-health.js';

/** What became of the deliveries that were waiting when somebody asked to process them. */
export interface Processed {
  /** Due or on their way at that moment; the counts below add up to it. At most 10,000 are followed. */
  due: number;
  sent: number;
  /** Refused for good, or given up. */
  failed: number;
  /** Called off: suppressed or cancelled. */
  called_off: number;
  /** Put off: by hours, by limits, or until the next attempt. */
  deferred: number;
  /** Still due or on their way. */
  waiting: number;
}

export interface Processing {
  processed: Processed;
  /** Channels that are paused: nothing leaves on them until they are resumed. */
  paused: Channel[];
}

interface Followed {
  tenant_id: string;
  id: string;
}

const FOLLOWED = 10_000;
const STEP_MS = 100;

/**
 * "Process what is pending, now": asks the dispatchers of all processes for a round and follows what was waiting.
 * Whose turn it is, hours and limits stay the dispatcher's to decide.
 */
@Injectable()
export class ProcessingService implements BeforeApplicationShutdown {
  private stopping = false;

  constructor(
    private readonly database: SystemDatabase,
    private readonly wakeUps: WakeUps,
    private readonly health: ChannelHealth,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * @param tenantId whose deliveries are followed; null: those of all tenants that are not suspended.
   * @param timeoutMs how long to wait for them to leave. What is paused is not waited for.
   */
  async process(tenantId: string | null, timeoutMs: number): Promise<Processing> {
    const followed = await this.database.query<Followed>(WAITING, [tenantId, this.clock.now(), FOLLOWED]);
    await Promise.all(CHANNELS.map((channel) => this.health.probeNow(channel)));
    for (const channel of CHANNELS) this.wakeUps.send('dispatch.kick', { channel });
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const [processed, paused] = await Promise.all([this.look(followed), this.paused()]);
      const over = processed.waiting === 0 || paused.length === CHANNELS.length;
      if (over || this.stopping || performance.now() >= deadline) return { processed, paused };
      await delay(STEP_MS);
    }
  }

  beforeApplicationShutdown(): void {
    this.stopping = true;
  }

  private async look(followed: readonly Followed[]): Promise<Processed> {
    const [counts] = await this.database.query<Omit<Processed, 'due'>>(OUTCOMES, [
      followed.map(({ tenant_id }) => tenant_id),
      followed.map(({ id }) => id),
      this.clock.now(),
    ]);
    if (counts === undefined) throw new Error('an aggregate has no row');
    return { due: followed.length, ...counts };
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

// $1 tenants, $2 ids, $3 now. Whoever was deleted meanwhile was called off.
const OUTCOMES = `
  SELECT count(*) FILTER (WHERE d.state = 'sent') AS sent,
         count(*) FILTER (WHERE d.state IN ('failed', 'unknown')) AS failed,
         count(*) FILTER (WHERE d.state IN ('suppressed', 'cancelled') OR d.state IS NULL) AS called_off,
         count(*) FILTER (WHERE d.state = 'pending' AND d.due_at > $3) AS deferred,
         count(*) FILTER (WHERE d.state IN ('queued', 'sending') OR (d.state = 'pending' AND d.due_at <= $3))
           AS waiting
  FROM unnest($1::uuid[], $2::uuid[]) AS f (tenant_id, id)
  LEFT JOIN deliveries d ON d.tenant_id = f.tenant_id AND d.id = f.id`;
