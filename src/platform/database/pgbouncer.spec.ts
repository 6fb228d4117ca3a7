import { randomUUID } from 'node:crypto';
import { insertBacklog } from '../../../test/support/backlog.js';
import { addTenant, type Cast, createCast } from '../../../test/support/cast.js';
import { createDatabase, environmentFor, type TestDatabase } from '../../../test/support/database.js';
import { describeWithPgBouncer, type PgBouncer, startPgBouncer } from '../../../test/support/pgbouncer.js';
import { until } from '../../../test/support/until.js';
import { runJob } from '../../../test/support/watched.js';
import { createWorld, mailEnvironment, type World } from '../../../test/support/world.js';
import { type MailCatcher, startMailCatcher } from '../../cli/demo/mail-catcher.js';
import { runSql } from '../../../test/support/postgres-server.js';
import { readConfig } from '../config/config.js';
import { checkPostgres } from './database.module.js';
import { Database, SystemDatabase } from './database.js';
import { migrate } from './migrate.js';
import { prepared } from './transaction.js';

/** R12: a PgBouncer in transaction mode between the processes and PostgreSQL. */

test("R12: without PgBouncer a connection gets the pool's settings at start", async () => {
  const world = await createWorld();
  const [row] = await world.app
    .get(SystemDatabase)
    .query<{ timeout: string }>(`SELECT current_setting('statement_timeout') AS timeout`);
  expect(row).toEqual({ timeout: '1min' });
  await world.close();
});

