import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import type { DeliveryJob } from '../../contracts/jobs.js';
import type { Channel } from '../../contracts/channels.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { Metrics, secondsSince } from '../../platform/metrics/metrics.js';
import { Tracing } from '../../platform/tracing/tracing.js';
import { JobHandlers } from '../../platform/queues/handlers.js';
import { WakeUps } from '../../platform/queues/wake-ups.js';
import { CHANNEL_TRAITS } from '../channels/channels.js';
import {
  type ChannelFault,
  type ClaimedMessage,
  SendError,
  type SendFailure,
  type SendLease,
  SENDERS,
  type Senders,
} from '../channels/sender.js';
import { ChannelHealth } from '../channel-health/channel-health.js';
import { StoppedAddresses } from '../stopped-addresses/stopped-addresses.service.js';
import { HeldLeases } from './held-leases.js';
import { Leases } from './leases.js';
import { afterFailure, type FailedSend, type Outcome } from './outcome.js';
import { recordUntilDone } from './recording.js';

/** Coalesces the kicks of outcomes within this time into one; the queue lasts longer. */
const KICK_AFTER_MS = 10;

/**
 * Sends one admitted message, on any channel: claim, send, record. Used by the jobs of all channels and by direct
 * sending.
 */
@Injectable()
export class DeliverySending implements OnModuleInit {
  private readonly logger = new Logger('Delivery');
  private readonly kicksDue = new Set<Channel>();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Clock) private readonly clock: Clock,
    private readonly jobs: JobHandlers,
    private readonly held: HeldLeases,
    private readonly leases: Leases,
    private readonly health: ChannelHealth,
    private readonly stopped: StoppedAddresses,
    private readonly wakeUps: WakeUps,
    private readonly metrics: Metrics,
    private readonly tracing: Tracing,
    @Inject(SENDERS) private readonly senders: Senders,
  ) {}

  onModuleInit(): void {
    for (const { job: name } of Object.values(CHANNEL_TRAITS)) {
      this.jobs.register(name, (job) => this.deliver(job));
    }
  }

  /** Resolves when the outcome is committed, or the message could not be claimed. */
  async deliver(job: DeliveryJob): Promise<void> {
    await this.held.withLease(job, async (message, lease) => {
      const { channel, tenant_id, bundle_id } = message;
      const began = performance.now();
      const { outcome, reason, address_stopped } = await this.traced(message, lease);
      this.metrics.observe('vigie_send_duration_seconds', { channel }, secondsSince(began));
      const about = { channel, tenant_id, bundle_id, attempt: message.attempts };
      const recorded = await recordUntilDone(
        () => this.leases.record(job, outcome),
        lease,
        this.logger,
        about,
      );
      if (recorded && outcome.state === 'sent') this.measureDelivery(message);
      if (address_stopped) await this.stopped.refused(message);
      this.metrics.count('vigie_sends_total', { channel, outcome: sendOutcome(outcome, recorded) });
      const deliveries = message.items.length;
      const delivery_id = message.items[0]?.delivery_id;
      const line = { event: `delivery_${outcome.state}`, ...about, delivery_id, deliveries, recorded };
      if (reason === null) this.logger.log(line);
      else this.logger[levelOf(outcome)]({ ...line, ...reason });
      this.kickSoon(channel);
    });
  }

  /**
   * Runs in the trace of the request or run that created the message, which another process may have
   * recorded.
   */
  private async traced(message: ClaimedMessage, lease: SendLease): Promise<Attempt> {
    const { channel, tenant_id, bundle_id, attempts, items, traceparent } = message;
    const about = {
      'vigie.channel': channel,
      'vigie.tenant_id': tenant_id,
      'vigie.bundle_id': bundle_id,
      'vigie.attempt': attempts,
      'vigie.items': items.length,
      'vigie.kind': items[0]?.kind ?? 'none',
    };
    return this.tracing.span(
      `send ${channel}`,
      about,
      async (note) => {
        const attempt = await this.attempt(message, lease);
        note({ 'vigie.outcome': attempt.outcome.state });
        return attempt;
      },
      { kind: 'consumer', traceparent },
    );
  }

  private async attempt(message: ClaimedMessage, lease: SendLease): Promise<Attempt> {
    const began = performance.now();
    try {
      const sender = this.senders.get(message.channel);
      if (sender === undefined)
        throw new SendError('retryable', 'The channel is not configured in this process');
      const receipt = await this.tracing.span(
        `provider ${message.channel}`,
        { 'vigie.channel': message.channel },
        () => sender.send(message, lease),
        { kind: 'client' },
      );
      this.health.worked(message.channel, began);
      return { outcome: { state: 'sent', ...receipt }, reason: null, address_stopped: false };
    } catch (error) {
      // Before the outcome is recorded: otherwise the dispatcher would admit it again into a channel that is down.
      if (error instanceof SendError && error.failure === 'channel')
        await this.health.failed(message.channel, error, message.lease_token);
      const failure = this.failureOf(error, message);
      const outcome = afterFailure(failure, message.attempts, message.ambiguities, {
        ...CHANNEL_TRAITS[message.channel].retries(this.config),
        age_ms: this.clock.now().getTime() - message.due_since.getTime(),
        max_age_ms: this.config.deliveryMaxAgeHours * 3_600_000,
      });
      this.metrics.count('vigie_send_failures_total', {
        channel: message.channel,
        failure: failure.failure,
        cause: error instanceof SendError ? (error.cause ?? 'none') : 'none',
      });
      const address_stopped = error instanceof SendError && error.address_stopped;
      return { outcome, reason: reasonOf(error, failure), address_stopped };
    }
  }

  /** Any error other than SendError is our bug, or a temporary one of PostgreSQL: keep the message. */
  private failureOf(error: unknown, { channel, tenant_id, bundle_id }: ClaimedMessage): FailedSend {
    if (error instanceof SendError) return error;
    this.logger.error({ event: 'sender_failed', channel, tenant_id, bundle_id, err: error });
    return { failure: 'retryable', message: error instanceof Error ? error.message : String(error) };
  }

  private measureDelivery({ channel, due_since }: ClaimedMessage): void {
    const seconds = Math.max(0, this.clock.now().getTime() - due_since.getTime()) / 1_000;
    this.metrics.observe('vigie_delivery_duration_seconds', { channel }, seconds);
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

/** The outcome of an attempt, with its reason if it failed. */
interface Attempt {
  outcome: Outcome;
  reason: LoggedReason | null;
  /** The provider refuses this address for good. */
  address_stopped: boolean;
}

/** Why an attempt failed, for the log: without the server's text, which may quote an address or the message. */
interface LoggedReason {
  failure: SendFailure;
  cause: ChannelFault | null;
  code: string | null;
}

function reasonOf(error: unknown, { failure }: FailedSend): LoggedReason {
  if (!(error instanceof SendError)) return { failure, cause: null, code: null };
  return { failure, cause: error.cause ?? null, code: error.code };
}

/** A channel that is down has its own log line; any other failed attempt is a warning. */
function levelOf(outcome: Outcome): 'log' | 'warn' {
  return 'channel_down' in outcome ? 'log' : 'warn';
}

/** The outcome of an attempt, for the metrics. */
function sendOutcome(outcome: Outcome, recorded: boolean): string {
  if (!recorded) return 'lost';
  if ('channel_down' in outcome) return 'channel_down';
  const { state } = outcome;
  return state === 'pending' ? 'retry' : state;
}
