import type { QueryRunner } from 'typeorm';

/**
 * Puts a tenant-owned table behind row-level security: the application role reaches only the tenant of its transaction
 * (no context, no rows), the system role all of them. `tenantColumn` is `id` for `tenants` itself.
 */
export async function protectTenantTable(
  runner: QueryRunner,
  table: string,
  tenantColumn = 'tenant_id',
): Promise<void> {
  const context = `NULLIF(current_setting('app.tenant_id', true), '')::uuid`;
  await runner.query(`
    ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
    ALTER TABLE ${table} FORCE ROW LEVEL SECURITY;
    CREATE POLICY tenant_isolation ON ${table} TO vigie_app
      USING (${tenantColumn} = ${context}) WITH CHECK (${tenantColumn} = ${context});
    CREATE POLICY across_tenants ON ${table} TO vigie_system USING (true) WITH CHECK (true);
    GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO vigie_app, vigie_system;
  `);
}

/** A table that belongs to no tenant: only the system role reaches it. */
export async function systemTable(runner: QueryRunner, table: string): Promise<void> {
  await runner.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO vigie_system`);
}
