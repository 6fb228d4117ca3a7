import type { QueryRunner } from 'typeorm';
import { protectTenantTable } from './ddl.js';

/** Imported files: their progress, the rows waiting to be applied, and the faults of rejected rows. */
export async function createImports(runner: QueryRunner): Promise<void> {
  await runner.query(`
      CREATE TABLE imports (
        tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
        id uuid NOT NULL DEFAULT new_id(),
        kind text NOT NULL,
        state text NOT NULL DEFAULT 'receiving' CHECK (state IN ('receiving', 'applying', 'done', 'failed')),
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
        error text,
        -- Renewed by the receiving process: an expired lease means that it was killed.
        lease_until timestamptz(3) NOT NULL,
        created_by text NOT NULL,
        created_at timestamptz(3) NOT NULL,
        finished_at timestamptz(3),
        PRIMARY KEY (tenant_id, id),
        CHECK ((state IN ('done', 'failed')) = (finished_at IS NOT NULL)),
        CHECK (state <> 'done' OR lines = created + updated + unchanged + rejected)
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
    `);
  for (const table of ['imports', 'import_rows', 'import_faults']) await protectTenantTable(runner, table);
}