describeWithPgBouncer('PgBouncer in transaction mode', () => {
  let database: TestDatabase;
  let bouncer: PgBouncer;
  /** The URLs through PgBouncer. */
  let env: Record<string, string>;

  beforeAll(async () => {
    database = await createDatabase();
    const urls = [database.owner_url, database.app_url, database.system_url].map((url) => new URL(url));
    const logins = Object.fromEntries(urls.map(({ username, password }) => [username, password]));
    // Fewer connections than the pools want, so that transactions share them.
    bouncer = await startPgBouncer(Number(urls[0]!.port), logins, 3);
    const [owner = '', app = '', system = ''] = urls.map(
      (url) => Object.assign(url, { port: String(bouncer.port) }).href,
    );
    env = { DATABASE_URL: owner, DATABASE_APP_URL: app, DATABASE_SYSTEM_URL: system };
  });
  afterAll(async () => {
    await bouncer.stop();
    await database.drop();
  });

  test('R12: without DATABASE_POOLER the start fails with the setting to add', async () => {
    await expect(checkPostgres(readConfig({ ...environmentFor(database), ...env }))).rejects.toThrow(
      'the database URLs lead to a PgBouncer: set DATABASE_POOLER=transaction, or name PostgreSQL itself',
    );
  });

  test('R12: one that ignores the settings of a connection is refused: the pools would run as the owner', async () => {
    const owner = new URL(database.owner_url);
    const ignoring = await startPgBouncer(Number(owner.port), { [owner.username]: owner.password }, 3, [
      'options',
      'statement_timeout',
      'idle_in_transaction_session_timeout',
    ]);
    owner.port = String(ignoring.port);
    try {
      const config = readConfig({
        JWT_SECRET: environmentFor(database).JWT_SECRET,
        DATABASE_URL: owner.href,
      });
      await expect(checkPostgres(config)).rejects.toThrow(
        'the database URLs lead to a PgBouncer: set DATABASE_POOLER=transaction, or name PostgreSQL itself',
      );
    } finally {
      await ignoring.stop();
    }
  });

  test('R12: five processes migrate through it at the same time, once', async () => {
    const name = `pooled_${randomUUID().slice(0, 8)}`;
    await runSql(database.owner_url, `CREATE DATABASE ${name}`);
    const url = Object.assign(new URL(env.DATABASE_URL!), { pathname: `/${name}` }).href;
    // One process holds the lock on one connection and migrates on another; the rest wait on the third.
    const ran = await Promise.all(Array.from({ length: 5 }, () => migrate(url)));
    expect(ran.flat()).toHaveLength(1);
    await runSql(database.owner_url, `DROP DATABASE ${name} WITH (FORCE)`);
  }, 60_000);

  describe('with DATABASE_POOLER=transaction', () => {
    let catcher: MailCatcher;
    let world: World;
    let cast: Cast;

    beforeAll(async () => {
      catcher = await startMailCatcher();
      world = await createWorld({
        database,
        env: {
          ...env,
          DATABASE_POOLER: 'transaction',
          DATABASE_STATEMENT_TIMEOUT_SECONDS: '2',
          VIGIE_ROLES: 'web,worker,scheduler',
          ...mailEnvironment(catcher),
        },
      });
      cast = await createCast(world);
    });
    afterAll(async () => {
      await world.close();
      await catcher.close();
    });

    test('R12: tenants stay isolated on shared connections, even under load', async () => {
      const tenants = [cast.tenant_id, cast.other.tenant.id];
      const read = prepared('SELECT id, current_user::text AS role FROM tenants WHERE $1::text IS NOT NULL');
      const app = world.app.get(Database);
      const answers = await Promise.all(
        Array.from({ length: 200 }, async (_, n) => {
          const tenant = tenants[n % 2]!;
          const rows =
            n % 3 === 0
              ? await app.tenant(tenant, (tx) => tx.query<{ id: string; role: string }>(read, ['x']))
              : await app.single(tenant).query<{ id: string; role: string }>(read, ['x']);
          return { tenant, rows };
        }),
      );
      for (const { tenant, rows } of answers) expect(rows).toEqual([{ id: tenant, role: 'vigie_app' }]);
    });

    test('R12: each statement has its time limit, which a transaction may raise', async () => {
      const system = world.app.get(SystemDatabase);
      for (const run of [
        () => system.query('SELECT pg_sleep(10)'),
        () => system.transaction((tx) => tx.query('SELECT pg_sleep(10)')),
        () => world.app.get(Database).tenant(cast.tenant_id, (tx) => tx.query('SELECT pg_sleep(10)')),
        () => world.app.get(Database).single(cast.tenant_id).query('SELECT pg_sleep(10)'),
      ])
        await expect(run()).rejects.toThrow(/statement timeout/);
      await system.transaction(async (tx) => {
        await tx.allowLongStatements(10_000);
        await tx.query('SELECT pg_sleep(2.5)');
      });
      // The next user of the connection inherits none of it.
      const [row] = await system.query<{ timeout: string }>(
        `SELECT current_setting('statement_timeout') AS timeout`,
      );
      expect(row).toEqual({ timeout: '2s' });
    }, 60_000);

    test('R12: the product works: checks, mails, feeds, imports', async () => {
      const { token } = cast.admin;
      const due_on = new Date().toISOString().slice(0, 10);
      await world.http('POST', '/api/v1/deadlines', { token, body: { title: 'TVA CA3', due_on } });
      const imported = await world.http('POST', '/api/v1/deadlines/import', {
        token,
        body: `title;due_on\nDSN;${due_on}\nIS;${due_on}\n`,
        headers: { 'content-type': 'text/csv' },
      });
      expect(imported.status).toBe(201);
      for (const job of ['check-notifications', 'check-backups', 'update-statuses', 'cleanup'] as const)
        await runJob(world, cast.tenant_id, job);
      await insertBacklog(
        { query: async (text, values) => ({ rows: await world.sql(text, values) }) },
        { tenants: 5, deliveries: 40, users: 40, prefix: 'pooled' },
      );
      await until('the mails', () => catcher.count >= 201, 60_000);
      const feed = await world.http('GET', '/api/v1/notifications', { token });
      expect(feed.body.data).toHaveLength(3);
      expect((await world.http('GET', '/readyz')).status).toBe(200);
      const unsent = await world.sql(`SELECT state FROM deliveries WHERE state IN ('failed', 'unknown')`);
      expect(unsent).toEqual([]);
    }, 90_000);
  });

  test('R12: without separate logins the pools take on their roles in each transaction', async () => {
    const world = await createWorld({
      database,
      env: {
        DATABASE_URL: env.DATABASE_URL!,
        DATABASE_APP_URL: '',
        DATABASE_SYSTEM_URL: '',
        DATABASE_POOLER: 'transaction',
      },
    });
    try {
      const { id } = await addTenant(world);
      const rows = await world.app
        .get(Database)
        .single(id)
        .query('SELECT current_user::text AS role, count(*)::int AS tenants FROM tenants');
      expect(rows).toEqual([{ role: 'vigie_app', tenants: 1 }]);
      const [system] = await world.app.get(SystemDatabase).query('SELECT current_user::text AS role');
      expect(system).toEqual({ role: 'vigie_system' });
    } finally {
      await world.close();
    }
  });
});
