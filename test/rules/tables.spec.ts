import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { createDatabase, type TestDatabase } from '../support/world.js';
import { allTables, schemaFaults, type Table } from './tables.js';

/** Tables that the application may only read, even for its own tenant. */
const READ_ONLY = ['audit_log'];

let database: TestDatabase;
let owner: pg.Client;

beforeAll(async () => {
  database = await createDatabase();
  owner = await connect(database.owner_url);
});
afterAll(async () => {
  await owner.end();
  await database.drop();
});

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}

describe('the schema', () => {
  it('isolates tenants', async () => {
    expect(await schemaFaults(owner)).toEqual([]);
  });

  it('has the tables that the rule is about', async () => {
    const tables = await allTables(owner);
    const ofTenants = tables.filter(({ tenant_column }) => tenant_column !== null).map(({ name }) => name);
    expect(ofTenants).toEqual(
      expect.arrayContaining(['tenants', 'users', 'deadlines', 'deliveries', 'job_runs']),
    );
  });

  // The rule must be able to fail: each of these is a careless migration.
  it.each([
    ['DROP POLICY tenant_isolation ON users', /^users lacks: tenant_isolation/],
    ['DROP POLICY across_tenants ON deliveries', /^deliveries lacks: across_tenants/],
    ['ALTER TABLE deadlines DISABLE ROW LEVEL SECURITY', /^deadlines has no row-level security/],
    ['ALTER TABLE deadlines NO FORCE ROW LEVEL SECURITY', /^deadlines does not force/],
    ['CREATE POLICY open ON tasks TO vigie_app USING (true)', /^tasks has: open/],
    [
      `DROP POLICY tenant_isolation ON tenants;
       CREATE POLICY tenant_isolation ON tenants TO vigie_app USING (true) WITH CHECK (true)`,
      /^tenants lacks: tenant_isolation/,
    ],
    ['CREATE TABLE notes (tenant_id uuid, id uuid PRIMARY KEY)', /^notes has no row-level security/],
    ['CREATE TABLE notes (tenant_id uuid, id uuid PRIMARY KEY)', /^notes: the key notes_pkey/],
    ['CREATE TABLE notes (tenant_id uuid, id uuid)', /^notes has no primary key/],
    ['CREATE UNIQUE INDEX by_mail ON users (email)', /^users: the key by_mail/],
    [
      `CREATE UNIQUE INDEX u ON users (id);
       ALTER TABLE tasks ADD CONSTRAINT to_user FOREIGN KEY (responsible_id) REFERENCES users (id)`,
      /^to_user: from tasks to users without tenant_id/,
    ],
    [
      'CREATE TABLE pets (id uuid PRIMARY KEY, tenant_id_of uuid REFERENCES tenants)',
      /^pets_tenant_id_of_fkey: .* only one belongs to tenants/,
    ],
    ['CREATE INDEX newer ON alerts (tenant_id, first_seen_at, id)', /^newer is newer than the primary key/],
    ['ALTER TABLE tasks ADD COLUMN seen_at timestamptz', /^tasks.seen_at is timestamp with time zone/],
    ['ALTER TABLE tasks ADD COLUMN seen_at timestamp(3)', /^tasks.seen_at is timestamp\(3\) without/],
    ['CREATE VIEW everyone AS SELECT * FROM users', /^the view everyone runs as its owner/],
    ['CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER RETURN 1', /^the function f runs as/],
    ['GRANT TRUNCATE ON users TO vigie_app', /^vigie_app has TRUNCATE on users/],
    ['GRANT SELECT ON operators TO vigie_app', /^vigie_app has SELECT on operators/],
    ['GRANT SELECT ON users TO PUBLIC', /^public has SELECT on users/],
    ['GRANT vigie_system TO vigie_app', /^vigie_app is a member of vigie_system/],
    ['ALTER ROLE vigie_app BYPASSRLS', /^vigie_app has BYPASSRLS/],
  ])('fails the rule after %s', async (mutation, fault) => {
    await owner.query('BEGIN');
    try {
      await owner.query(mutation);
      expect(await schemaFaults(owner)).toEqual(expect.arrayContaining([expect.stringMatching(fault)]));
    } finally {
      await owner.query('ROLLBACK');
    }
  });
});

