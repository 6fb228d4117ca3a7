import { Inject, Injectable } from '@nestjs/common';
import type { ScheduledJob } from '../contracts/jobs.js';
import { Clock } from '../platform/clock/clock.js';
import { SystemDatabase } from '../platform/database/database.js';
import type { TenantTransaction } from '../platform/database/transaction.js';
import { RUN_LEASE_SECONDS, RUN_MAX_ATTEMPTS } from './run-handlers.js';
import type { OwedSlot, ScheduledTenant } from './owed-slots.js';
import type { RunState } from './scheduler.dto.js';

/** A run that this process has just given a lease, and has to enqueue. */
export interface QueuedRun {
  tenant_id: string;
  run_id: string;
  job: ScheduledJob;
  lease_token: string;
}

/** Which tenants a job is triggered for: those named, or every one that is not suspended. */
export type TenantSelection = { tenant_ids: readonly string[] } | 'all';

/**
 * The statements on `job_runs` that reach across tenants. What is due is told by the Clock; leases by the
 * database's own clock, which all processes share.
 */
@Injectable()
export class RunLedger {
  constructor(
    private readonly database: SystemDatabase,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** Up to `limit` tenants that are not suspended, with an id after `after` (null: from the first). */
  async tenantsAfter(after: string | null, limit: number): Promise<ScheduledTenant[]> {
    return this.database.query<ScheduledTenant>(
      `SELECT id, time_zone, settings::text AS settings, schedule_from FROM tenants
       WHERE suspended_at IS NULL AND ($1::uuid IS NULL OR id > $1) ORDER BY id LIMIT $2`,
      [after, limit],
    );
  }

  /**
   * Writes slots down; several processes may try at once, and the unique key lets each slot in once.
   * @returns the runs that are new, with a lease.
   */
  async insertOwed(owed: readonly OwedSlot[]): Promise<QueuedRun[]> {
    if (owed.length === 0) return [];
    // Always in the same order, so that two replicas wait for each other and never both at once. The tenant is
    // asked again: it may have been suspended, or moved its hours, since it was read.
    return this.database.query<QueuedRun>(
      `INSERT INTO job_runs (tenant_id, job, slot, state, due_at, lease_token, lease_until, created_at)
       SELECT o.tenant_id, o.job, o.slot, 'queued', o.due_at, gen_random_uuid(),
              now() + make_interval(secs => $6), $5
       FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) AS o (tenant_id, job, slot, due_at)
       JOIN tenants t ON t.id = o.tenant_id AND t.suspended_at IS NULL AND t.schedule_from <= o.due_at
       ORDER BY o.tenant_id, o.job, o.slot
       ON CONFLICT (tenant_id, job, slot) DO NOTHING
       RETURNING tenant_id, id AS run_id, job, lease_token`,
      [
        owed.map(({ tenant_id }) => tenant_id),
        owed.map(({ job }) => job),
        owed.map(({ slot }) => slot),
        owed.map(({ instant }) => instant),
        this.clock.now(),
        RUN_LEASE_SECONDS,
      ],
    );
  }

  /** A run by hand for each selected tenant that is not suspended. */
  async insertTriggered(job: ScheduledJob, tenants: TenantSelection, by: string): Promise<QueuedRun[]> {
    return this.database.query<QueuedRun>(
      `INSERT INTO job_runs (tenant_id, job, state, due_at, lease_token, lease_until, created_at, triggered_by)
       SELECT id, $1, 'queued', $2, gen_random_uuid(), now() + make_interval(secs => $3), $2, $4
       FROM tenants WHERE suspended_at IS NULL AND ($5::uuid[] IS NULL OR id = ANY ($5))
       ORDER BY id
       RETURNING tenant_id, id AS run_id, job, lease_token`,
      [job, this.clock.now(), RUN_LEASE_SECONDS, by, tenants === 'all' ? null : tenants.tenant_ids],
    );
  }

  /** A run by hand, in the caller's transaction. */
  async insertTriggeredIn(tx: TenantTransaction, job: ScheduledJob, by: string): Promise<QueuedRun> {
    const [run] = await tx.query<QueuedRun>(
      `INSERT INTO job_runs (tenant_id, job, state, due_at, lease_token, lease_until, created_at, triggered_by)
       VALUES ($1, $2, 'queued', $3, gen_random_uuid(), now() + make_interval(secs => $4), $3, $5)
       RETURNING tenant_id, id AS run_id, job, lease_token`,
      [tx.tenant_id, job, this.clock.now(), RUN_LEASE_SECONDS, by],
    );
    if (run === undefined) throw new Error('the run was not written');
    return run;
  }

  /**
   * Gives up to `limit` runs of these jobs that were lost in Redis or with their process a new lease; whoever still holds the
   * old one can no longer claim, renew or finish.
   */
  async recoverLost(limit: number, jobs: readonly ScheduledJob[]): Promise<QueuedRun[]> {
    return this.database.query<QueuedRun>(
      `WITH lost AS (
         SELECT tenant_id, id FROM job_runs
         WHERE state IN ('queued', 'running') AND lease_until < now()
           AND (state = 'queued' OR attempts < $2) AND job = ANY ($3)
         ORDER BY lease_until LIMIT $1
         FOR UPDATE SKIP LOCKED
       )
       UPDATE job_runs r
       SET state = 'queued', lease_token = gen_random_uuid(), lease_until = now() + make_interval(secs => $4)
       FROM lost WHERE r.tenant_id = lost.tenant_id AND r.id = lost.id
       RETURNING r.tenant_id, r.id AS run_id, r.job, r.lease_token`,
      [limit, RUN_MAX_ATTEMPTS, jobs, RUN_LEASE_SECONDS],
    );
  }

  /** Ends up to `limit` runs that took their process with them too often; `lease_token` is the one they had. */
  async quarantineLost(limit: number): Promise<QueuedRun[]> {
    return this.database.query<QueuedRun>(
      `WITH lost AS (
         SELECT tenant_id, id, lease_token FROM job_runs
         WHERE state = 'running' AND lease_until < now() AND attempts >= $2
         ORDER BY lease_until LIMIT $1
         FOR UPDATE SKIP LOCKED
       )
       UPDATE job_runs r
       SET state = 'failed', error = format('its process was lost %s times', r.attempts), finished_at = $3,
           lease_token = NULL, lease_until = NULL
       FROM lost WHERE r.tenant_id = lost.tenant_id AND r.id = lost.id
       RETURNING r.tenant_id, r.id AS run_id, r.job, lost.lease_token`,
      [limit, RUN_MAX_ATTEMPTS, this.clock.now()],
    );
  }

  /** Ends the leases of runs that Redis did not take, so that the reaper tries again at its next round. */
  async giveBack(runs: readonly QueuedRun[]): Promise<void> {
    await this.database.query(
      `UPDATE job_runs r SET lease_until = now()
       FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS q (tenant_id, id, lease_token)
       WHERE r.tenant_id = q.tenant_id AND r.id = q.id AND r.lease_token = q.lease_token AND r.state = 'queued'`,
      [
        runs.map(({ tenant_id }) => tenant_id),
        runs.map(({ run_id }) => run_id),
        runs.map(({ lease_token }) => lease_token),
      ],
    );
  }

  /** Notes that a scheduler has looked for what is owed. */
  async notePoll(): Promise<void> {
    await this.database.query(
      `INSERT INTO scheduler_polls (polled_at) VALUES ($1)
       ON CONFLICT (only_one) DO UPDATE SET polled_at = excluded.polled_at`,
      [this.clock.now()],
    );
  }

  /** When one last did; null: never. */
  async lastPoll(): Promise<Date | null> {
    const [row] = await this.database.query<{ polled_at: Date }>(`SELECT polled_at FROM scheduler_polls`);
    return row?.polled_at ?? null;
  }

  /** How these runs are now, in their order. */
  async states(runs: readonly { tenant_id: string; run_id: string }[]): Promise<RunState[]> {
    return this.database.query<RunState>(
      `SELECT r.id AS run_id, r.tenant_id, r.state, r.counts, r.error
       FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS q (tenant_id, id, position)
       JOIN job_runs r ON r.tenant_id = q.tenant_id AND r.id = q.id
       ORDER BY q.position`,
      [runs.map(({ tenant_id }) => tenant_id), runs.map(({ run_id }) => run_id)],
    );
  }
}
