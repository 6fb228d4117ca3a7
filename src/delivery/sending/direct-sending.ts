import { Inject, Injectable, Logger } from '@nestjs/common';
import type { DeliveryJob } from '../../contracts/jobs.js';
import { type Channel, PEOPLE_CHANNELS } from '../../contracts/channels.js';
import { Clock } from '../../platform/clock/clock.js';
import { withTimeout } from '../../platform/clock/timeout.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { SystemDatabase } from '../../platform/database/database.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { Tracing } from '../../platform/tracing/tracing.js';
import { DRAIN_DEADLINE_MS } from '../../platform/queues/workers.js';
import { Admission, type Message } from '../dispatch/admission.js';
import { Deferring, type OverLimit } from '../dispatch/deferring.js';
import { type Limits, limitsOf, MINUTE_REASON } from '../dispatch/limits.js';
import { MinuteLimit } from '../dispatch/minute-limit.js';
import { limitReached, type ReachedLimit } from './limit-reached.js';
import { activeChannels, CHANNEL_TRAITS } from '../channels/channels.js';
import { decide } from '../dispatch/decision.js';
import { DeliverySending } from './delivery-sending.js';

/** How much of a limit is used; 0 means no limit, and nothing is counted. */
export interface Quota {
  limit: number;
  used: number;
  left: number | null;
}

/** Of the caller, or of all messages of their tenant. */
export type QuotaSpan = 'hour' | 'day' | 'tenant_hour' | 'tenant_day';

/** A request waits this long for the outcome; then sending continues in the background. */
const ANSWER_AFTER_MS = 30_000;

/**
 * Sends past the queue, in the process that got the request: with the same decisions, leases and outcomes as the
 * dispatcher and its workers. Deliveries that must wait stay `pending` for the dispatcher; so do those of a killed
 * process, once its lease expires.
 */
