import { Inject, Injectable } from '@nestjs/common';
import type { Channel } from '../../contracts/channels.js';
import { Clock } from '../../platform/clock/clock.js';
import { SystemDatabase } from '../../platform/database/database.js';
import { ChannelHealth } from '../channel-health/channel-health.js';
import { HASTEN } from '../transitions/acts.sql.js';

/** Rows that one statement changes: this keeps locks short. */
const BATCH = 2_000;
const MAX_BATCHES = 50;

/** Retries at once after a repair, so that people need not wait for the next attempt. */
@Injectable()
export class Hastening {
  constructor(
    private readonly database: SystemDatabase,
    private readonly health: ChannelHealth,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * Makes the retries of this channel due, and probes a channel that is down at once. At most 100,000 deliveries.
   * @param tenantId null: all tenants.
   * @returns how many deliveries.
   */
  async hasten(channel: Channel, tenantId: string | null): Promise<number> {
    await this.health.probeNow(channel);
    const now = this.clock.now();
    let hastened = 0;
    for (let batch = 0; batch < MAX_BATCHES; batch += 1) {
      const some = (await this.database.query(HASTEN, [channel, tenantId, now, BATCH])).length;
      hastened += some;
      if (some < BATCH) break;
    }
    return hastened;
  }
}
