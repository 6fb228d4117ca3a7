import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { schemaFaults } from '../../../test/rules/tables.js';
import { type Cast, createCast } from '../../../test/support/cast.js';
import type { TestDatabase } from '../../../test/support/database.js';
import {
  installedPostgres,
  type PostgresPrograms,
  type PostgresServer,
  runSql,
  startPostgres,
} from '../../../test/support/postgres-server.js';
import { until } from '../../../test/support/until.js';
import { runJob } from '../../../test/support/watched.js';
import { createWorld, mailEnvironment, type World } from '../../../test/support/world.js';
import { type MailCatcher, startMailCatcher } from '../../cli/demo/mail-catcher.js';
import { migrate, MIGRATIONS } from './migrate.js';
import { DatabaseNotPrepared } from './preparation.js';

/** R7: an external PostgreSQL whose owner is not a superuser. */

const NAMES = MIGRATIONS.map((migration) => new migration().name);
const OWNER = ['vigie_owner', 'owner-password'] as const;

/** The statements of docs/operations.md, as an operator copies them. */
const DOCUMENTED = statementsOf(readFileSync('docs/operations.md', 'utf8'), /```sql\n(CREATE ROLE[^`]+)```/);
/** The statements of the script that docker-compose.yml runs. */
const SCRIPTED = statementsOf(
  readFileSync('scripts/postgres-logins.sh', 'utf8').replace(/:'(\w+)_password'/g, "'$1-password'"),
  /<<'SQL'\n([\s\S]+?)\nSQL/,
);

function statementsOf(text: string, block: RegExp): string[] {
  const [, sql = ''] = block.exec(text) ?? [];
  return sql.split(';\n').filter((statement) => statement.trim() !== '');
}

const versions = installedPostgres();
for (const wanted of [15, 16, 17, 18]) {
  if (!versions.some(({ major }) => major === wanted))
    process.stderr.write(`R7: PostgreSQL ${wanted} is not installed here, so its tests are skipped\n`);
}

test('R7: the script of docker-compose.yml prepares the same as docs/operations.md', () => {
  expect(DOCUMENTED).toHaveLength(4);
  expect(SCRIPTED.map((statement) => statement.trim().replace(/;$/, ''))).toEqual(
    DOCUMENTED.map((statement) => statement.trim()),
  );
});

describe.each(versions)('PostgreSQL $major', (programs: PostgresPrograms) => {
  let server: PostgresServer;

  beforeAll(async () => {
    server = await startPostgres(programs);
  }, 60_000);
  afterAll(async () => server.stop());

  describe('prepared as documented', () => {
    let database: TestDatabase;
    let catcher: MailCatcher;
    let world: World;
    let cast: Cast;

    beforeAll(async () => {
      await runSql(server.url('postgres'), ...DOCUMENTED);
      expect(await migrate(server.url('vigie', ...OWNER))).toEqual(NAMES);
      // The tests set up and inspect as the superuser.
      database = {
        owner_url: server.url('vigie'),
        app_url: server.url('vigie', 'vigie_app', 'app-password'),
        system_url: server.url('vigie', 'vigie_system', 'system-password'),
        drop: () => Promise.resolve(),
      };
      catcher = await startMailCatcher();
      world = await createWorld({
        database,
        env: {
          DATABASE_URL: server.url('vigie', ...OWNER),
          VIGIE_ROLES: 'web,worker,scheduler',
          ...mailEnvironment(catcher),
        },
      });
      cast = await createCast(world);
    }, 60_000);
    afterAll(async () => {
      await world.close();
      await catcher.close();
    });

    test('R7: an owner who is no superuser migrates, and finds nothing to do the second time', async () => {
      expect(await migrate(server.url('vigie', ...OWNER))).toEqual([]);
      await as(database.owner_url, async (admin) => {
        expect(await schemaFaults(admin)).toEqual([]);
        const { rows } = await admin.query(`SELECT rolsuper FROM pg_roles WHERE rolname = 'vigie_owner'`);
        expect(rows).toEqual([{ rolsuper: false }]);
      });
    });

    test('R7: neither the owner nor a login sees more than the policies allow', async () => {
      const seen = (url: string) =>
        as(url, async (client) => {
          const { rows } = await client.query<{ count: number }>('SELECT count(*)::int FROM tenants');
          return rows[0]!.count;
        });
      expect(await seen(server.url('vigie', ...OWNER))).toBe(0);
      expect(await seen(database.app_url)).toBe(0);
      expect(await seen(database.system_url)).toBe(2);
    });

    test('R7: the product works: a deadline becomes a mail, a row of the feed, and a backup status', async () => {
      const { token } = cast.admin;
      const today = new Date().toISOString().slice(0, 10);
      const created = await world.http('POST', '/api/v1/deadlines', {
        token,
        body: { title: 'TVA CA3', due_on: today },
      });
      expect(created.status).toBe(201);
      for (const job of ['check-notifications', 'check-backups', 'update-statuses', 'cleanup'] as const)
        await runJob(world, cast.tenant_id, job);
      await until('the mail', () => catcher.count > 0, 30_000);
      const feed = await world.http('GET', '/api/v1/notifications', { token });
      expect(feed.body.data).toHaveLength(1);
      for (const path of ['admin/statistics', 'backups/status', 'deliveries', 'alerts', 'audit'])
        expect([
          path,
          (await world.http('GET', `/api/v1/${path === 'audit' ? 'admin/audit' : path}`, { token })).status,
        ]).toEqual([path, 200]);
    }, 60_000);
  });

  describe('with DATABASE_URL alone', () => {
    const name = `alone_${randomUUID().slice(0, 8)}`;

    test('R7: an owner who may create roles grants them to itself', async () => {
      const owner = `creator_${name}`;
      await runSql(
        server.url('postgres'),
        `DROP DATABASE IF EXISTS vigie WITH (FORCE)`,
        `DROP ROLE IF EXISTS vigie_app`,
        `DROP ROLE IF EXISTS vigie_system`,
        `CREATE ROLE ${owner} LOGIN CREATEROLE PASSWORD 'secret'`,
        `CREATE DATABASE ${name} OWNER ${owner} TEMPLATE template0`,
      );
      const url = server.url(name, owner, 'secret');
      expect(await migrate(url, { takenOn: ['vigie_app', 'vigie_system'] })).toEqual(NAMES);
      expect(await migrate(url, { takenOn: ['vigie_app', 'vigie_system'] })).toEqual([]);
      for (const role of ['vigie_app', 'vigie_system'])
        await as(url, (client) => client.query('SELECT count(*) FROM tenants'), `-c role=${role}`);
    });

    test('R7: an owner without rights gets a list of everything missing, and the SQL that fixes it', async () => {
      const owner = `plain_${name}`;
      const database = `plain_${name}`;
      await runSql(
        server.url('postgres'),
        `DROP DATABASE ${name} WITH (FORCE)`,
        `DROP ROLE vigie_app`,
        `DROP ROLE vigie_system`,
        `CREATE ROLE ${owner} LOGIN PASSWORD 'secret'`,
        `CREATE DATABASE ${database} TEMPLATE template0`,
      );
      const url = server.url(database, owner, 'secret');
      const fault = await faultOf(() => migrate(url, { takenOn: ['vigie_app', 'vigie_system'] }));
      expect(fault.faults).toEqual([
        `${owner} cannot create tables in the schema public of ${database}`,
        `the role vigie_app does not exist, and ${owner} cannot create it`,
        `${owner} cannot SET ROLE vigie_app`,
        `the role vigie_system does not exist, and ${owner} cannot create it`,
        `${owner} cannot SET ROLE vigie_system`,
      ]);
      expect(fault.message).toContain('docs/operations.md, "Preparing an external PostgreSQL"');
      await runSql(server.url(database), ...fault.remedies);
      expect(await migrate(url, { takenOn: ['vigie_app', 'vigie_system'] })).toEqual(NAMES);
      await as(url, (client) => client.query('SELECT count(*) FROM tenants'), '-c role=vigie_system');
      // With separate logins the roles must be able to log in.
      const logins = await faultOf(() => migrate(url));
      expect(logins.faults).toEqual(['vigie_app cannot log in', 'vigie_system cannot log in']);
      await runSql(server.url(database), ...logins.remedies);
      expect(await migrate(url)).toEqual([]);
    });

    test('R7: a database with another encoding is refused before anything is written to it', async () => {
      await runSql(
        server.url('postgres'),
        `CREATE DATABASE latin_${name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'`,
      );
      const fault = await faultOf(() => migrate(server.url(`latin_${name}`)));
      expect(fault.faults).toEqual([
        `the database latin_${name} has the encoding LATIN1, not UTF8: create another database`,
      ]);
    });
  });
});

async function faultOf(work: () => Promise<unknown>): Promise<DatabaseNotPrepared> {
  const error: unknown = await work().catch((failure: unknown) => failure);
  if (!(error instanceof DatabaseNotPrepared))
    throw new Error(`no fault of the preparation: ${String(error)}`);
  return error;
}

async function as<Result>(
  url: string,
  work: (client: pg.Client) => Promise<Result>,
  options?: string,
): Promise<Result> {
  const client = new pg.Client({ connectionString: url, ...(options === undefined ? {} : { options }) });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
