import type { QueryRunner } from 'typeorm';
import { protectTenantTable } from './ddl.js';

/** What admins and operators did. */
export async function createAudit(runner: QueryRunner): Promise<void> {
  const columns = `
        -- user:<id>, key:<id>, operator:<id>; anonymous (a sign-in with an unknown address) or cli
        actor text NOT NULL,
        actor_kind text NOT NULL CHECK (actor_kind IN ('user', 'api_key', 'operator', 'anonymous', 'cli')),
        -- Method and route: POST /api/v1/users; of the command line, the command
        action text NOT NULL,
        -- Resources in the path, by parameter, and those that only the handler knows.
        targets jsonb NOT NULL,
        at timestamptz(3) NOT NULL,
        -- The outcome; null until it is known, and forever when the process died before.
        status smallint,
        -- Names of changed fields, never their values.
        changed text[],
        request_id text NOT NULL,
        ip text`;
  await runner.query(`
      CREATE TABLE audit_log (
        tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
        id uuid NOT NULL,${columns},
        PRIMARY KEY (tenant_id, id)
      );
      CREATE INDEX audit_log_at ON audit_log (tenant_id, at, id);
      CREATE INDEX audit_log_actor ON audit_log (tenant_id, actor, at, id);
      CREATE INDEX audit_log_action ON audit_log (tenant_id, action, at, id);
      CREATE INDEX audit_log_ip ON audit_log (tenant_id, at) WHERE ip IS NOT NULL;

      -- Acts that concern no tenant, or one that does not exist (any more).
      CREATE TABLE installation_audit_log (
        id uuid PRIMARY KEY,${columns}
      );
      CREATE INDEX installation_audit_log_at ON installation_audit_log (at, id);
      CREATE INDEX installation_audit_log_actor ON installation_audit_log (actor, at, id);
      CREATE INDEX installation_audit_log_action ON installation_audit_log (action, at, id);
      CREATE INDEX installation_audit_log_ip ON installation_audit_log (at) WHERE ip IS NOT NULL;
    `);

  await protectTenantTable(runner, 'audit_log');
  // Rows are only inserted and, after their retention, deleted. Only the outcome, targets and address are updated.
  await runner.query(`
      REVOKE INSERT, UPDATE, DELETE ON audit_log FROM vigie_app;
      REVOKE UPDATE ON audit_log FROM vigie_system;
      GRANT UPDATE (status, changed, targets, ip) ON audit_log TO vigie_system;
      GRANT SELECT, INSERT, DELETE ON installation_audit_log TO vigie_system;
      GRANT UPDATE (status, changed, targets, ip) ON installation_audit_log TO vigie_system;
    `);
}
