import { Inject, Injectable } from '@nestjs/common';
import type { DeliveryJob } from '../../contracts/jobs.js';
import { Clock } from '../../platform/clock/clock.js';
import { SystemDatabase } from '../../platform/database/database.js';
import { CHANNEL_TRAITS } from '../channels/channels.js';
import type { ClaimedDelivery } from '../channels/sender.js';
import { MicroBatch } from '../../platform/database/micro-batch.js';
import { prepared } from '../../platform/database/transaction.js';
import type { Outcome } from './outcome.js';

/** How long a claimed delivery is its worker's without renewal, in seconds. */
export const SENDING_LEASE_SECONDS = 15;

interface RecordedOutcome {
  job: DeliveryJob;
  outcome: Outcome;
}

/**
 * The statements of a delivery's lease, across tenants and in batches: claim, renew, record. Each one matches
 * id, token and state, so whoever has lost the lease writes nothing.
 */
@Injectable()
export class Leases {
  private readonly claims = new MicroBatch((jobs: DeliveryJob[]) => this.claimAll(jobs));
  private readonly outcomes = new MicroBatch((outcomes: RecordedOutcome[]) => this.recordAll(outcomes));

  constructor(
    private readonly database: SystemDatabase,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * `queued` → `sending`; false when it is no longer this job's, its tenant is suspended, or the fact that it
   * tells of has gone meanwhile (then it ends as suppressed).
   */
  async claim(job: DeliveryJob): Promise<ClaimedDelivery | false> {
    return this.claims.add(job);
  }

  /** `sending` → its outcome; false when the lease was lost: somebody else decides. */
  async record(job: DeliveryJob, outcome: Outcome): Promise<boolean> {
    return this.outcomes.add({ job, outcome });
  }

  /** Prolongs leases in one statement; the tokens that are still held. */
  async renew(jobs: readonly DeliveryJob[]): Promise<Set<string>> {
    const held = await this.database.query<{ lease_token: string }>(
      `UPDATE deliveries d SET lease_until = now() + make_interval(secs => $4)
       FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS l (tenant_id, id, lease_token)
       WHERE d.tenant_id = l.tenant_id AND d.id = l.id AND d.lease_token = l.lease_token AND d.state = 'sending'
       RETURNING d.lease_token`,
      [...columns(jobs), SENDING_LEASE_SECONDS],
    );
    return new Set(held.map(({ lease_token }) => lease_token));
  }

  /**
   * Takes back what ran out. `queued`: never begun, so pending again with nothing counted. `sending`: may have
   * been accepted, so repeated as often as its channel allows, then `unknown` for a person to decide.
   * @returns how many of each there were; at most 500 a call.
   */
  async reap(maxAttempts: number): Promise<{ requeued: number; ambiguous: number }> {
    const rows = await this.database.query<{ was: string }>(
      `WITH expired AS (
         SELECT tenant_id, id, state AS was FROM deliveries
         WHERE state IN ('queued', 'sending') AND lease_until < now()
         ORDER BY lease_until LIMIT 500 FOR UPDATE SKIP LOCKED
       ),
       repeats (channel, most) AS (SELECT * FROM unnest($1::text[], $2::integer[])),
       decided AS (
         SELECT e.*, e.was = 'sending' AND (d.ambiguities >= r.most OR d.attempts >= $3) AS ends
         FROM expired e JOIN deliveries d USING (tenant_id, id) JOIN repeats r USING (channel)
       )
       UPDATE deliveries d
       SET state = CASE WHEN e.ends THEN 'unknown' ELSE 'pending' END,
           ambiguities = d.ambiguities + (e.was = 'sending')::integer,
           error = CASE WHEN e.was = 'sending' THEN 'the sending process was lost' ELSE d.error END,
           -- What was never begun has used nothing of anyone's limit. due_at stays: it keeps its place.
           admitted_at = CASE WHEN d.attempts > 0 THEN d.admitted_at END,
           ended_at = CASE WHEN e.ends THEN $4::timestamptz END,
           lease_token = NULL, lease_until = NULL
       FROM decided e
       WHERE d.tenant_id = e.tenant_id AND d.id = e.id
       RETURNING e.was`,
      [
        Object.keys(CHANNEL_TRAITS),
        Object.values(CHANNEL_TRAITS).map(({ ambiguous_repeats }) => ambiguous_repeats),
        maxAttempts,
        this.clock.now(),
      ],
    );
    const requeued = rows.filter(({ was }) => was === 'queued').length;
    return { requeued, ambiguous: rows.length - requeued };
  }

  private async claimAll(jobs: DeliveryJob[]): Promise<(ClaimedDelivery | false)[]> {
    const rows = await this.database.query<ClaimedDelivery>(
      prepared(`WITH claimed AS (
         UPDATE deliveries d
         SET state = CASE WHEN gone THEN 'suppressed' ELSE 'sending' END,
             reason = CASE WHEN gone THEN 'fact_gone' END,
             attempts = d.attempts + (NOT gone)::integer,
             lease_token = CASE WHEN NOT gone THEN d.lease_token END,
             lease_until = CASE WHEN NOT gone THEN now() + make_interval(secs => $4) END,
             ended_at = CASE WHEN gone THEN $5::timestamptz END
         FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS l (tenant_id, id, lease_token)
         JOIN tenants t ON t.id = l.tenant_id AND t.suspended_at IS NULL
         JOIN deliveries o ON o.tenant_id = l.tenant_id AND o.id = l.id
         JOIN notifications n ON n.tenant_id = o.tenant_id AND n.id = o.notification_id
         LEFT JOIN alerts a ON a.tenant_id = n.tenant_id AND a.id = n.alert_id
         CROSS JOIN LATERAL (SELECT a.gone_at IS NOT NULL AS gone) g
         WHERE d.tenant_id = l.tenant_id AND d.id = l.id AND d.lease_token = l.lease_token
           AND d.state = 'queued'
         RETURNING d.*
       )
       SELECT c.tenant_id, c.id, c.lease_token, c.channel, c.address, c.attempts, c.ambiguities,
              n.kind, n.severity, n.data, n.audience, n.created_at, author.name AS author_name,
              t.name AS tenant_name, t.slug AS tenant_slug, t.time_zone, u.name AS recipient_name,
              coalesce(u.locale, t.locale) AS locale
       FROM claimed c
       JOIN notifications n ON n.tenant_id = c.tenant_id AND n.id = c.notification_id
       JOIN tenants t ON t.id = c.tenant_id
       LEFT JOIN users u ON u.tenant_id = n.tenant_id AND u.id = n.user_id
       LEFT JOIN users author ON author.tenant_id = n.tenant_id
                             AND author.id = CASE WHEN n.created_by LIKE 'user:%' THEN substr(n.created_by, 6)::uuid END
       WHERE c.state = 'sending'`),
      [...columns(jobs), SENDING_LEASE_SECONDS, this.clock.now()],
    );
    const byToken = new Map(rows.map((row) => [row.lease_token, row]));
    return jobs.map(({ lease_token }) => {
      const row = byToken.get(lease_token) ?? false;
      // Whoever asks twice in one batch gets it once.
      byToken.delete(lease_token);
      return row;
    });
  }

  private async recordAll(outcomes: RecordedOutcome[]): Promise<boolean[]> {
    const recorded = await this.database.query<{ lease_token: string }>(
      prepared(`UPDATE deliveries d
       SET state = o.state, error = o.error, provider_id = coalesce(o.provider_id, d.provider_id),
           ambiguities = d.ambiguities + o.ambiguous::integer,
           due_at = CASE WHEN o.state = 'pending' THEN o.due_at ELSE d.due_at END,
           defer_reason = CASE WHEN o.state = 'pending' THEN 'retry' END,
           sent_at = CASE WHEN o.state = 'sent' THEN $9::timestamptz END,
           ended_at = CASE WHEN o.state <> 'pending' THEN $9::timestamptz END,
           lease_token = NULL, lease_until = NULL
       FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::boolean[],
                   $8::timestamptz[])
         AS o (tenant_id, id, lease_token, state, error, provider_id, ambiguous, due_at)
       WHERE d.tenant_id = o.tenant_id AND d.id = o.id AND d.lease_token = o.lease_token
         AND d.state = 'sending'
       RETURNING o.lease_token`),
      [...columns(outcomes.map(({ job }) => job)), ...this.outcomeColumns(outcomes), this.clock.now()],
    );
    const tokens = new Set(recorded.map(({ lease_token }) => lease_token));
    return outcomes.map(({ job }) => tokens.has(job.lease_token));
  }

  private outcomeColumns(outcomes: readonly RecordedOutcome[]) {
    const now = this.clock.now();
    const all = outcomes.map(({ outcome }) => outcome);
    return [
      all.map(({ state }) => state),
      all.map((outcome) => ('error' in outcome ? outcome.error : null)),
      all.map((outcome) => ('provider_id' in outcome ? outcome.provider_id : null)),
      all.map((outcome) => 'ambiguous' in outcome && outcome.ambiguous),
      all.map((outcome) => ('delay_ms' in outcome ? new Date(now.getTime() + outcome.delay_ms) : now)),
    ];
  }
}

function columns(jobs: readonly DeliveryJob[]): [string[], string[], string[]] {
  return [
    jobs.map(({ tenant_id }) => tenant_id),
    jobs.map(({ delivery_id }) => delivery_id),
    jobs.map(({ lease_token }) => lease_token),
  ];
}
