import type { ClientBase } from 'pg';

/** The context of a tenant's transaction, as PostgreSQL prints it in a policy. */
const CONTEXT = `(NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid`;
/** TypeORM's own table. */
const NOT_OURS = 'migrations';

export interface Table {
  name: string;
  /** The column with a row's tenant; null for tables that belong to no tenant. */
  tenant_column: 'tenant_id' | 'id' | null;
}

/** Every table of the schema. */
export async function allTables(client: ClientBase): Promise<Table[]> {
  const { rows } = await client.query<Table>(`
    SELECT c.relname AS name,
           CASE WHEN c.relname = 'tenants' THEN 'id'
                WHEN EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id')
                THEN 'tenant_id' END AS tenant_column
    FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
    ORDER BY c.relname`);
  return rows;
}

/** All faults of the schema, most of them of its tenant isolation, one sentence each. */
export async function schemaFaults(client: ClientBase): Promise<string[]> {
  const tables = await allTables(client);
  const tenantTables = tables.filter(({ tenant_column }) => tenant_column !== null);
  return [
    ...(await securityFaults(client, tenantTables)),
    ...(await keyFaults(client, tenantTables)),
    ...(await foreignKeyFaults(client, tenantTables)),
    ...(await privilegeFaults(client, tables)),
    ...(await bypassFaults(client)),
    ...(await instantFaults(client)),
    ...(await newerIndexFaults(client)),
  ];
}

async function securityFaults(client: ClientBase, tables: readonly Table[]): Promise<string[]> {
  const { rows: flags } = await client.query<{ name: string; enabled: boolean; forced: boolean }>(
    `SELECT relname AS name, relrowsecurity AS enabled, relforcerowsecurity AS forced
     FROM pg_class WHERE relnamespace = 'public'::regnamespace`,
  );
  const { rows: policies } = await client.query<{ table: string; policy: string }>(
    `SELECT tablename AS table,
            format('%s %s %s %s USING %s CHECK %s', policyname, permissive, cmd, roles, qual, with_check) AS policy
     FROM pg_policies WHERE schemaname = 'public' ORDER BY policyname`,
  );
  return tables.flatMap(({ name, tenant_column }) => {
    const flag = flags.find((each) => each.name === name);
    const found = policies.filter(({ table }) => table === name).map(({ policy }) => policy);
    const own = `(${tenant_column ?? ''} = ${CONTEXT})`;
    const expected = [
      'across_tenants PERMISSIVE ALL {vigie_system} USING true CHECK true',
      `tenant_isolation PERMISSIVE ALL {vigie_app} USING ${own} CHECK ${own}`,
    ];
    return [
      ...(flag?.enabled === true ? [] : [`${name} has no row-level security`]),
      ...(flag?.forced === true ? [] : [`${name} does not force row-level security`]),
      ...expected.filter((policy) => !found.includes(policy)).map((policy) => `${name} lacks: ${policy}`),
      ...found.filter((policy) => !expected.includes(policy)).map((policy) => `${name} has: ${policy}`),
    ];
  });
}

/** A unique key that does not begin with the tenant reveals another tenant's rows. */
async function keyFaults(client: ClientBase, tables: readonly Table[]): Promise<string[]> {
  const { rows } = await client.query<{ table: string; key: string; is_primary: boolean; first: string }>(
    `SELECT t.relname AS table, k.relname AS key, i.indisprimary AS is_primary,
            pg_get_indexdef(i.indexrelid, 1, false) AS first
     FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_class k ON k.oid = i.indexrelid
     WHERE t.relnamespace = 'public'::regnamespace AND i.indisunique`,
  );
  return tables
    .filter(({ name }) => name !== 'tenants')
    .flatMap(({ name }) => {
      const keys = rows.filter(({ table }) => table === name);
      return [
        ...(keys.some(({ is_primary }) => is_primary) ? [] : [`${name} has no primary key`]),
        ...keys
          .filter(({ first }) => first !== 'tenant_id')
          .map(({ key }) => `${name}: the key ${key} does not begin with tenant_id`),
      ];
    });
}