describe('row-level security', () => {
  const ours = randomUUID();
  const theirs = randomUUID();
  const canary = 'canary of somebody else';
  let app: pg.Client;
  let tenantTables: Table[];
  let otherTables: Table[];

  beforeAll(async () => {
    const tables = await allTables(owner);
    tenantTables = tables.filter(({ tenant_column }) => tenant_column !== null);
    otherTables = tables.filter(({ tenant_column }) => tenant_column === null);
    // Drop constraints on values: they are not tested here, and would need valid rows for every table.
    const { rows } = await owner.query<{ drop: string }>(
      `SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS drop
       FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'f')`,
    );
    for (const { drop } of rows) await owner.query(drop);
    for (const table of tenantTables) {
      await insert(owner, table, ours, 'ours');
      await insert(owner, table, theirs, canary);
    }
    app = await connect(database.app_url);
  });
  afterAll(async () => app.end());

  /** Inserts a generated row of a tenant into a table; `text` in every text column. */
  async function insert(client: pg.Client, table: Table, tenantId: string, text: string): Promise<void> {
    const { rows: columns } = await owner.query<{ name: string; type: string }>(
      `SELECT column_name AS name, udt_name AS type FROM information_schema.columns
       WHERE table_schema = 'public' AND table_name = $1 AND (is_nullable = 'NO' OR udt_name = 'text')
         AND is_generated = 'NEVER'`,
      [table.name],
    );
    const values = columns.map(({ name, type }) =>
      name === table.tenant_column ? tenantId : made(type, text),
    );
    await client.query(
      `INSERT INTO ${table.name} (${columns.map(({ name }) => name).join(', ')})
       VALUES (${values.map((_value, position) => `$${position + 1}`).join(', ')})`,
      values,
    );
  }

  function made(type: string, text: string): unknown {
    const byType: Record<string, unknown> = {
      uuid: randomUUID(),
      text,
      bool: true,
      timestamptz: '2026-01-01T00:00:00Z',
      date: '2026-01-01',
      jsonb: JSON.stringify({ text }),
      bytea: Buffer.from(text),
      _text: [text],
      _int2: [1],
      int2: 1,
      int4: 1,
      int8: 1,
    };
    if (!(type in byType)) throw new Error(`the rule can't make up a ${type} yet: add it here`);
    return byType[type];
  }

  const refused = { code: '42501' };

  /** Runs `work` with this context in a transaction that is rolled back. */
  async function within<Result>(context: string | null, work: () => Promise<Result>): Promise<Result> {
    await app.query('BEGIN');
    try {
      if (context !== null) await app.query(`SELECT set_config('app.tenant_id', $1, true)`, [context]);
      return await work();
    } finally {
      await app.query('ROLLBACK');
    }
  }

  async function count(table: Table, where = 'true'): Promise<number> {
    const { rows } = await app.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM ${table.name} t WHERE ${where}`,
    );
    return rows[0]!.count;
  }

  it.each([[null], ['']])('without a context (%p) shows nothing, and accepts nothing', async (context) => {
    for (const table of tenantTables) {
      expect([table.name, await within(context, () => count(table))]).toEqual([table.name, 0]);
      await expect(within(context, () => insert(app, table, ours, 'forged'))).rejects.toMatchObject(refused);
      const deleting = within(context, () => app.query(`DELETE FROM ${table.name}`));
      if (READ_ONLY.includes(table.name)) await expect(deleting).rejects.toMatchObject(refused);
      else expect([table.name, (await deleting).rowCount]).toEqual([table.name, 0]);
    }
  });

  it('fails with an invalid context', async () => {
    for (const table of tenantTables) {
      await expect(within('nobody', () => count(table))).rejects.toMatchObject({ code: '22P02' });
    }
  });

  it('shows a tenant only its own rows', async () => {
    for (const table of tenantTables) {
      const seen = await within(ours, async () => [
        await count(table),
        await count(table, `to_jsonb(t)::text LIKE '%${canary}%'`),
      ]);
      expect([table.name, ...seen]).toEqual([table.name, 1, 0]);
    }
  });

  it('prevents a tenant from inserting, changing or deleting another’s rows', async () => {
    for (const table of tenantTables) {
      await expect(within(ours, () => insert(app, table, theirs, 'forged'))).rejects.toMatchObject(refused);
      const column = table.tenant_column!;
      await expect(
        within(ours, () => app.query(`UPDATE ${table.name} SET ${column} = $1`, [theirs])),
      ).rejects.toMatchObject(refused);
      const deleting = within(ours, () =>
        app.query(`DELETE FROM ${table.name} WHERE ${column} = $1`, [theirs]),
      );
      if (READ_ONLY.includes(table.name)) await expect(deleting).rejects.toMatchObject(refused);
      else expect([table.name, (await deleting).rowCount]).toEqual([table.name, 0]);
    }
    for (const table of tenantTables) {
      const { rows } = await owner.query<{ count: number }>(
        `SELECT count(*)::int AS count FROM ${table.name} WHERE ${table.tenant_column!} = $1`,
        [theirs],
      );
      expect([table.name, rows[0]!.count]).toEqual([table.name, 1]);
    }
  });

  it.each(READ_ONLY)('prevents everybody from rewriting %s', async (table) => {
    for (const statement of [
      `UPDATE ${table} SET actor = 'nobody'`,
      `UPDATE ${table} SET status = 200`,
      `DELETE FROM ${table}`,
      `INSERT INTO ${table} SELECT * FROM ${table}`,
    ]) {
      await expect(within(ours, () => app.query(statement))).rejects.toMatchObject(refused);
    }
    const system = await connect(database.system_url);
    await expect(system.query(`UPDATE ${table} SET actor = 'nobody'`)).rejects.toMatchObject(refused);
    await system.end();
  });

  it('denies the application the tables that belong to no tenant', async () => {
    expect(otherTables.map(({ name }) => name)).toContain('operators');
    for (const table of otherTables) {
      await expect(within(ours, () => count(table))).rejects.toMatchObject(refused);
    }
  });

  it.each([
    ['SET ROLE vigie_system'],
    ['SET SESSION AUTHORIZATION vigie_system'],
    ['ALTER TABLE users DISABLE ROW LEVEL SECURITY'],
    ['DROP POLICY tenant_isolation ON users'],
    ['TRUNCATE users'],
    ['CREATE TABLE public.mine (id int)'],
    ['ALTER ROLE vigie_app SUPERUSER'],
  ])('can not be left by %s', async (statement) => {
    await expect(within(ours, () => app.query(statement))).rejects.toMatchObject(refused);
  });

  it('cannot be bypassed by becoming the owner', async () => {
    const { rows } = await owner.query<{ name: string }>('SELECT current_user AS name');
    await expect(within(ours, () => app.query(`SET ROLE "${rows[0]!.name}"`))).rejects.toMatchObject(refused);
    const { rows: who } = await app.query<{ name: string; superuser: string }>(
      `SELECT current_user AS name, current_setting('is_superuser') AS superuser`,
    );
    expect(who).toEqual([{ name: 'vigie_app', superuser: 'off' }]);
  });
});
