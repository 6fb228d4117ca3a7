import type { QueryRunner } from 'typeorm';
import { protectTenantTable } from './ddl.js';

/** Erasures of people, and how far they are. */
export async function createErasures(runner: QueryRunner): Promise<void> {
  await runner.query(`
      CREATE TABLE erasures (
        tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
        id uuid NOT NULL DEFAULT new_id(),
        -- user:<id>, key:<id>, operator:<id> or cli
        requested_by text NOT NULL,
        -- The erased user; null: an address of no user.
        user_id uuid,
        -- What is searched for: {"name", "addresses", "recipients"}. Nothing of it is left once it is done.
        subject jsonb,
        state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'succeeded')),
        -- The step that is next, and the last row that it has done.
        step text,
        position text[],
        -- Why it waits, and until when.
        waiting_for text CHECK (waiting_for IN ('sending', 'cleanup', 'locks', 'failure')),
        next_at timestamptz(3) NOT NULL DEFAULT now(),
        -- Rows by table.
        counts jsonb NOT NULL DEFAULT '{}',
        -- Damaged archives, which could not be searched.
        unreadable_archives text[] NOT NULL DEFAULT '{}',
        created_at timestamptz(3) NOT NULL,
        finished_at timestamptz(3),
        PRIMARY KEY (tenant_id, id),
        CHECK ((state = 'succeeded') = (finished_at IS NOT NULL)),
        CHECK ((state = 'succeeded') = (subject IS NULL))
      );
      CREATE INDEX erasures_running ON erasures (next_at) WHERE state = 'running';
      CREATE INDEX erasures_user ON erasures (tenant_id, user_id) WHERE user_id IS NOT NULL;
    `);
  await protectTenantTable(runner, 'erasures');
}
