import { Inject, Injectable } from '@nestjs/common';
import type { Channel } from '../../contracts/channels.js';
import { Clock } from '../../platform/clock/clock.js';
import { SystemDatabase } from '../../platform/database/database.js';
import { ChannelHealth } from '../channel-health/channel-health.js';
import { HASTEN } from '../transitions/acts.sql.js';

/** Rows that one statement moves: locks stay short. */
const BATCH = 2_000;
const MAX_BATCHES = 50;

/** After a repair: a person need not wait until the next attempt would come by itself. */
@Injectable()
export class Hastening {
  constructor(
    private readonly database: SystemDatabase,
    private readonly health: ChannelHealth,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * Makes due what waits for its next attempt on this channel, and lets a channel that is down be probed at once.
   * At most 100,000 deliveries.
   * @param tenantId whose; null: everyone's.
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
