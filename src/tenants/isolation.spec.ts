import pg from 'pg';
import { randomUUID } from 'node:crypto';
import { Database } from '../platform/database/database.js';
import { type Cast, createCast } from '../../test/support/cast.js';
import { createWorld, type World } from '../../test/support/world.js';

const TABLES = ['tenants', 'users', 'sessions', 'api_keys', 'preferences', 'quiet_hours', 'password_links'];
let world: World;
let cast: Cast;
let app: pg.Client;

beforeAll(async () => {
  world = await createWorld();
  cast = await createCast(world);
  for (const { tenant_id, id } of [cast.admin, cast.outsider]) {
    await world.sql(
      `INSERT INTO api_keys (tenant_id, name, key_hash, scopes) VALUES ($1, 'K', 'hash', '{admin}')`,
      [tenant_id],
    );
    await world.sql(
      `INSERT INTO preferences (tenant_id, user_id, kind, channel, enabled) VALUES ($1, $2, 'event', 'email', true)`,
      [tenant_id, id],
    );
    await world.sql(`INSERT INTO quiet_hours VALUES ($1, $2, '20:00', '07:00')`, [tenant_id, id]);
    await world.sql(
      `INSERT INTO password_links (tenant_id, user_id, created_at, expires_at) VALUES ($1, $2, now(), now())`,
      [tenant_id, id],
    );
  }
  app = new pg.Client({ connectionString: world.config.databaseAppUrl! });
  await app.connect();
});

afterAll(async () => {
  await app.end();
  await world.close();
});

it.each(TABLES)(
  'shows the application role no row of %s without a tenant, and only its own with one',
  async (table) => {
    const column = table === 'tenants' ? 'id' : 'tenant_id';
    const owners = async () =>
      new Set(
        (await app.query<Record<string, string>>(`SELECT ${column} AS owner FROM ${table}`)).rows.map(
          ({ owner }) => owner,
        ),
      );
    expect((await world.sql(`SELECT DISTINCT ${column} FROM ${table}`)).length).toBeGreaterThan(1);
    await app.query('BEGIN');
    expect(await owners()).toEqual(new Set());
    expect((await app.query(`DELETE FROM ${table}`)).rowCount).toBe(0);
    await app.query(`SELECT set_config('app.tenant_id', $1, true)`, [cast.tenant.id]);
    expect(await owners()).toEqual(new Set([cast.tenant.id]));
    await app.query('ROLLBACK');
    expect(await owners()).toEqual(new Set());
  },
);

it('prevents the application role from writing to other tenants and from seeing operators', async () => {
  await app.query('BEGIN');
  await app.query(`SELECT set_config('app.tenant_id', $1, true)`, [cast.tenant.id]);
  await expect(
    app.query(`INSERT INTO users (tenant_id, email, name, role) VALUES ($1, 'x@example.com', 'X', 'admin')`, [
      cast.other.tenant.id,
    ]),
  ).rejects.toThrow(/row-level security/);
  await app.query('ROLLBACK');
  await expect(app.query('SELECT 1 FROM operators')).rejects.toThrow(/permission denied/);
});

it('fails without a tenant', async () => {
  const database = world.app.get(Database);
  for (const nobody of ['', 'x', undefined as unknown as string]) {
    await expect(database.tenant(nobody, (tx) => tx.query('SELECT 1'))).rejects.toThrow(/needs a tenant id/);
  }
});

it('shows nothing to a tenant that does not exist', async () => {
  const rows = await world.app
    .get(Database)
    .tenant(randomUUID(), (tx) => tx.query('SELECT 1 FROM tenants UNION ALL SELECT 1 FROM users'));
  expect(rows).toEqual([]);
});