@Injectable()
export class DirectSending {
  private readonly logger = new Logger('Direct');
  private readonly underWay = new Set<Promise<unknown>>();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Clock) private readonly clock: Clock,
    private readonly system: SystemDatabase,
    private readonly admission: Admission,
    private readonly deferring: Deferring,
    private readonly minute: MinuteLimit,
    private readonly sending: DeliverySending,
    private readonly tracing: Tracing,
  ) {}

  /**
   * Admits those of these deliveries that may leave now, in the transaction that creates them, so that a refusal leaves
   * nothing behind. Defers those that hours or a recipient's limit forbid; on a channel that is paused, down or
   * switched off all of them wait. Exact with other processes and the dispatcher; critical ones pass.
   * @param by who sends, for the limits of callers; null for Vigie itself, which has none.
   * @returns the jobs for `send` after the commit.
   * @throws Problem limit_reached if the caller, their tenant, or the channel for this minute is over its limit.
   */
  async admit(
    tx: TenantTransaction,
    channel: Channel,
    ids: readonly string[],
    by: string | null,
  ): Promise<DeliveryJob[]> {
    const about = { 'vigie.channel': channel, 'vigie.tenant_id': tx.tenant_id };
    return this.tracing.span('admission', about, async (note) => {
      const jobs = await this.decide(tx, channel, ids, by);
      note({ 'vigie.admitted': jobs.length });
      return jobs;
    });
  }

  private async decide(
    tx: TenantTransaction,
    channel: Channel,
    ids: readonly string[],
    by: string | null,
  ): Promise<DeliveryJob[]> {
    if (ids.length === 0 || !activeChannels(this.config).includes(channel)) return [];
    if (await this.isClosed(channel)) return [];
    // Before reading hours and limits: a change of them waits, and then decides again on the messages deferred here
    // (H8).
    await this.admission.lockDeferrals(tx);
    await this.admission.lockChannel(tx, channel, this.minute.limitOf(channel) > 0);
    const now = this.clock.now();
    const candidates = await this.admission.named(tx, channel, now, ids, limitsOf(this.config));
    const messages = candidates.map((lead) => ({ lead, ids: [lead.id] }));
    const { chosen, deferrals, over } = decide(messages, now, this.logger, CHANNEL_TRAITS[channel].holds);
    const counted = chosen.filter(({ lead }) => !lead.critical);
    await this.refuseOverTenantLimit(tx, channel, over, counted.length, now);
    await this.refuseOverMinute(channel, counted.length, now);
    if (by !== null) await this.refuseOverCallersLimit(tx, channel, counted, by, now);
    const jobs = await this.admission.admit(tx, chosen, now, by);
    await this.deferring.defer(tx, deferrals, now);
    await this.deferring.deferOverLimit(tx, channel, over, now);
    return jobs;
  }

  /**
   * Sends admitted messages. Resolves when every outcome is committed, or after 30 s: a reader then finds `sending`,
   * and later the outcome.
   */
  async send(jobs: readonly DeliveryJob[]): Promise<void> {
    if (jobs.length === 0) return;
    const sent = Promise.all(jobs.map((job) => this.deliver(job)));
    this.underWay.add(sent);
    void sent.finally(() => this.underWay.delete(sent));
    // Each has logged its own failure: only the time-out is left.
    await withTimeout(sent, ANSWER_AFTER_MS, 'still sending').catch(() => undefined);
  }

  /** Waits for running sends, even after their requests were answered. */
  async drain(): Promise<void> {
    await withTimeout(Promise.all(this.underWay), DRAIN_DEADLINE_MS, 'still sending').catch(() => {
      this.logger.warn({ event: 'drain_deadline_passed', running: this.underWay.size });
    });
  }

  /** How much a caller and their tenant may still send, by channel. Counts only up to the limits, to bound the cost. */
  async quotas(tx: TenantTransaction, by: string): Promise<Record<string, Record<QuotaSpan, Quota>>> {
    const limits = limitsOf(this.config);
    const rows = await tx.query<{ channel: string; span: QuotaSpan; most: number; used: number }>(QUOTAS, [
      tx.tenant_id,
      by,
      PEOPLE_CHANNELS,
      this.clock.now(),
      limits.per_user_per_hour,
      limits.per_user_per_day,
      limits.per_tenant_per_hour,
      limits.per_tenant_per_day,
    ]);
    const none = { limit: 0, used: 0, left: null };
    const quotas: Record<string, Record<QuotaSpan, Quota>> = {};
    for (const { channel, span, most, used } of rows) {
      quotas[channel] ??= { hour: none, day: none, tenant_hour: none, tenant_day: none };
      quotas[channel][span] = { limit: most, used, left: most === 0 ? null : most - used };
    }
    return quotas;
  }

  /** Leaves a failure to the lease: the message must be sent, whatever happens to this request. */
  private async deliver(job: DeliveryJob): Promise<void> {
    try {
      await this.sending.deliver(job);
    } catch (error) {
      this.logger.error({ event: 'direct_send_failed', bundle_id: job.bundle_id, err: error });
    }
  }

  private async isClosed(channel: Channel): Promise<boolean> {
    const [row] = await this.system.query<{ closed: boolean }>(
      `SELECT paused OR down_since IS NOT NULL AS closed FROM channels WHERE channel = $1`,
      [channel],
    );
    return row?.closed ?? false;
  }

  private async refuseOverMinute(channel: Channel, wanted: number, now: Date): Promise<void> {
    if (wanted === 0 || this.minute.limitOf(channel) === 0) return;
    const { limit, left, opens_at } = await this.minute.current(channel, wanted);
    if (wanted > left) {
      throw limitReached({ reason: MINUTE_REASON, channel, limit, left, wanted, opens_at, now });
    }
  }

  /** A message to several recipients is sent as a whole, or not at all. */
  private async refuseOverTenantLimit(
    tx: TenantTransaction,
    channel: Channel,
    over: readonly OverLimit[],
    within: number,
    now: Date,
  ): Promise<void> {
    const ofTenant = over.filter(({ reason }) => reason.startsWith('limit_per_tenant'));
    const [first] = ofTenant;
    if (first === undefined) return;
    const { lead } = first.message;
    const daily = first.reason === 'limit_per_tenant_per_day';
    const limit = daily ? lead.per_tenant_per_day : lead.per_tenant_per_hour;
    const wanted = within + ofTenant.length;
    const left = Math.max(limit - (daily ? lead.tenant_used_day : lead.tenant_used_hour), 0);
    const span = daily ? '1 day' : '1 hour';
    const full = await tx.one<{ opens_at: Date }>(
      `SELECT admitted_at + $4::interval AS opens_at FROM deliveries
       WHERE tenant_id = $1 AND channel = $2 AND leads AND admitted_at > $3::timestamptz - $4::interval
       ORDER BY admitted_at DESC OFFSET $5 LIMIT 1`,
      [tx.tenant_id, channel, now, span, Math.max(limit - wanted, 0)],
    );
    const opens_at = full?.opens_at ?? null;
    throw limitReached({ reason: first.reason, channel, limit, left, wanted, opens_at, now });
  }

  /** Calls of one tenant are serialized (`lockChannel`): nothing else counts at the same time. */
  private async refuseOverCallersLimit(
    tx: TenantTransaction,
    channel: Channel,
    counted: readonly Message[],
    by: string,
    now: Date,
  ): Promise<void> {
    const [first] = counted;
    if (first === undefined) return;
    const wanted = counted.length;
    for (const { limit, span, reason } of windowsOf(first.lead)) {
      if (limit === 0) continue;
      const row = await tx.one<{ used: number; opens_at: Date | null }>(
        `WITH recent AS MATERIALIZED (
           SELECT admitted_at FROM deliveries
           WHERE tenant_id = $1 AND direct_by = $2 AND channel = $3 AND admitted_at > $4::timestamptz - $5::interval
           ORDER BY admitted_at DESC LIMIT $6)
         SELECT (SELECT count(*) FROM recent) AS used,
                (SELECT admitted_at + $5::interval FROM recent ORDER BY admitted_at DESC OFFSET $7 LIMIT 1) AS opens_at`,
        [tx.tenant_id, by, channel, now, span, limit, Math.max(limit - wanted, 0)],
      );
      const left = limit - (row?.used ?? 0);
      if (wanted > left) {
        const opens_at = row?.opens_at ?? null;
        throw limitReached({ reason, channel, limit, left, wanted, opens_at, now, caller: true });
      }
    }
  }
}

