import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { insertBacklog } from '../../../test/support/backlog.js';
import { createCast } from '../../../test/support/cast.js';
import {
  installedPostgres,
  type PostgresServer,
  runSql,
  startPostgres,
} from '../../../test/support/postgres-server.js';
import { until } from '../../../test/support/until.js';
import { createWorld, mailEnvironment, type World } from '../../../test/support/world.js';
import { type MailCatcher, startMailCatcher } from '../../cli/demo/mail-catcher.js';
import { migrate } from './migrate.js';

/** Follows docs/operations.md, "Backup and restore", on a live installation. */

const run = promisify(execFile);
const [, PREPARATION = ''] =
  /```sql\n(CREATE ROLE[^`]+)```/.exec(readFileSync('docs/operations.md', 'utf8')) ?? [];

const programs = installedPostgres().filter(({ bin }) => existsSync(join(bin, 'pg_dump')));
if (programs.length === 0)
  process.stderr.write(
    'there is no pg_dump on this machine (apt-get install postgresql): restoring is not tried\n',
  );

test('the preparation matches the documentation', () => {
  expect(PREPARATION).toContain('CREATE DATABASE vigie');
});

describe.each(programs)('PostgreSQL $major', ({ bin, major }) => {
  let first: PostgresServer;
  let second: PostgresServer;
  let catcher: MailCatcher;
  let folder: string;

  beforeAll(async () => {
    [first, second, catcher, folder] = await Promise.all([
      startPostgres({ bin, major }),
      startPostgres({ bin, major }),
      startMailCatcher(),
      mkdtemp(join(tmpdir(), 'vigie-dump-')),
    ]);
    for (const server of [first, second])
      await runSql(server.url('postgres'), ...PREPARATION.split(';\n').filter((sql) => sql.trim() !== ''));
    await migrate(first.url('vigie', 'vigie_owner', 'owner-password'));
  }, 90_000);
  afterAll(async () => {
    await Promise.all([first.stop(), second.stop(), catcher.close(), rm(folder, { recursive: true })]);
  });

  /** An installation on this server with a new Redis prefix, as if the contents of Redis were lost. */
  async function start(server: PostgresServer): Promise<World> {
    return createWorld({
      database: {
        owner_url: server.url('vigie'),
        app_url: server.url('vigie', 'vigie_app', 'app-password'),
        system_url: server.url('vigie', 'vigie_system', 'system-password'),
        drop: () => Promise.resolve(),
      },
      env: {
        VIGIE_ROLES: 'web,worker,scheduler',
        ...mailEnvironment(catcher),
      },
    });
  }
  const backlog = (world: World, prefix: string) =>
    insertBacklog(
      { query: async (text, values) => ({ rows: await world.sql(text, values) }) },
      { tenants: 1, deliveries: 20, users: 20, prefix },
    );

  test('a dump of a live installation starts elsewhere, keeps people signed in, and re-sends nothing', async () => {
    const live = await start(first);
    const cast = await createCast(live);
    await backlog(live, 'sent');
    await until('the first mails', async () => {
      const [row] = await live.sql<{ count: number }>(
        `SELECT count(*)::int FROM deliveries WHERE state = 'sent'`,
      );
      return row?.count === 20;
    });
    // Keep deliveries pending while the dump is taken.
    await live.sql(`UPDATE channels SET paused = true`);
    await backlog(live, 'waiting');
    const dump = join(folder, 'vigie.dump');
    await run(join(bin, 'pg_dump'), ['--format=custom', `--file=${dump}`, first.url('vigie')]);
    await live.close();

    await run(join(bin, 'pg_restore'), ['--exit-on-error', `--dbname=${second.url('vigie')}`, dump]);
    expect(await migrate(second.url('vigie', 'vigie_owner', 'owner-password'))).toEqual([]);
    const restored = await start(second);
    await restored.sql(`UPDATE channels SET paused = false`);
    await until('the waiting mails', () => catcher.count >= 40, 30_000);
    await until('their outcomes', async () => {
      const rows = await restored.sql(`SELECT FROM deliveries WHERE state <> 'sent'`);
      return rows.length === 0;
    });
    expect(catcher.count).toBe(40);
    // The JWT_SECRET is the same, so sessions stay valid.
    const me = await restored.http('GET', '/api/v1/notifications', { token: cast.admin.token });
    expect(me.status).toBe(200);
    const outside = await restored.http('GET', '/api/v1/users', { token: cast.outsider.token });
    expect(outside.body.data).toHaveLength(1);
    await restored.close();
  }, 120_000);
});
