import { Inject, Injectable, Logger } from '@nestjs/common';
import type { Channel } from '../../contracts/channels.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { currentRehearsal } from '../../platform/database/rehearsal.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { activeChannels, CHANNEL_TRAITS } from '../channels/channels.js';
import { Admission, type Candidate } from './admission.js';
import { LEADING } from './candidates.sql.js';
import { decide } from './decision.js';
import { Deferring } from './deferring.js';
import { limitsOf } from './limits.js';

/**
 * Computes when new deliveries would be sent, by the dispatcher's own decisions, in a rehearsal. Unlike in a
 * round of the dispatcher, all of them have room at once, and no other deliveries are waiting.
 */
@Injectable()
export class Outlook {
  private readonly logger = new Logger('Outlook');

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Clock) private readonly clock: Clock,
    private readonly admission: Admission,
    private readonly deferring: Deferring,
  ) {}

  /**
   * Admits those of these deliveries that may leave now (`queued`, with the `bundle_id` of their message), and defers the
   * others (`pending`, with `due_at` and `defer_reason`). Those of a channel that is switched off stay as they are.
   * @returns the ids of the deliveries in each message, of those that wait too
   */
  async decide(tx: TenantTransaction, ids: readonly string[]): Promise<(readonly string[])[]> {
    if (currentRehearsal() === undefined) throw new Error('an outlook is only for rehearsals');
    if (ids.length === 0) return [];
    const decided: (readonly string[])[] = [];
    for (const channel of activeChannels(this.config)) {
      for (;;) {
        const messages = await this.round(tx, channel, ids);
        if (messages.length === 0) break;
        decided.push(...messages);
      }
    }
    return decided;
  }

  /** Decides on all that are due. */
  private async round(
    tx: TenantTransaction,
    channel: Channel,
    ids: readonly string[],
  ): Promise<(readonly string[])[]> {
    const now = this.clock.now();
    const limits = limitsOf(this.config);
    const candidates = await tx.query<Candidate>(LEADING, [
      channel,
      now,
      limits.per_user_per_hour,
      limits.per_user_per_day,
      tx.tenant_id,
      ids,
      limits.per_tenant_per_hour,
      limits.per_tenant_per_day,
    ]);
    const messages = await this.admission.gather(tx, channel, candidates, now, ids);
    const { chosen, deferrals, over } = decide(messages, now, this.logger, CHANNEL_TRAITS[channel].holds);
    await this.admission.admit(tx, chosen, now);
    await this.deferring.defer(tx, deferrals, now);
    await this.deferring.deferOverLimit(tx, channel, over, now);
    return messages.map((message) => message.ids);
  }
}
