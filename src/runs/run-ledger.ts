import { Inject, Injectable } from '@nestjs/common';
import type { ScheduledJob } from '../contracts/jobs.js';
import { Clock } from '../platform/clock/clock.js';
import { SystemDatabase } from '../platform/database/database.js';
import type { TenantTransaction } from '../platform/database/transaction.js';
import { RUN_LEASE_SECONDS, RUN_MAX_ATTEMPTS } from './run-record.js';
import type { RunState } from './run.dto.js';

/** The data of a tenant that determines when its jobs run. */
export interface ScheduledTenant {
  id: string;
  time_zone: string;
  /** As stored, in JSON. */
  settings: string;
  schedule_from: Date;
  updated_at: Date;
}

/** A due slot of a tenant's job. */
export interface OwedSlot {
  tenant: ScheduledTenant;
  job: ScheduledJob;
  slot: string;
  instant: Date;
  /**
   * The hours of the job's schedule, in minutes since the start of the civil day (of the ISO week for a job with
   * weekdays); null for an interval.
   */
  hours: readonly number[] | null;
}

/** Selects runs of one job for `slotRuns`: those whose slot name is `since` or later. */
export interface SlotRunQuery {
  tenant_id: string;
  job: ScheduledJob;
  since: string;
}

/** A run of a slot, with the zone and hours when it was written (null for intervals). */
export interface SlotRun {
  tenant_id: string;
  job: ScheduledJob;
  id: string;
  slot: string;
  due_at: Date;
  time_zone: string | null;
  hours: readonly number[] | null;
}

/** A run that has just got a lease from this process, and must be enqueued. */
export interface QueuedRun {
  tenant_id: string;
  run_id: string;
  job: ScheduledJob;
  lease_token: string;
}

/** A run of a slot that has just been written. */
export interface InsertedRun extends QueuedRun {
  slot: string;
  /** How far its instant is ahead of the database's clock, in seconds; normally negative. */
  ahead_seconds: number;
}

/** A run whose lease had expired. */
export interface RecoveredRun extends QueuedRun {
  /** It waited for its turn or its next attempt: nothing was lost. */
  postponed: boolean;
}

/** Most runs of one job and tenant that `slotRuns` returns. */
const SLOT_RUNS_LIMIT = 500;

/** The tenants for which a job is triggered: those listed, or all that are not suspended. */
export type TenantSelection = { tenant_ids: readonly string[] } | 'all';