type Window = Pick<ReachedLimit, 'limit' | 'reason'> & { span: string };

function windowsOf({ per_user_per_hour, per_user_per_day }: Limits): Window[] {
  return [
    { limit: per_user_per_hour, span: '1 hour', reason: 'limit_per_user_per_hour' },
    { limit: per_user_per_day, span: '1 day', reason: 'limit_per_user_per_day' },
  ];
}

// $1 tenant id, $2 caller, $3 channels, $4 now, $5 to $8 the installation's limits per user and tenant, hour and day
const QUOTAS = `
  SELECT c.name AS channel, w.span, w.most, CASE WHEN w.own
    THEN (SELECT count(*) FROM (
      SELECT FROM deliveries d
      WHERE d.tenant_id = $1 AND d.direct_by = $2 AND d.channel = c.name
        AND d.admitted_at > $4::timestamptz - w.long
      LIMIT w.most) recent)
    ELSE (SELECT count(*) FROM (
      SELECT FROM deliveries d
      WHERE d.channel = c.name AND d.tenant_id = $1 AND d.leads AND d.admitted_at > $4::timestamptz - w.long
      LIMIT w.most) recent) END AS used
  FROM unnest($3::text[]) AS c (name)
  CROSS JOIN (SELECT settings -> 'limits' AS limits, limit_per_hour, limit_per_day FROM tenants WHERE id = $1) t
  CROSS JOIN LATERAL (VALUES
    ('hour', interval '1 hour', coalesce((t.limits ->> 'per_user_per_hour')::integer, $5), true),
    ('day', interval '1 day', coalesce((t.limits ->> 'per_user_per_day')::integer, $6), true),
    ('tenant_hour', interval '1 hour', coalesce(t.limit_per_hour, $7::integer), false),
    ('tenant_day', interval '1 day', coalesce(t.limit_per_day, $8::integer), false)) w (span, long, most, own)`;
