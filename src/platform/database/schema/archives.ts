import type { QueryRunner } from 'typeorm';
import { protectTenantTable } from './ddl.js';

/** The archives that the cleanup has written: which part of each file counts, and what it holds. */
export async function createArchives(runner: QueryRunner): Promise<void> {
  await runner.query(`
      CREATE TABLE archives (
        tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
        id uuid NOT NULL DEFAULT new_id(),
        thing text NOT NULL,
        -- Below the tenant's folder of archives: 2026-11/notifications-20261130T020000Z-….ndjson.gz
        path text NOT NULL,
        -- An open one is being written, or was when its process ended: the next cleanup seals it.
        state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'sealed')),
        -- How much of the file counts. Committed together with the deletion of the rows that it holds, so the rest of an
        -- open file is what a killed process wrote and did not delete.
        bytes bigint NOT NULL DEFAULT 0,
        -- Rows by table.
        counts jsonb NOT NULL DEFAULT '{}',
        -- The range of its rows: instants, and ids for those that are restored.
        first_at timestamptz(3),
        last_at timestamptz(3),
        first_id uuid,
        last_id uuid,
        sha256 text,
        schema_version text NOT NULL,
        created_at timestamptz(3) NOT NULL,
        sealed_at timestamptz(3),
        -- The cleanup leaves restored rows alone until then.
        restored_at timestamptz(3),
        held_until timestamptz(3),
        PRIMARY KEY (tenant_id, id),
        UNIQUE (tenant_id, path),
        CHECK ((state = 'sealed') = (sealed_at IS NOT NULL AND sha256 IS NOT NULL)),
        CHECK ((restored_at IS NULL) = (held_until IS NULL))
      );
      CREATE INDEX archives_open ON archives (tenant_id, thing) WHERE state = 'open';
    `);
  await protectTenantTable(runner, 'archives');
}
