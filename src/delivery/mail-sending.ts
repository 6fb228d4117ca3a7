import { Inject, Injectable, Logger } from '@nestjs/common';
import { PasswordLinks } from '../auth/password-links.js';
import type { DeliveryJob } from '../contracts/jobs.js';
import { CONFIG, type Config, publicUrl } from '../platform/config/config.js';
import { Metrics, secondsSince } from '../platform/metrics/metrics.js';
import { WakeUps } from '../platform/queues/wake-ups.js';
import { CHANNEL_TRAITS } from './channels/channels.js';
import { EmailSender } from './channels/email/email.sender.js';
import { SendError, type SendLease } from './channels/sender.js';
import { HeldLeases } from './held-leases.js';
import { type ClaimedDelivery, Leases } from './leases.js';
import { afterFailure, type Outcome } from './outcome.js';
import { TemplateStore } from './rendering/template-store.js';
import { recordUntilDone } from './recording.js';

/** One kick stands for all outcomes of this time; the queue lasts longer. */
const KICK_AFTER_MS = 10;

/** Sends one admitted mail: claim, render, send, record. The same for workers and for who sends directly. */
@Injectable()
export class MailSending {
  private readonly logger = new Logger('Mail');
  private kickDue = false;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly held: HeldLeases,
    private readonly leases: Leases,
    private readonly templates: TemplateStore,
    private readonly links: PasswordLinks,
    private readonly wakeUps: WakeUps,
    private readonly metrics: Metrics,
    @Inject(EmailSender) private readonly sender: EmailSender | null,
  ) {}

  /** Resolves once the outcome is committed, or when the delivery was not this job's to send. */
  async deliver(job: DeliveryJob): Promise<void> {
    await this.held.whileHeld(job, async (delivery, lease) => {
      const began = performance.now();
      const outcome = await this.attempt(delivery, lease);
      this.metrics.observe('vigie_send_duration_seconds', { channel: 'email' }, secondsSince(began));
      const recorded = await recordUntilDone(() => this.leases.record(job, outcome), lease);
      this.metrics.count('vigie_sends_total', { channel: 'email', outcome: sendOutcome(outcome, recorded) });
      this.logger.log({
        event: `delivery_${outcome.state}`,
        channel: 'email',
        tenant_id: delivery.tenant_id,
        delivery_id: delivery.id,
        attempt: delivery.attempts,
        recorded,
      });
      this.kickSoon();
    });
  }

  private async attempt(delivery: ClaimedDelivery, lease: SendLease): Promise<Outcome> {
    try {
      if (this.sender === null) throw new SendError('retryable', 'SMTP is not configured in this process');
      const receipt = await this.sender.send(
        {
          delivery_id: delivery.id,
          to: delivery.address,
          ...this.templates.render({
            kind: delivery.kind,
            locale: delivery.locale,
            tenant: { name: delivery.tenant_name, time_zone: delivery.time_zone },
            recipient: { name: delivery.recipient_name },
            severity: delivery.severity,
            title: delivery.title,
            body: delivery.body,
            data: this.withLinks(delivery),
            created_at: delivery.created_at,
            links: { inbox_url: this.inboxOf(delivery), unsubscribe_url: null },
          }),
          unsubscribe_url: null,
        },
        lease,
      );
      return { state: 'sent', provider_id: receipt.provider_id };
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
        ambiguous_repeats: CHANNEL_TRAITS.email.ambiguous_repeats,
      });
    }
  }

  /** Only users have one; a bare address has nobody's name. */
  private inboxOf({ recipient_name }: ClaimedDelivery): string | null {
    return recipient_name === null ? null : publicUrl(this.config);
  }

  /** A one-time link is made when it leaves, so that no table ever holds it. */
  private withLinks({ kind, data, tenant_id }: ClaimedDelivery): Record<string, unknown> {
    if (!['welcome', 'password_reset'].includes(kind) || typeof data.link_id !== 'string') return data;
    return { ...data, link_url: this.links.url(tenant_id, data.link_id) };
  }

  /** The window has room again. */
  private kickSoon(): void {
    if (this.kickDue) return;
    this.kickDue = true;
    setTimeout(() => {
      this.kickDue = false;
      this.wakeUps.send('dispatch.kick', { channel: 'email' });
    }, KICK_AFTER_MS);
  }
}

/** How an attempt ended, for the metrics. */
function sendOutcome({ state }: Outcome, recorded: boolean): string {
  if (!recorded) return 'lost';
  return state === 'pending' ? 'retry' : state;
}
