import type { MigrationInterface, QueryRunner } from 'typeorm';
import { systemTable } from './ddl.js';

/** What operators do with queues: pauses of runs, cancelled runs, failed deliveries found quickly. */
export class Ops1700000000006 implements MigrationInterface {
  name = 'Ops1700000000006';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- A row: this queue of runs is paused. Of deliveries it is channels.paused that tells.
      CREATE TABLE paused_run_queues (
        queue text PRIMARY KEY,
        paused_at timestamptz(3) NOT NULL
      );

      -- One row: when a scheduler has last looked for slots that are owed.
      CREATE TABLE scheduler_polls (
        only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
        polled_at timestamptz(3) NOT NULL
      );

      ALTER TABLE job_runs
        DROP CONSTRAINT job_runs_state_check,
        DROP CONSTRAINT job_runs_check,
        ADD CONSTRAINT job_runs_state_check
          CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
        ADD CONSTRAINT job_runs_check
          CHECK ((state IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL));
      CREATE INDEX job_runs_ended ON job_runs (job, finished_at) WHERE finished_at IS NOT NULL;

      CREATE INDEX deliveries_failed ON deliveries (channel, ended_at) WHERE state = 'failed';
    `);
    await systemTable(runner, 'paused_run_queues');
    await systemTable(runner, 'scheduler_polls');
  }

  async down(): Promise<void> {
    // Migrations only go forward.
  }
}
