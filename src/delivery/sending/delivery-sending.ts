import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import type { DeliveryJob } from '../../contracts/jobs.js';
import type { Channel } from '../../contracts/channels.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { Metrics, secondsSince } from '../../platform/metrics/metrics.js';
import { JobHandlers } from '../../platform/queues/handlers.js';
import { WakeUps } from '../../platform/queues/wake-ups.js';
import { CHANNEL_TRAITS } from '../channels/channels.js';
import {
  type ClaimedDelivery,
  SendError,
  type SendLease,
  SENDERS,
  type Senders,
} from '../channels/sender.js';
import { HeldLeases } from './held-leases.js';
import { Leases } from './leases.js';
import { afterFailure, type Outcome } from './outcome.js';
import { recordUntilDone } from './recording.js';

/** One kick stands for all outcomes of this time; the queue lasts longer. */
const KICK_AFTER_MS = 10;

/**
 * Sends one admitted delivery, on whatever channel: claim, send, record. The same for the jobs of all channels and
 * for who sends directly.
 */
@Injectable()
export class DeliverySending implements OnModuleInit {
  private readonly logger = new Logger('Delivery');
  private readonly kicksDue = new Set<Channel>();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly jobs: JobHandlers,
    private readonly held: HeldLeases,
    private readonly leases: Leases,
    private readonly wakeUps: WakeUps,
    private readonly metrics: Metrics,
    @Inject(SENDERS) private readonly senders: Senders,
  ) {}

  onModuleInit(): void {
    for (const { job: name } of Object.values(CHANNEL_TRAITS)) {
      this.jobs.register(name, (job) => this.deliver(job));
    }
  }

  /** Resolves once the outcome is committed, or when the delivery was not this job's to send. */
  async deliver(job: DeliveryJob): Promise<void> {
    await this.held.whileHeld(job, async (delivery, lease) => {
      const { channel } = delivery;
      const began = performance.now();
      const outcome = await this.attempt(delivery, lease);
      this.metrics.observe('vigie_send_duration_seconds', { channel }, secondsSince(began));
      const recorded = await recordUntilDone(() => this.leases.record(job, outcome), lease);
      this.metrics.count('vigie_sends_total', { channel, outcome: sendOutcome(outcome, recorded) });
      this.logger.log({
        event: `delivery_${outcome.state}`,
        channel,
        tenant_id: delivery.tenant_id,
        delivery_id: delivery.id,
        attempt: delivery.attempts,
        recorded,
      });
      this.kickSoon(channel);
    });
  }

  private async attempt(delivery: ClaimedDelivery, lease: SendLease): Promise<Outcome> {
    try {
      const sender = this.senders.get(delivery.channel);
      if (sender === undefined)
        throw new SendError('retryable', 'The channel is not configured in this process');
      const { provider_id } = await sender.send(delivery, lease);
      return { state: 'sent', provider_id };
    } catch (error) {
      // Anything but a SendError is a fault of ours, and the next attempt would meet it again.
      const failure =
        error instanceof SendError
          ? error
          : {
              failure: 'permanent' as const,
              message: error instanceof Error ? error.message : String(error),
            };
      return afterFailure(failure, delivery.attempts, delivery.ambiguities, {
        max_attempts: this.config.retryMaxAttempts,
        delay_ms: this.config.retryDelaySeconds * 1_000,
        ambiguous_repeats: CHANNEL_TRAITS[delivery.channel].ambiguous_repeats,
      });
    }
  }

  /** The window has room again. */
  private kickSoon(channel: Channel): void {
    if (this.kicksDue.has(channel)) return;
    this.kicksDue.add(channel);
    setTimeout(() => {
      this.kicksDue.delete(channel);
      this.wakeUps.send('dispatch.kick', { channel });
    }, KICK_AFTER_MS);
  }
}

/** How an attempt ended, for the metrics. */
function sendOutcome({ state }: Outcome, recorded: boolean): string {
  if (!recorded) return 'lost';
  return state === 'pending' ? 'retry' : state;
}
