import { Inject, Injectable } from '@nestjs/common';
import type { Channel } from '../../contracts/channels.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { minuteLimit } from '../../platform/config/limit-settings.js';
import { SystemDatabase } from '../../platform/database/database.js';
import type { SystemTransaction } from '../../platform/database/transaction.js';

/** How much of a channel's limit per minute is used. */
export interface MinuteUsage {
  limit: number;
  used: number;
  /** Infinity without a limit. */
  left: number;
  /** When as many messages as wanted may leave; null: now, or never, because the limit is smaller. */
  opens_at: Date | null;
}

/** The limit of all tenants' messages on a channel per minute. */
@Injectable()
export class MinuteLimit {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Clock) private readonly clock: Clock,
    private readonly system: SystemDatabase,
  ) {}

  limitOf(channel: Channel): number {
    return minuteLimit(this.config, channel);
  }

  /** `usage` now, in its own transaction. It counts all tenants: only operators may see it. */
  async current(channel: Channel, wanted = 1): Promise<MinuteUsage> {
    return this.system.transaction((tx) => this.usage(tx, channel, this.clock.now(), wanted));
  }

  /**
   * Counts up to the limit. Exact for a caller that excludes other admissions on the channel until it commits
   * (`Admission.lockChannel`, `lockMinute`).
   * @param wanted messages to admit
   */
  async usage(tx: SystemTransaction, channel: Channel, now: Date, wanted = 1): Promise<MinuteUsage> {
    const limit = this.limitOf(channel);
    if (limit === 0) return { limit, used: 0, left: Infinity, opens_at: null };
    const row = await tx.one<{ used: number; opens_at: Date | null }>(USAGE, [
      channel,
      now,
      limit,
      Math.max(limit - wanted, 0),
    ]);
    const { used = 0, opens_at = null } = row ?? {};
    return { limit, used, left: Math.max(limit - used, 0), opens_at: wanted > limit ? null : opens_at };
  }
}

/**
 * By tenant, because the index begins with it. $1 channel, $2 now, $3 limit, $4 messages that may stay within the last
 * minute.
 */
const USAGE = `
  WITH recent AS MATERIALIZED (
    SELECT a.admitted_at FROM tenants t
    CROSS JOIN LATERAL (
      SELECT d.admitted_at FROM deliveries d
      WHERE d.channel = $1 AND d.tenant_id = t.id AND d.leads
        AND d.admitted_at > $2::timestamptz - interval '1 minute'
      ORDER BY d.admitted_at DESC LIMIT $3) a
  )
  SELECT (SELECT count(*) FROM recent)::integer AS used,
         (SELECT admitted_at + interval '1 minute' FROM recent ORDER BY admitted_at DESC OFFSET $4 LIMIT 1) AS opens_at`;
