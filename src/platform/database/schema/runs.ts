import type { QueryRunner } from 'typeorm';
import { protectTenantTable, systemTable } from './ddl.js';

/** The ledger of runs, and the state of their queues that operators change. */
export async function createRuns(runner: QueryRunner): Promise<void> {
  await runner.query(`
      CREATE TABLE job_runs (
        tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
        id uuid NOT NULL DEFAULT new_id(),
        job text NOT NULL,
        -- Local date and time for fixed hours, UTC for intervals, null for a manual run.
        slot text,
        -- The zone of the slot; null for intervals and without a slot. Hours are minutes since the start of the civil
        -- day, or of the ISO week for a job that is bound to weekdays.
        time_zone text,
        hours smallint[],
        state text NOT NULL DEFAULT 'queued'
          CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
        attempts integer NOT NULL DEFAULT 0,
        due_at timestamptz(3) NOT NULL,
        lease_token uuid,
        lease_until timestamptz(3),
        -- The lease ends because the run waits for its turn or its next attempt, not because its worker was lost.
        postponed boolean NOT NULL DEFAULT false,
        counts jsonb,
        error text,
        triggered_by text,
        created_at timestamptz(3) NOT NULL,
        started_at timestamptz(3),
        finished_at timestamptz(3),
        PRIMARY KEY (tenant_id, id),
        UNIQUE (tenant_id, job, slot),
        CHECK ((state IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL))
      );
      CREATE INDEX job_runs_leased ON job_runs (lease_until) WHERE state IN ('queued', 'running');
      CREATE INDEX job_runs_latest ON job_runs (tenant_id, job, created_at DESC);
      -- For the operators' lists and counts of runs.
      CREATE INDEX job_runs_by_state ON job_runs (job, state, finished_at, id);

      -- One row per paused run queue. Queues of deliveries have channels.paused.
      CREATE TABLE paused_run_queues (
        queue text PRIMARY KEY,
        paused_at timestamptz(3) NOT NULL
      );

      -- One row: when a scheduler last looked for owed slots.
      CREATE TABLE scheduler_polls (
        only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
        polled_at timestamptz(3) NOT NULL
      );
    `);
  await protectTenantTable(runner, 'job_runs');
  await systemTable(runner, 'paused_run_queues');
  await systemTable(runner, 'scheduler_polls');
}
