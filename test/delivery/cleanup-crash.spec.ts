import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { verifyArchives } from '../../src/cli/archives.js';
import { insertBacklog } from '../support/backlog.js';
import { startProcess, stopProcesses } from '../support/processes.js';
import { until } from '../support/until.js';
import { createDatabase, environmentFor, type TestDatabase } from '../support/world.js';

/** V6, V11: kill -9 in the middle of a cleanup, and of the erasure of a person: the next process completes both. */

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

it('V11: loses no row, and accepts no half-written archive', async () => {
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
  await post(first.url, 'admin/scheduler/cleanup/trigger?tenant=crash-1', {}, token);
  await until('the first chunks to be archived', async () => (await left()) < OLD_ROWS, 30_000);
  first.kill('SIGKILL');
  await first.ended;
  const rest = await left();
  expect(rest).toBeGreaterThan(0);
  // As after a minute.
  await client.query(`UPDATE job_runs SET lease_until = now() WHERE lease_until IS NOT NULL`);

  const second = await startProcess(environment);
  await until('the rest to be archived', async () => (await left()) === 0, 80_000);
  const sealed = `SELECT count(*) > 0 AND bool_and(state = 'sealed') AS value FROM archives`;
  await until('the archives to be sealed', () => one<boolean>(sealed), 20_000);
  expect((await verifyArchives(environment, undefined, { tenant: 'crash-1' })).ok).toBe(true);
  expect(await one<number>(`SELECT sum((counts ->> 'deliveries')::int)::int AS value FROM archives`)).toBe(
    OLD_ROWS,
  );

  const [user, other] = (await client.query<{ id: string }>('SELECT id FROM users ORDER BY id')).rows;
  expect(other).toBeDefined();
  const erasing = await post(second.url, 'admin/privacy/erase?tenant=crash-1', { user_id: user!.id }, token);
  second.kill('SIGKILL');
  await second.ended;
  const third = await startProcess(environment);
  const state = `SELECT state AS value FROM erasures WHERE id = '${erasing['id']!}'`;
  await until('the end of the erasure', async () => (await one(state)) === 'succeeded', 60_000);
  expect((await verifyArchives(environment, undefined, { tenant: 'crash-1' })).ok).toBe(true);
  await third.stop();
}, 240_000);
