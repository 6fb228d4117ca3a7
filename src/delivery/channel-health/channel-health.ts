import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Inject, Injectable, Logger } from '@nestjs/common';
import type { Channel } from '../../contracts/channels.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { SystemDatabase } from '../../platform/database/database.js';
import { prepared, type SystemTransaction } from '../../platform/database/transaction.js';
import { WakeUps } from '../../platform/queues/wake-ups.js';
import { type ChannelFault, SendError, SENDERS, type Senders } from '../channels/sender.js';
import { secondsSince } from '../../platform/metrics/metrics.js';
import { REQUEUE_DOWN } from '../transitions/acts.sql.js';
import { EXPIRE } from '../transitions/expiry.sql.js';
import { CLAIM_PROBE, FAILED, GATE, PAUSED, PROBE_NOW, STATES, WORKED } from './channel-health.sql.js';

/** How many messages a round of the dispatcher may admit. */
export interface Gate {
  /** `one`: a single message probes a channel that is down, or one without a recent success. */
  room: 'all' | 'one' | 'none';
  /** The admitted message is the probe of a channel that is down. */
  probe: boolean;
  /** When to check again, in ms; null: at the next kick or interval. */
  wait_ms: number | null;
}

/** A channel as operators see it. */
export interface ChannelState {
  state: 'up' | 'down';
  cause: ChannelFault | null;
  /** The server's reply, without addresses. */
  detail: string | null;
  since: Date | null;
  /** Null while it is up, and while a probe is running. */
  next_probe_at: Date | null;
}

/** How long a success proves that the login works, so that several connections may be opened at once. */
const PROVEN_SECONDS = 30;
/** A success within this time is not written again. */
const NOTED_SECONDS = 5;
/** Coalesce successes within this time into one statement. */
const NOTE_AFTER_MS = 100;
/** A channel that was up for a shorter time is flapping: its interval keeps growing. */
const STEADY_SECONDS = 60;
/** After this time the process of a connection test counts as killed; a sender's own limits are shorter. */
const VERIFY_LEASE_SECONDS = 400;
/** Consecutive messages whose failure may be their own fault, before the channel counts as down. */
const MAX_SUSPECTS = 3;
/** A provider may ask to be left alone for a day at most. */
const MAX_RETRY_AFTER_MS = 24 * 3_600_000;
const EXPIRE_INTERVAL_MS = 60_000;
const MAX_EXPIRED = 500;
const MAX_DETAIL = 500;

/**
 * Whether each channel works, shared by all processes. Senders report their results; the dispatcher checks before it
 * admits. While a channel is down, one probe at a time tests it, and nothing else is sent.
 */
