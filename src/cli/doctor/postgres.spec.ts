import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { TLSSocket } from 'node:tls';
import pg from 'pg';
import { createDatabase, environmentFor, type TestDatabase } from '../../../test/support/database.js';
import { describeWithPgBouncer, startPgBouncer } from '../../../test/support/pgbouncer.js';
import { selfSigned } from '../../../test/support/self-signed.js';
import { runCheck } from './check.js';
import { CHECKS } from './checks.js';
import { createContext } from './context.js';
import type { CheckedFinding } from './finding.js';
import { roleFindings } from './roles.js';

/** E13: `vigie doctor` finds each fault of PostgreSQL, and names its remedy. */

let database: TestDatabase;
let environment: Record<string, string>;
let owner: pg.Client;
const SECRET = 'a-secret-in-the-url';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
beforeAll(async () => {
  database = await createDatabase();
  environment = environmentFor(database);
  owner = new pg.Client({ connectionString: database.owner_url });
  await owner.connect();
});
afterAll(async () => {
  await owner.end();
  await database.drop();
});

async function findings(
  id: string,
  changes: Record<string, string | undefined> = {},
): Promise<CheckedFinding[]> {
  const check = CHECKS.find((each) => each.id === id)!;
  return runCheck(check, await createContext({ ...environment, ...changes }));
}
const changed = (url: string, change: Partial<URL>): string => Object.assign(new URL(url), change).href;
/** Only the owner's URL, so that there is one finding. */
const onlyOwner = (url: string) => ({
  DATABASE_URL: url,
  DATABASE_APP_URL: undefined,
  DATABASE_SYSTEM_URL: undefined,
});

it('E13: finds nothing wrong with a migrated database', async () => {
  for (const id of ['postgresql', 'schema', 'roles', 'pooler']) {
    const found = await findings(id);
    expect([id, found.map(({ state }) => state)]).toEqual([id, found.map(() => 'ok')]);
  }
  expect(await findings('roles', onlyOwner(database.owner_url))).toMatchObject([{ state: 'ok' }]);
});

it.each<[string, () => string, RegExp, RegExp]>([
  [
    'a wrong password',
    () => changed(database.app_url, { password: SECRET }),
    /rejects the user vigie_app or the password/,
    /ALTER ROLE vigie_app PASSWORD/,
  ],
  [
    'a closed port',
    () => changed(database.app_url, { port: '1' }),
    /127\.0\.0\.1:1: no program listens there/,
    /Start PostgreSQL, or correct host and port in DATABASE_URL/,
  ],
  [
    'an unknown host',
    () => changed(database.app_url, { hostname: 'no-such-host.invalid' }),
    /host name/,
    /Correct the host name in DATABASE_URL/,
  ],
  [
    'a database that does not exist',
    () => changed(database.app_url, { pathname: '/nothing_here' }),
    /the database nothing_here does not exist/,
    /Create it/,
  ],
  [
    'TLS where PostgreSQL offers none',
    () => changed(database.app_url, { search: '?sslmode=verify-full' }),
    /PostgreSQL offers no TLS/,
    /Remove sslmode from DATABASE_URL/,
  ],
])('E13: PostgreSQL with %s', async (_what, url, message, remedy) => {
  const found = await findings('postgresql', onlyOwner(url()));
  expect(found).toEqual([
    {
      id: 'postgresql',
      state: 'fault',
      message: expect.stringMatching(message),
      remedy: expect.stringMatching(remedy),
    },
  ]);
  expect(JSON.stringify(found)).not.toContain(SECRET);
  // The other checks do not repeat it.
  expect((await findings('schema', onlyOwner(url()))).map(({ state }) => state)).not.toContain('fault');
});

it('E13: a certificate of PostgreSQL from an unknown authority', async () => {
  const server = await startTlsPostgres();
  const { port } = server.address() as AddressInfo;
  const url = `postgres://vigie:${SECRET}@127.0.0.1:${port}/vigie?sslmode=verify-full`;
  expect(await findings('postgresql', onlyOwner(url))).toMatchObject([
    {
      state: 'fault',
      message: expect.stringMatching(/unknown authority/),
      remedy: expect.stringMatching(/sslrootcert=/),
    },
  ]);
});