/**
 * The statements on `job_runs` across tenants. The Clock decides what is due; the database's own clock, which all
 * processes share, decides when leases expire.
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
      `SELECT id, time_zone, settings::text AS settings, schedule_from, updated_at FROM tenants
       WHERE suspended_at IS NULL AND ($1::uuid IS NULL OR id > $1) ORDER BY id LIMIT $2`,
      [after, limit],
    );
  }

  /** The ledger's runs of slots, for many tenants and jobs in one statement; by slot, up to 500 for each query. */
  async slotRuns(queries: readonly SlotRunQuery[]): Promise<SlotRun[]> {
    if (queries.length === 0) return [];
    return this.database.query<SlotRun>(
      `SELECT q.tenant_id, q.job, r.id, r.slot, r.due_at, r.time_zone, r.hours
       FROM unnest($1::uuid[], $2::text[], $3::text[]) AS q (tenant_id, job, since)
       CROSS JOIN LATERAL (
         SELECT id, slot, due_at, time_zone, hours FROM job_runs
         WHERE tenant_id = q.tenant_id AND job = q.job AND slot >= q.since
         ORDER BY slot LIMIT ${SLOT_RUNS_LIMIT}
       ) r`,
      [
        queries.map(({ tenant_id }) => tenant_id),
        queries.map(({ job }) => job),
        queries.map(({ since }) => since),
      ],
    );
  }

  /**
   * Writes due slots into the ledger. Several processes may try at once: the unique key accepts each slot once.
   *
   * The tenant's row is locked and compared again, because it may have been suspended, or have changed its hours or
   * zone, since it was read. So no run is written under old hours, and a process that reads the new hours sees every
   * run that was written under the old ones.
   * @returns the new runs, with a lease.
   */
  async insertOwed(owed: readonly OwedSlot[]): Promise<InsertedRun[]> {
    if (owed.length === 0) return [];
    // Always in the same order, so that two replicas cannot deadlock.
    return this.database.query<InsertedRun>(
      `INSERT INTO job_runs (tenant_id, job, slot, time_zone, hours,
                             state, due_at, lease_token, lease_until, created_at)
       SELECT t.id, o.job, o.slot, CASE WHEN o.hours IS NOT NULL THEN t.time_zone END, o.hours::smallint[],
              'queued', o.due_at, gen_random_uuid(), now() + make_interval(secs => $7), $6
       FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::text[]) AS o
              (tenant_id, job, slot, due_at, hours)
       JOIN unnest($8::uuid[], $9::text[], $10::text[], $11::timestamptz[]) AS s
              (tenant_id, time_zone, settings, schedule_from) USING (tenant_id)
       JOIN tenants t ON t.id = o.tenant_id AND t.suspended_at IS NULL AND t.time_zone = s.time_zone
         AND t.settings = s.settings::jsonb AND t.schedule_from = s.schedule_from
       ORDER BY t.id, o.job, o.slot
       FOR SHARE OF t
       ON CONFLICT (tenant_id, job, slot) DO NOTHING
       RETURNING tenant_id, id AS run_id, job, lease_token, slot,
                 extract(epoch FROM due_at - clock_timestamp())::double precision AS ahead_seconds`,
      [
        owed.map(({ tenant }) => tenant.id),
        owed.map(({ job }) => job),
        owed.map(({ slot }) => slot),
        owed.map(({ instant }) => instant),
        // PostgreSQL's arrays of arrays must be rectangular.
        owed.map(({ hours }) => (hours === null ? null : `{${hours.join(',')}}`)),
        this.clock.now(),
        RUN_LEASE_SECONDS,
        ...columnsOf(new Map(owed.map(({ tenant }) => [tenant.id, tenant])).values()),
      ],
    );
  }

  /** Inserts a manual run for each selected tenant that is not suspended. */
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

  /** Inserts a manual run in the caller's transaction. */
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
   * Gives a new lease to up to `limit` runs of these jobs that were lost in Redis or with their process, or that waited
   * for their turn or their next attempt. The holder of the old lease can no longer claim, renew or finish the run.
   */
  async recoverLost(limit: number, jobs: readonly ScheduledJob[]): Promise<RecoveredRun[]> {
    return this.database.query<RecoveredRun>(
      `WITH lost AS (
         SELECT tenant_id, id, postponed FROM job_runs
         WHERE state IN ('queued', 'running') AND lease_until < now()
           AND (state = 'queued' OR attempts < $2) AND job = ANY ($3)
         ORDER BY lease_until LIMIT $1
         FOR UPDATE SKIP LOCKED
       )
       UPDATE job_runs r
       SET state = 'queued', lease_token = gen_random_uuid(), lease_until = now() + make_interval(secs => $4),
           postponed = false
       FROM lost WHERE r.tenant_id = lost.tenant_id AND r.id = lost.id
       RETURNING r.tenant_id, r.id AS run_id, r.job, r.lease_token, lost.postponed`,
      [limit, RUN_MAX_ATTEMPTS, jobs, RUN_LEASE_SECONDS],
    );
  }

  /** Quarantines up to `limit` runs that crashed their process too often; `lease_token` is their previous one. */
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

  /** Ends the leases of runs that Redis did not accept: the reaper enqueues them again in its next round. */
  async release(runs: readonly QueuedRun[]): Promise<void> {
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

  /** Records that a scheduler has polled. */
  async notePoll(): Promise<void> {
    await this.database.query(
      `INSERT INTO scheduler_polls (polled_at) VALUES ($1)
       ON CONFLICT (only_one) DO UPDATE SET polled_at = excluded.polled_at`,
      [this.clock.now()],
    );
  }

  /** When a scheduler last polled; null: never. */
  async lastPoll(): Promise<Date | null> {
    const [row] = await this.database.query<{ polled_at: Date }>(`SELECT polled_at FROM scheduler_polls`);
    return row?.polled_at ?? null;
  }

  /** The current state of these runs, in order. */
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

/** Columns for `unnest`: ids, zones, settings, schedule_from. */
function columnsOf(tenants: Iterable<ScheduledTenant>): [string[], string[], string[], Date[]] {
  const all = [...tenants];
  return [
    all.map(({ id }) => id),
    all.map(({ time_zone }) => time_zone),
    all.map(({ settings }) => settings),
    all.map(({ schedule_from }) => schedule_from),
  ];
}