@Injectable()
export class ChannelHealth implements BeforeApplicationShutdown {
  private readonly logger = new Logger('Channels');
  private readonly suspects = new Map<Channel, number>();
  private readonly noting = new Map<Channel, Promise<void>>();
  /** When the latest successful send began (monotonic clock). */
  private readonly succeeded = new Map<Channel, number>();
  private readonly expiredAt = new Map<Channel, number>();
  private readonly probes = new Set<Promise<void>>();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Clock) private readonly clock: Clock,
    private readonly database: SystemDatabase,
    private readonly wakeUps: WakeUps,
    @Inject(SENDERS) private readonly senders: Senders,
  ) {}

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.allSettled([...this.noting.values(), ...this.probes]);
  }

  /** In a round's transaction, which has locked the channel's row. */
  async gate(tx: SystemTransaction, channel: Channel): Promise<Gate> {
    const row = await tx.one<{ down: boolean; proven: boolean; probing: boolean; wait_ms: number | null }>(
      prepared(GATE),
      [channel, PROVEN_SECONDS],
    );
    if (row === null) return { room: 'none', probe: false, wait_ms: null };
    if (!row.down) return { room: row.proven ? 'all' : 'one', probe: false, wait_ms: null };
    if (row.probing) return { room: 'none', probe: false, wait_ms: null };
    const wait_ms = row.wait_ms ?? 0;
    return wait_ms > 0
      ? { room: 'none', probe: false, wait_ms }
      : { room: 'one', probe: true, wait_ms: null };
  }

  /** In the same transaction: the message with this token is the probe. */
  async probeBy(tx: SystemTransaction, channel: Channel, token: string): Promise<void> {
    await tx.execute(CLAIM_PROBE, [channel, token, true, VERIFY_LEASE_SECONDS]);
  }

  /**
   * In the same transaction: nothing is due, so the probe is a connection test.
   * @returns starts the test; call it after the commit.
   */
  async probeByTest(tx: SystemTransaction, channel: Channel): Promise<() => void> {
    const token = randomUUID();
    await tx.execute(CLAIM_PROBE, [channel, token, false, VERIFY_LEASE_SECONDS]);
    return () => {
      const probe = this.test(channel, token);
      this.probes.add(probe);
      void probe.finally(() => this.probes.delete(probe));
    };
  }

  /**
   * A message was accepted. Writes soon, once for many messages.
   * @param began when its send began, by `performance.now()`: a channel that went down later stays down
   */
  worked(channel: Channel, began: number): void {
    this.suspects.set(channel, 0);
    this.succeeded.set(channel, Math.max(began, this.succeeded.get(channel) ?? 0));
    if (this.noting.has(channel)) return;
    const noted = delay(NOTE_AFTER_MS).then(() => {
      this.noting.delete(channel);
      return this.noteSuccess(channel, this.succeeded.get(channel) ?? began);
    });
    this.noting.set(channel, noted);
  }

  /**
   * A message or a connection test found the channel broken. Resolves when all processes know; never throws.
   * @param token the lease token of the message
   */
  async failed(channel: Channel, error: SendError, token: string): Promise<void> {
    const suspects = error.with_message ? (this.suspects.get(channel) ?? 0) + 1 : MAX_SUSPECTS;
    this.suspects.set(channel, suspects);
    const cause = error.cause ?? 'unreachable';
    const detail = withoutAddresses(error.message).slice(0, MAX_DETAIL);
    try {
      const [row] = await this.database.query<{ went_down: boolean; next_probe_at: Date }>(FAILED, [
        channel,
        cause,
        detail,
        token,
        suspects >= MAX_SUSPECTS,
        this.config.channelProbeSeconds * 1_000,
        this.config.channelProbeMaxSeconds * 1_000,
        STEADY_SECONDS,
        error.retry_after_ms === undefined ? null : Math.min(error.retry_after_ms, MAX_RETRY_AFTER_MS),
      ]);
      if (row === undefined) return;
      const about = { channel, cause, detail, next_probe_at: row.next_probe_at };
      if (!row.went_down) this.logger.log({ event: 'channel_probe_failed', ...about });
      else {
        this.logger.error({ event: 'channel_down', ...about });
        await this.database.query(REQUEUE_DOWN, [channel, this.clock.now()]);
      }
      this.wakeUps.send('dispatch.kick', { channel });
    } catch (failure) {
      this.logger.warn({ event: 'channel_state_not_written', channel, cause, err: failure });
    }
  }

  /** Requests a probe, but not sooner than a moment after the last one. */
  async probeNow(channel: Channel): Promise<void> {
    await this.database.query(PROBE_NOW, [channel, this.config.channelProbeSeconds]);
  }

  async states(channels: readonly Channel[]): Promise<Map<string, ChannelState>> {
    const rows = await this.database.query<{
      channel: string;
      down_since: Date | null;
      down_cause: ChannelFault | null;
      down_detail: string | null;
      next_probe_at: Date | null;
    }>(STATES, [channels]);
    return new Map(
      rows.map(({ channel, down_since, down_cause, down_detail, next_probe_at }) => [
        channel,
        {
          state: down_since === null ? 'up' : 'down',
          cause: down_cause,
          detail: down_detail,
          since: down_since,
          next_probe_at,
        },
      ]),
    );
  }

  /** The channels among these that an operator has paused. */
  async paused(channels: readonly Channel[]): Promise<ReadonlySet<string>> {
    const rows = await this.database.query<{ channel: string }>(PAUSED, [channels]);
    return new Set(rows.map(({ channel }) => channel));
  }

  /** Expires deliveries that have waited too long for a channel that is down. Checks once a minute. */
  async expire(channel: Channel): Promise<void> {
    if (performance.now() - (this.expiredAt.get(channel) ?? -Infinity) < EXPIRE_INTERVAL_MS) return;
    const now = this.clock.now();
    const before = new Date(now.getTime() - this.config.deliveryMaxAgeHours * 3_600_000);
    const expired = (await this.database.query(EXPIRE, [channel, before, now, MAX_EXPIRED])).length;
    if (expired > 0) this.logger.error({ event: 'deliveries_expired', channel, deliveries: expired });
    // After a full batch there may be more.
    if (expired < MAX_EXPIRED) this.expiredAt.set(channel, performance.now());
  }

  private async noteSuccess(channel: Channel, began: number): Promise<void> {
    try {
      const [row] = await this.database.query<{
        was_down_by: string | null;
        was_down_seconds: number | null;
      }>(prepared(WORKED), [channel, NOTED_SECONDS, secondsSince(began)]);
      if (row === undefined) return;
      if (row.was_down_seconds !== null) {
        const seconds = Math.round(row.was_down_seconds);
        this.logger.warn({ event: 'channel_up', channel, cause: row.was_down_by, down_seconds: seconds });
      }
      this.wakeUps.send('dispatch.kick', { channel });
    } catch (failure) {
      this.logger.warn({ event: 'channel_state_not_written', channel, err: failure });
    }
  }

  private async test(channel: Channel, token: string): Promise<void> {
    const began = performance.now();
    try {
      await this.senders.get(channel)?.verify();
      this.suspects.set(channel, 0);
      await this.noteSuccess(channel, began);
    } catch (error) {
      const fault =
        error instanceof SendError
          ? error
          : new SendError('channel', String(error), undefined, 'misconfigured');
      await this.failed(channel, fault, token);
    }
  }
}

/** Keeps people's addresses out of logs and states. */
export function withoutAddresses(text: string): string {
  return text.replace(/[^\s<>"]+@[^\s<>"]+/g, '…');
}