/** Answers the request for TLS with yes (PostgreSQL's protocol, SSLRequest), and then only encrypts. */
async function startTlsPostgres(): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.write('S');
      new TLSSocket(socket, { isServer: true, ...selfSigned() }).on('error', () => socket.destroy());
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => new Promise((closed) => server.close(closed)));
  return server;
}

it('E13: a schema that is not migrated, and one of a newer version (R13)', async () => {
  const name = new URL(database.owner_url).pathname.slice(1);
  await owner.query(`CREATE DATABASE ${name}_empty`);
  const empty = changed(database.owner_url, { pathname: `/${name}_empty` });
  expect(await findings('schema', onlyOwner(empty))).toMatchObject([
    {
      state: 'fault',
      message: expect.stringMatching(/not migrated/),
      remedy: expect.stringMatching(/vigie migrate/),
    },
  ]);
  expect(await findings('scheduler', onlyOwner(empty))).toMatchObject([{ state: 'note' }]);
  await owner.query(`DROP DATABASE ${name}_empty`);

  await owner.query(`INSERT INTO migrations (timestamp, name) VALUES (1, 'Future9999999999999')`);
  expect(await findings('schema')).toMatchObject([
    {
      state: 'fault',
      message: expect.stringMatching(/newer version of Vigie .*Future9999999999999/),
      remedy: expect.stringMatching(/Start that version/),
    },
  ]);
  await owner.query(`DELETE FROM migrations WHERE name = 'Future9999999999999'`);
});

it('E13: a role without a right, a table without row-level security, a login that is not the role', async () => {
  await owner.query('REVOKE UPDATE ON tasks FROM vigie_app');
  await owner.query('ALTER TABLE document_requests NO FORCE ROW LEVEL SECURITY');
  const found = await findings('roles');
  expect(found).toEqual([
    expect.objectContaining({
      state: 'fault',
      message: expect.stringMatching(/switched off for document_requests/),
    }),
    expect.objectContaining({
      state: 'fault',
      message: 'vigie_app lacks rights on tasks',
      remedy: 'As the owner: GRANT SELECT, INSERT, UPDATE, DELETE ON tasks TO vigie_app;',
    }),
  ]);
  // The remedies work.
  for (const { remedy } of found) await owner.query(remedy!.replace(/^As the owner: /, ''));
  expect(await findings('roles')).toMatchObject([{ state: 'ok' }]);

  expect(await findings('roles', { DATABASE_APP_URL: database.owner_url })).toMatchObject([
    {
      state: 'fault',
      message: expect.stringMatching(/^DATABASE_APP_URL signs in as \w+, not as vigie_app$/),
    },
  ]);
});

it('E13: an application role that bypasses row-level security', () => {
  const row = { login: 'vigie_app', bypasses: true, lacking: null, unprotected: null };
  expect(roleFindings('vigie_app', row)).toMatchObject([
    { state: 'fault', remedy: expect.stringMatching(/NOSUPERUSER NOBYPASSRLS/) },
  ]);
  expect(roleFindings('vigie_app', { ...row, bypasses: false })).toEqual([]);
});

describeWithPgBouncer('PgBouncer in transaction mode', () => {
  it('R12: without DATABASE_POOLER is a fault, with it none', async () => {
    const urls = [database.owner_url, database.app_url, database.system_url].map((url) => new URL(url));
    const logins = Object.fromEntries(urls.map(({ username, password }) => [username, password]));
    const bouncer = await startPgBouncer(Number(urls[0]!.port), logins, 3);
    closing.push(() => bouncer.stop());
    const [DATABASE_URL, DATABASE_APP_URL, DATABASE_SYSTEM_URL] = urls.map((url) =>
      changed(url.href, { port: String(bouncer.port) }),
    );
    const through = { DATABASE_URL, DATABASE_APP_URL, DATABASE_SYSTEM_URL };
    expect(await findings('pooler', through)).toMatchObject([
      { state: 'fault', remedy: expect.stringMatching(/^Set DATABASE_POOLER=transaction/) },
    ]);
    const pooled = { ...through, DATABASE_POOLER: 'transaction' };
    expect(await findings('pooler', pooled)).toMatchObject([{ state: 'ok' }]);
    expect(await findings('roles', pooled)).toMatchObject([{ state: 'ok' }]);
  });
});
