import type { QueryRunner } from 'typeorm';
import { protectTenantTable } from './ddl.js';

/** Imported files: their progress, the rows waiting to be applied, and the faults of rejected rows. */
export async function createImports(runner: QueryRunner): Promise<void> {
  await runner.query(`
      CREATE TABLE imports (
        tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
        id uuid NOT NULL DEFAULT new_id(),
        kind text NOT NULL,
        state text NOT NULL DEFAULT 'receiving' CHECK (state IN ('receiving', 'comparing', 'staged', 'applying', 'done', 'failed')),
        format text NOT NULL CHECK (format IN ('csv', 'ndjson')),
        encoding text,
        content_sha256 text,
        -- As announced by the upload; null when not announced.
        bytes_total bigint,
        bytes bigint NOT NULL DEFAULT 0,
        lines integer NOT NULL DEFAULT 0,
        created integer NOT NULL DEFAULT 0,
        updated integer NOT NULL DEFAULT 0,
        unchanged integer NOT NULL DEFAULT 0,
        rejected integer NOT NULL DEFAULT 0,
        -- Found by a dry run: open items with an external id that the file does not have.
        missing integer,
        error text,
        -- Renewed by the receiving process: an expired lease means that it was killed.
        lease_until timestamptz(3) NOT NULL,
        created_by text NOT NULL,
        created_at timestamptz(3) NOT NULL,
        finished_at timestamptz(3),
        PRIMARY KEY (tenant_id, id),
        CHECK ((state IN ('done', 'failed')) = (finished_at IS NOT NULL)),
        CHECK (state NOT IN ('staged', 'done') OR lines = created + updated + unchanged + rejected)
      );

      CREATE TABLE import_rows (
        tenant_id uuid NOT NULL,
        import_id uuid NOT NULL,
        line integer NOT NULL,
        -- Only the fields of the line: an absent field keeps its value in an existing row.
        fields jsonb NOT NULL,
        PRIMARY KEY (tenant_id, import_id, line),
        FOREIGN KEY (tenant_id, import_id) REFERENCES imports ON DELETE CASCADE
      );

      CREATE TABLE import_faults (
        tenant_id uuid NOT NULL,
        import_id uuid NOT NULL,
        line integer NOT NULL,
        -- '' for the line as a whole.
        field text NOT NULL,
        detail text NOT NULL,
        PRIMARY KEY (tenant_id, import_id, line, field),
        FOREIGN KEY (tenant_id, import_id) REFERENCES imports ON DELETE CASCADE
      );

      -- What applying a staged import would change.
      CREATE TABLE import_changes (
        tenant_id uuid NOT NULL,
        import_id uuid NOT NULL,
        place integer NOT NULL,
        outcome text NOT NULL CHECK (outcome IN ('created', 'updated', 'missing')),
        -- Null for a missing item.
        line integer,
        -- Null for an item to create.
        item_id uuid,
        title text NOT NULL,
        -- The fields that differ, before and after.
        before jsonb NOT NULL,
        after jsonb NOT NULL,
        PRIMARY KEY (tenant_id, import_id, place),
        FOREIGN KEY (tenant_id, import_id) REFERENCES imports ON DELETE CASCADE
      );
    `);
  for (const table of ['imports', 'import_rows', 'import_faults', 'import_changes'])
    await protectTenantTable(runner, table);
}