/** Without the tenant in it, a foreign key lets a row of one tenant reference another's. */
async function foreignKeyFaults(client: ClientBase, tables: readonly Table[]): Promise<string[]> {
  const { rows } = await client.query<{ from: string; to: string; key: string; pairs: string[] }>(
    `SELECT f.relname AS from, t.relname AS to, c.conname AS key,
            array_agg(fa.attname || '=' || ta.attname) AS pairs
     FROM pg_constraint c
     JOIN pg_class f ON f.oid = c.conrelid JOIN pg_class t ON t.oid = c.confrelid
     CROSS JOIN LATERAL unnest(c.conkey, c.confkey) AS k (f, t)
     JOIN pg_attribute fa ON fa.attrelid = c.conrelid AND fa.attnum = k.f
     JOIN pg_attribute ta ON ta.attrelid = c.confrelid AND ta.attnum = k.t
     WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace
     GROUP BY c.oid, f.relname, t.relname, c.conname`,
  );
  const columnOf = new Map(tables.map(({ name, tenant_column }) => [name, tenant_column]));
  return rows.flatMap(({ from, to, key, pairs }) => {
    const [own, other] = [columnOf.get(from), columnOf.get(to)];
    if (own === undefined && other === undefined) return [];
    if (own === undefined || other === undefined) {
      return [`${key}: from ${from} to ${to}, of which only one belongs to tenants`];
    }
    // pairs is name[]; as text it is {a=b,c=d}.
    return String(pairs).includes(`tenant_id=${other ?? ''}`)
      ? []
      : [`${key}: from ${from} to ${to} without tenant_id`];
  });
}

async function privilegeFaults(client: ClientBase, tables: readonly Table[]): Promise<string[]> {
  const { rows } = await client.query<{ table: string; role: string; privilege: string }>(
    `SELECT c.relname AS table, coalesce(r.rolname, 'public') AS role, a.privilege_type AS privilege
     FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
     WHERE c.relnamespace = 'public'::regnamespace AND a.grantee <> c.relowner`,
  );
  const rowWise = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'];
  return rows.flatMap(({ table, role, privilege }) => {
    const ofTenants = tables.some(({ name, tenant_column }) => name === table && tenant_column !== null);
    const granted = `${role} has ${privilege} on ${table}`;
    // TRUNCATE, REFERENCES and TRIGGER bypass the policies.
    if (!rowWise.includes(privilege)) return [granted];
    // A process without the owner's login reads which migrations ran.
    if (role === 'vigie_system') return table === NOT_OURS && privilege !== 'SELECT' ? [granted] : [];
    return role === 'vigie_app' && ofTenants ? [] : [granted];
  });
}

/** Objects that run with their owner's rights bypass the policies. */
async function bypassFaults(client: ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ fault: string }>(
    `SELECT 'the view ' || relname || ' runs as its owner' AS fault FROM pg_class
     WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm')
       AND NOT coalesce(reloptions @> '{security_invoker=true}', false)
     UNION ALL
     SELECT 'the function ' || proname || ' runs as its owner' FROM pg_proc
     WHERE pronamespace = 'public'::regnamespace AND prosecdef
     UNION ALL
     SELECT format('%s has %s', rolname, what) FROM pg_roles
     CROSS JOIN LATERAL (VALUES (rolsuper, 'SUPERUSER'), (rolbypassrls, 'BYPASSRLS'),
                                (rolcreaterole, 'CREATEROLE'), (rolcreatedb, 'CREATEDB'),
                                (rolreplication, 'REPLICATION')) AS a (has, what)
     WHERE rolname IN ('vigie_app', 'vigie_system') AND has
     UNION ALL
     SELECT 'vigie_app is a member of ' || rolname FROM pg_roles
     WHERE rolname <> 'vigie_app' AND pg_has_role('vigie_app', oid, 'MEMBER')
     UNION ALL
     SELECT rolname || ' owns ' || relname FROM pg_class JOIN pg_roles r ON r.oid = relowner
     WHERE rolname IN ('vigie_app', 'vigie_system')`,
  );
  return rows.map(({ fault }) => fault);
}

/** JavaScript's instants have milliseconds: a finer column would be read back differently. */
async function instantFaults(client: ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ fault: string }>(
    `SELECT c.relname || '.' || a.attname || ' is ' || format_type(a.atttypid, a.atttypmod) AS fault
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
       AND format_type(a.atttypid, a.atttypmod) ~ 'time'
       AND format_type(a.atttypid, a.atttypmod) <> 'timestamp(3) with time zone'`,
  );
  return rows.map(({ fault }) => fault);
}

/**
 * While a table has no statistics, PostgreSQL prefers the newest of equally good indexes. If that one has the
 * primary key's columns in another order, a foreign key check reads all rows of the tenant.
 */
async function newerIndexFaults(client: ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ fault: string }>(
    `SELECT DISTINCT i.indexrelid::regclass || ' is newer than the primary key, which foreign keys need' AS fault
     FROM pg_constraint c
     JOIN pg_index p ON p.indrelid = c.confrelid AND p.indisprimary
     JOIN pg_index i ON i.indrelid = c.confrelid AND i.indexrelid > p.indexrelid AND i.indpred IS NULL
     WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace
       AND i.indkey::int[] @> p.indkey::int[]`,
  );
  return rows.map(({ fault }) => fault);
}
