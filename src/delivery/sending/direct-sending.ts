import { Inject, Injectable, Logger } from '@nestjs/common';
import type { DeliveryJob } from '../../contracts/jobs.js';
import { type Channel, CHANNELS } from '../../contracts/channels.js';
import { Clock } from '../../platform/clock/clock.js';
import { withTimeout } from '../../platform/clock/timeout.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { SystemDatabase } from '../../platform/database/database.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { Problem } from '../../platform/errors/problem.js';
import { DRAIN_DEADLINE_MS } from '../../platform/queues/workers.js';
import { Admission, type Limits, type Message } from '../dispatch/admission.js';
import { activeChannels } from '../channels/channels.js';
import { decide } from '../dispatch/decision.js';
import { DeliverySending } from './delivery-sending.js';

/** How much of a limit is used; 0 means no limit, and nothing is counted. */
export interface Quota {
  limit: number;
  used: number;
  left: number | null;
}

/** A request waits this long for the outcome; then sending continues in the background. */
const ANSWER_AFTER_MS = 30_000;
const MINUTE_MS = 60_000;

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
    private readonly sending: DeliverySending,
  ) {}

  /**
   * Admits those of these deliveries that may leave now, in the transaction that creates them, so that a refusal leaves
   * nothing behind. Defers those that hours or a recipient's limit forbid; on a channel that is paused, down or
   * switched off all of them wait.
   * @param by who sends, for the limits of callers; null for Vigie itself, which has none.
   * @returns the jobs for `send` after the commit.
   * @throws Problem limit_reached if the caller, or the installation for this minute, is over its limit.
   */
  async admit(
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
    const now = this.clock.now();
    const candidates = await this.admission.named(tx, channel, now, ids, {
      per_user_per_hour: this.config.limitPerUserHour,
      per_user_per_day: this.config.limitPerUserDay,
    });
    const messages = candidates.map((lead) => ({ lead, ids: [lead.id] }));
    const { chosen, deferrals, over } = decide(messages, now, this.logger);
    await this.refuseOverMinute(tx, channel, chosen.length, now);
    if (by !== null) await this.refuseOverCallersLimit(tx, channel, chosen, by, now);
    const jobs = await this.admission.admit(tx, chosen, now, by);
    await this.admission.defer(tx, deferrals, now);
    await this.admission.deferOverLimit(tx, channel, over, now);
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

  /** How much a caller may still send, by channel. Counts only up to the limits, to bound the cost. */
  async quotas(tx: TenantTransaction, by: string): Promise<Record<string, Record<'hour' | 'day', Quota>>> {
    const rows = await tx.query<{ channel: string; span: 'hour' | 'day'; most: number; used: number }>(
      `SELECT c.name AS channel, w.span, w.most, u.used
       FROM unnest($3::text[]) AS c (name)
       CROSS JOIN (SELECT settings -> 'limits' AS limits FROM tenants WHERE id = $1) t
       CROSS JOIN LATERAL (VALUES
         ('hour', interval '1 hour', coalesce((t.limits ->> 'per_user_per_hour')::integer, $5)),
         ('day', interval '1 day', coalesce((t.limits ->> 'per_user_per_day')::integer, $6))) w (span, long, most)
       CROSS JOIN LATERAL (SELECT count(*) AS used FROM (
         SELECT FROM deliveries d
         WHERE d.tenant_id = $1 AND d.direct_by = $2 AND d.channel = c.name
           AND d.admitted_at > $4::timestamptz - w.long
         LIMIT w.most) recent) u`,
      [
        tx.tenant_id,
        by,
        CHANNELS,
        this.clock.now(),
        this.config.limitPerUserHour,
        this.config.limitPerUserDay,
      ],
    );
    const quotas: Record<string, Record<'hour' | 'day', Quota>> = {};
    for (const { channel, span, most, used } of rows) {
      const none = { limit: 0, used: 0, left: null };
      quotas[channel] ??= { hour: none, day: none };
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

  /** Serializes the counts of dispatcher rounds and direct calls, so that together they keep the limit (H8). */
  private async refuseOverMinute(
    tx: TenantTransaction,
    channel: Channel,
    wanted: number,
    now: Date,
  ): Promise<void> {
    const limit = this.config.limitPerMinute;
    if (limit === 0 || wanted === 0) return;
    await this.admission.lockMinute(tx, channel);
    const used = await this.system.transaction((across) =>
      this.admission.admittedLastMinute(across, channel, now),
    );
    if (used + wanted > limit) throw limitReached(`at most ${limit} per minute in total`, MINUTE_MS);
  }

  private async refuseOverCallersLimit(
    tx: TenantTransaction,
    channel: Channel,
    chosen: readonly Message[],
    by: string,
    now: Date,
  ): Promise<void> {
    const [first, ...others] = chosen.map(({ lead }) => lead).filter(({ critical }) => !critical);
    if (first === undefined) return;
    await tx.lock(`direct:${tx.tenant_id}:${by}`);
    const wanted = others.length + 1;
    for (const { most, span } of windowsOf(first)) {
      if (most === 0) continue;
      const full = await tx.one<{ opens_at: Date }>(
        `SELECT admitted_at + $5::interval AS opens_at FROM deliveries
         WHERE tenant_id = $1 AND direct_by = $2 AND channel = $3 AND admitted_at > $4::timestamptz - $5::interval
         ORDER BY admitted_at DESC OFFSET $6 LIMIT 1`,
        [tx.tenant_id, by, channel, now, span, Math.max(most - wanted, 0)],
      );
      const detail = `at most ${most} with send_now in ${span}`;
      if (full !== null) throw limitReached(detail, full.opens_at.getTime() - now.getTime());
      if (wanted > most) throw limitReached(detail, null);
    }
  }
}

function windowsOf({ per_user_per_hour, per_user_per_day }: Limits): { most: number; span: string }[] {
  return [
    { most: per_user_per_hour, span: '1 hour' },
    { most: per_user_per_day, span: '1 day' },
  ];
}

function limitReached(detail: string, waitMs: number | null): Problem {
  const headers: Record<string, string> =
    waitMs === null ? {} : { 'retry-after': String(Math.max(1, Math.ceil(waitMs / 1_000))) };
  return new Problem('limit_reached', detail, { headers });
}
