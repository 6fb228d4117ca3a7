import {
  assertPrepared,
  DatabaseNotPrepared,
  POOL_ROLES,
  type PoolRole,
  rolesToTakeOn,
} from '../../platform/database/preparation.js';
import type { DoctorContext } from './context.js';
import { fault, type Finding, note, ok } from './finding.js';
import { codeOf } from './error-text.js';
import { asRole, withClient } from './postgres-client.js';
import { PREPARING, unreachable } from './postgres-silence.js';

/** The rights of the owner and of both roles, and that row-level security applies to the application. */
export async function checkRoles({ config }: DoctorContext): Promise<Finding[]> {
  const owner = config.databaseUrl;
  const found = await Promise.all([
    ...(owner === null ? [] : [ownerFaults(owner, rolesToTakeOn(config))]),
    ...POOL_ROLES.map((role) => roleFaults(config, role)),
  ]);
  const findings = found.flat();
  return findings.length > 0
    ? findings
    : [ok('both roles have their rights, and row-level security applies')];
}

async function ownerFaults(owner: string, takenOn: readonly PoolRole[]): Promise<Finding[]> {
  try {
    await withClient(owner, async (client) => {
      const { rows } = await client.query<{ made: boolean }>(
        `SELECT to_regclass('migrations') IS NOT NULL AS made`,
      );
      const query = async (sql: string, parameters?: unknown[]) =>
        (await client.query(sql, parameters)).rows as never;
      await assertPrepared(query, takenOn, rows[0]?.made !== true);
    });
    return [];
  } catch (error) {
    if (!(error instanceof DatabaseNotPrepared)) return [unreachable(error)];
    const remedies = error.remedies.join(' ');
    return error.faults.map((sentence) =>
      fault(sentence, remedies === '' ? `See ${PREPARING}` : `As a superuser, in this database: ${remedies}`),
    );
  }
}

export interface RoleRow {
  login: string;
  bypasses: boolean;
  lacking: string[] | null;
  unprotected: string[] | null;
}

/** Tenant tables have policies for both roles. The audit log has fewer rights: nobody may change it. */
const ROLE = `
  SELECT r.rolname::text AS login, r.rolsuper OR r.rolbypassrls AS bypasses,
         (SELECT array_agg(c.relname::text ORDER BY c.relname) FROM pg_class c
          WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
            AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND r.oid = ANY (p.polroles))
            AND c.relname <> 'audit_log'
            AND NOT (SELECT bool_and(has_table_privilege(c.oid, privilege))
                     FROM unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) AS privilege)) AS lacking,
         (SELECT array_agg(c.relname::text ORDER BY c.relname) FROM pg_class c
          WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
            AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)
            AND NOT (c.relrowsecurity AND c.relforcerowsecurity)) AS unprotected
  FROM pg_roles r WHERE r.rolname = current_user`;

async function roleFaults(config: DoctorContext['config'], role: PoolRole): Promise<Finding[]> {
  let row: RoleRow | undefined;
  try {
    row = await asRole(config, role, async (client) => (await client.query<RoleRow>(ROLE)).rows[0]);
  } catch (error) {
    // The owner's rights are checked, too: its finding has the remedy.
    return codeOf(error) === '42501' && config.databaseUrl !== null ? [] : [unreachable(error)];
  }
  return row === undefined ? [note(`the rights of ${role} are unknown`)] : roleFindings(role, row);
}

/** What is wrong with a role that signed in; nothing if it has its rights and no more. */
export function roleFindings(role: PoolRole, row: RoleRow): Finding[] {
  const faults: Finding[] = [];
  if (row.login !== role)
    return [
      fault(
        `${role === 'vigie_app' ? 'DATABASE_APP_URL' : 'DATABASE_SYSTEM_URL'} signs in as ${row.login}, not as ${role}`,
        `Put the login ${role} into the URL: the rights of each table belong to it`,
      ),
    ];
  if (role === 'vigie_app' && row.bypasses)
    faults.push(
      fault(
        'vigie_app bypasses row-level security: nothing keeps tenants apart in the database',
        'As a superuser: ALTER ROLE vigie_app NOSUPERUSER NOBYPASSRLS;',
      ),
    );
  if (role === 'vigie_app' && row.unprotected !== null)
    faults.push(
      fault(
        `row-level security is switched off for ${row.unprotected.join(', ')}`,
        row.unprotected
          .map((table) => `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;`)
          .join(' '),
      ),
    );
  if (row.lacking !== null)
    faults.push(
      fault(
        `${role} lacks rights on ${row.lacking.join(', ')}`,
        `As the owner: GRANT SELECT, INSERT, UPDATE, DELETE ON ${row.lacking.join(', ')} TO ${role};`,
      ),
    );
  return faults;
}
