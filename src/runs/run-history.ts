import { Inject, Injectable } from '@nestjs/common';
import { SCHEDULED_JOBS, type ScheduledJob } from '../contracts/jobs.js';
import { Clock } from '../platform/clock/clock.js';
import { SystemDatabase } from '../platform/database/database.js';
import type { RunStateName } from './run.dto.js';

/** Runs of all tenants that ended in a period, by their outcome. */
export interface EndedRuns {
  succeeded: number;
  failed: number;
}

/** A tenant, as the timeline of its runs needs it. */
export interface TimelineTenant {
  id: string;
  slug: string;
  name: string;
  time_zone: string;
  settings: Record<string, unknown>;
  schedule_from: Date;
  suspended_at: Date | null;
  updated_at: Date;
}

/** A run in the timeline. */
export interface TimelineRun {
  id: string;
  tenant_id: string;
  job: ScheduledJob;
  /** Null: triggered manually. */
  slot: string | null;
  due_at: Date;
  created_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
  /** Why it failed or was cancelled. */
  error: string | null;
  time_zone: string | null;
  hours: readonly number[] | null;
  state: RunStateName;
}

const HOUR_MS = 60 * 60 * 1_000;
/** Counting stops here, for each job and outcome. */
const MAX_ENDED = 200_000;
/** Runs of one job and tenant in a timeline, newest first: an interval of 5 minutes over three days. */
const MAX_RUNS = 1_000;

/** Past runs of all tenants, for operators. */
@Injectable()
export class RunHistory {
  constructor(
    private readonly database: SystemDatabase,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** The runs of all jobs that ended in the last hour and in the last 24 hours. */
  async ended(): Promise<{ last_hour: EndedRuns; last_day: EndedRuns }> {
    const now = this.clock.now().getTime();
    const [row] = await this.database.query<Record<'hour_ok' | 'hour_bad' | 'day_ok' | 'day_bad', number>>(
      // Uses the index `job_runs_by_state`.
      `SELECT count(*) FILTER (WHERE state = 'succeeded' AND finished_at > $2) AS hour_ok,
              count(*) FILTER (WHERE state = 'failed' AND finished_at > $2) AS hour_bad,
              count(*) FILTER (WHERE state = 'succeeded') AS day_ok,
              count(*) FILTER (WHERE state = 'failed') AS day_bad
       FROM unnest($1::text[]) AS j (job) CROSS JOIN (VALUES ('succeeded'), ('failed')) AS o (outcome)
       CROSS JOIN LATERAL (
         SELECT state, finished_at FROM job_runs WHERE job = j.job AND state = o.outcome AND finished_at > $3
         ORDER BY finished_at DESC LIMIT ${MAX_ENDED}) r`,
      [SCHEDULED_JOBS, new Date(now - HOUR_MS), new Date(now - 24 * HOUR_MS)],
    );
    if (row === undefined) throw new Error('an aggregate has no row');
    return {
      last_hour: { succeeded: row.hour_ok, failed: row.hour_bad },
      last_day: { succeeded: row.day_ok, failed: row.day_bad },
    };
  }

  /**
   * Tenants, newest first. @param slug one only. @param before only those with a lower id; null: from the newest.
   */
  async tenants(slug: string | null, before: string | null, limit: number): Promise<TimelineTenant[]> {
    return this.database.query<TimelineTenant>(
      `SELECT id, slug, name, time_zone, settings, schedule_from, suspended_at, updated_at FROM tenants
       WHERE ($1::text IS NULL OR slug = $1) AND ($2::uuid IS NULL OR id < $2)
       ORDER BY id DESC LIMIT $3`,
      [slug, before, limit],
    );
  }

  /** The runs of these tenants and jobs that were written since `since`, newest first. */
  async runsOf(
    tenantIds: readonly string[],
    jobs: readonly ScheduledJob[],
    since: Date,
  ): Promise<TimelineRun[]> {
    // Uses the index `job_runs_latest`.
    return this.database.query<TimelineRun>(
      `SELECT r.* FROM unnest($1::uuid[]) AS t (id) CROSS JOIN unnest($2::text[]) AS j (job)
       CROSS JOIN LATERAL (
         SELECT id, tenant_id, job, slot, due_at, created_at, started_at, finished_at, error, time_zone, hours, state
         FROM job_runs
         WHERE tenant_id = t.id AND job = j.job AND created_at >= $3
         ORDER BY created_at DESC LIMIT ${MAX_RUNS}) r`,
      [tenantIds, jobs, since],
    );
  }
}
