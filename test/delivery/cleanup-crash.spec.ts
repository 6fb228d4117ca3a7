import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { verifyArchives } from '../../src/cli/archives.js';
import { archivesOf, tracesIn } from '../../src/ops/privacy/erasure/erasure.fixture.js';
import { insertBacklog } from '../support/backlog.js';
import { type ServerProcess, startProcess, stopProcesses } from '../support/processes.js';
import { until } from '../support/until.js';
import { createDatabase, environmentFor, type TestDatabase, type World } from '../support/world.js';

/** V6, V11: kill -9 in the middle of a cleanup, and of the erasure of a person: the next process completes both. */

interface Erased {
  id: string;
  tenant_id: string;
  email: string;
}

const OLD_ROWS = 6_000;
const OPERATOR = { email: 'operator@example.com', password: 'a password for operators' };
let database: TestDatabase;
let client: pg.Client;
let folder: string;
let environment: Record<string, string>;

beforeAll(async () => {
  database = await createDatabase();
  client = new pg.Client({ connectionString: database.owner_url });
  await client.connect();
  folder = await mkdtemp(join(tmpdir(), 'vigie-crash-'));
  environment = {
    ...environmentFor(database),
    VIGIE_ROLES: 'web,worker,scheduler',
    VIGIE_DATA_DIR: folder,
    VIGIE_OPERATOR_EMAIL: OPERATOR.email,
    VIGIE_OPERATOR_PASSWORD: OPERATOR.password,
  };
});
afterAll(async () => {
  await stopProcesses();
  await client.end();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

async function post(
  url: string,
  path: string,
  body: object,
  token?: string,
): Promise<Record<string, string>> {
  const headers = {
    'content-type': 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  const response = await fetch(`${url}/api/v1/${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  });
  expect(response.status).toBeLessThan(300);
  return (await response.json()) as Record<string, string>;
}
const one = async <Value>(sql: string): Promise<Value> =>
  (await client.query<{ value: Value }>(sql)).rows[0]!.value;
const left = () => one<number>(`SELECT count(*)::int AS value FROM deliveries`);

const sql: World['sql'] = async <Row>(text: string, values: unknown[] = []) =>
  (await client.query(text, values)).rows as Row[];

/** Stops the second and each later write to the record of an archive until `go`. */
async function holdArchives(): Promise<void> {
  await client.query(`
    SELECT pg_advisory_lock(1);
    CREATE OR REPLACE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        -- Not a wait for a lock, which would time out.
        WHILE NOT pg_try_advisory_xact_lock(1) LOOP PERFORM pg_sleep(0.05); END LOOP;
        RETURN NEW;
      END $$;
    CREATE OR REPLACE TRIGGER waits BEFORE UPDATE ON archives FOR EACH ROW WHEN (OLD.bytes > 0)
      EXECUTE FUNCTION wait_for_test()`);
}
const isHeld = () =>
  one<boolean>(
    `SELECT count(*) > 0 AS value FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'`,
  );
const go = () => client.query('SELECT pg_advisory_unlock(1)');

async function kill(server: ServerProcess): Promise<void> {
  server.kill('SIGKILL');
  await server.ended;
}

it('V11, V6: a killed cleanup loses no row, and a killed erasure leaves no trace in an archive', async () => {
  await insertBacklog(client, { tenants: 1, deliveries: OLD_ROWS, users: 2, prefix: 'crash' });
  await client.query(
    `UPDATE deliveries SET state = 'sent', sent_at = now() - interval '60 days', ended_at = now() - interval '60 days',
            created_at = now() - interval '60 days'`,
  );
  await client.query(
    `UPDATE notifications SET created_at = now() - interval '60 days', read_at = now() - interval '60 days'`,
  );
  const first = await startProcess(environment);
  const { access_token: token } = await post(first.url, 'auth/login', OPERATOR);
  await holdArchives();
  await post(first.url, 'admin/scheduler/cleanup/trigger?tenant=crash-1', {}, token);
  await until('the second chunk to be written', isHeld, 30_000);
  await kill(first);
  expect(await left()).toBeLessThan(OLD_ROWS);
  expect(await left()).toBeGreaterThan(0);
  await go();
  // As if a minute had passed.
  await client.query(`UPDATE job_runs SET lease_until = now() WHERE lease_until IS NOT NULL`);

  const second = await startProcess(environment);
  await until('the rest to be archived', async () => (await left()) === 0, 80_000);
  const sealed = `SELECT count(*) > 0 AND bool_and(state = 'sealed') AS value FROM archives`;
  await until('the archives to be sealed', () => one<boolean>(sealed), 20_000);
  // An erasure waits for a running cleanup.
  const ended = `SELECT count(*) = 0 AS value FROM job_runs WHERE job = 'cleanup' AND state IN ('queued', 'running')`;
  await until('the end of the cleanup', () => one<boolean>(ended), 60_000);
  expect((await verifyArchives(environment, undefined, { tenant: 'crash-1' })).ok).toBe(true);
  expect(await one<number>(`SELECT sum((counts ->> 'deliveries')::int)::int AS value FROM archives`)).toBe(
    OLD_ROWS,
  );

  const [user] = await sql<Erased>('SELECT id, tenant_id, email FROM users ORDER BY id LIMIT 1');
  const trace = user!.email.replaceAll('.', '\\.');
  const archived = () => archivesOf({ data_dir: folder }, 'crash-1', trace);
  expect((await archived()).traces).toBeGreaterThan(0);
  await holdArchives();
  const { id } = await post(second.url, 'admin/privacy/erase?tenant=crash-1', { user_id: user!.id }, token);
  await until('the archive to be rewritten', isHeld, 30_000);
  await kill(second);
  const state = `SELECT state AS value FROM erasures WHERE id = '${id!}'`;
  expect(await one(state)).toBe('running');
  await go();
  const third = await startProcess(environment);
  await until('the end of the erasure', async () => (await one(state)) === 'succeeded', 60_000);
  expect(await tracesIn({ sql }, user!.tenant_id, trace)).toEqual([]);
  expect((await archived()).traces).toBe(0);
  expect((await verifyArchives(environment, undefined, { tenant: 'crash-1' })).ok).toBe(true);
  await third.stop();
}, 240_000);
