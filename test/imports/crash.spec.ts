import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { until } from '../support/until.js';
import { type ServerProcess, startProcess, stopProcesses } from '../support/processes.js';
import { createDatabase, environmentFor, type TestDatabase } from '../support/world.js';

/** V6: a server that is killed during an import leaves no partial result, and the file can be sent again. */
describe('a server that is stopped during an import', () => {
  const LINES = 5_000;
  const OPERATOR = { email: 'operator@example.com', password: 'correct horse battery staple' };
  let database: TestDatabase;
  let owner: pg.Client;
  let environment: Record<string, string>;
  let server: ServerProcess;
  let serving = false;
  /** A new one for each test. */
  let tenantId: string;
  let key: string;

  beforeAll(async () => {
    database = await createDatabase();
    owner = new pg.Client({ connectionString: database.owner_url });
    await owner.connect();
    environment = {
      ...environmentFor(database),
      VIGIE_ROLES: 'web',
      VIGIE_OPERATOR_EMAIL: OPERATOR.email,
      VIGIE_OPERATOR_PASSWORD: OPERATOR.password,
    };
  });
  beforeEach(async () => {
    // The replacement from the previous test, or a new one.
    if (!serving) await start();
    await newTenant();
  });
  afterAll(async () => {
    await stopProcesses();
    await owner.end();
    await database.drop();
  });

  async function start(): Promise<void> {
    const started = await startProcess(environment);
    server = started;
    serving = true;
    void started.ended.then(() => {
      serving = false;
    });
  }

  async function newTenant(): Promise<void> {
    const post = async (path: string, body: unknown, token?: string) => {
      const answer = await fetch(`${server.url}/api/v1/${path}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify(body),
      });
      return (await answer.json()) as Record<string, string>;
    };
    const { access_token } = await post('auth/login', OPERATOR);
    const slug = `cabinet-${randomUUID()}`;
    const tenant = await post('tenants', { slug, name: 'Cabinet', kind: 'cabinet' }, access_token);
    tenantId = tenant.id!;
    const scopes = ['watched:read', 'watched:write'];
    const created = await post(`tenants/${tenantId}/api-keys`, { name: 'import', scopes }, access_token);
    key = created.key!;
  }

  const file = `title;due_on;external_id\n${Array.from(
    { length: LINES },
    (_, n) => `task ${n};2026-04-01;A-${n}\n`,
  ).join('')}`;

  const send = (body: string | ReadableStream<Uint8Array>): Promise<Response> =>
    fetch(`${server.url}/api/v1/tasks/import`, {
      method: 'POST',
      headers: { 'x-api-key': key, 'content-type': 'text/csv' },
      body,
      duplex: 'half',
    });

  const count = async (table: string): Promise<number> => {
    const text = `SELECT count(*) FROM ${table} WHERE tenant_id = $1`;
    return Number((await owner.query<{ count: string }>(text, [tenantId])).rows[0]!.count);
  };

  async function kill(): Promise<void> {
    server.kill('SIGKILL');
    expect(await server.ended).toBe('SIGKILL');
    await until('PostgreSQL to roll back', async () => {
      const { rows } = await owner.query(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND usename = 'vigie_app'`,
      );
      return rows.length === 0;
    });
  }

  /** Checks the state after the crash, and that another server imports the same file. */
  async function expectConverges(tasksBefore: number): Promise<void> {
    expect(await count('tasks')).toBe(tasksBefore);
    // Its lease would expire after 30 s: expire it now.
    await owner.query(
      `UPDATE imports SET lease_until = now() - interval '1 second' WHERE finished_at IS NULL`,
    );
    await start();
    const list = async () => {
      const answer = await fetch(`${server.url}/api/v1/imports`, { headers: { 'x-api-key': key } });
      return ((await answer.json()) as { data: { state: string; error: string | null }[] }).data;
    };
    expect(await list()).toMatchObject([
      { state: 'failed', error: expect.stringContaining('server stopped') as string },
    ]);
    const again = await send(file);
    expect([again.status, await again.json()]).toMatchObject([
      201,
      { state: 'done', lines: LINES, rejected: 0, created: LINES - tasksBefore },
    ]);
    expect(await count('tasks')).toBe(LINES);
    expect((await list()).map(({ state }) => state)).toEqual(['done', 'failed']);
  }

  /** Sends half of the file, over a connection that stays open. */
  function sendHalf(): Promise<Response | string> {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(Buffer.from(file.slice(0, file.length / 2))),
    });
    return send(body).catch(() => 'cut off');
  }

  it('kill -9 while lines are staged', async () => {
    const sent = sendHalf();
    await until('lines to be staged', async () => (await count('import_rows')) >= 1_000);
    await kill();
    expect(await sent).toBe('cut off');
    await expectConverges(0);
  }, 60_000);

  it('kill -9 while they are applied, with thousands written and none committed', async () => {
    await owner.query(
      `INSERT INTO tasks (tenant_id, title, due_on, external_id) VALUES ($1, 'old', '2026-03-01', 'A-7')`,
      [tenantId],
    );
    // Another transaction locks a row that the import must change: it waits there, after its inserts.
    const holder = new pg.Client({ connectionString: database.owner_url });
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT FROM tasks WHERE tenant_id = $1 FOR UPDATE', [tenantId]);
    const sent = send(file).catch(() => 'cut off');
    await until('the import to wait', async () => {
      const { rows } = await owner.query(
        `SELECT FROM pg_stat_activity WHERE usename = 'vigie_app' AND datname = current_database()
           AND wait_event_type = 'Lock'`,
      );
      return rows.length > 0;
    });
    server.kill('SIGKILL');
    expect(await server.ended).toBe('SIGKILL');
    await holder.query('ROLLBACK');
    await holder.end();
    expect(await sent).toBe('cut off');
    await until('PostgreSQL to end it', async () => {
      const { rows } = await owner.query(
        `SELECT FROM pg_stat_activity WHERE usename = 'vigie_app' AND datname = current_database()`,
      );
      return rows.length === 0;
    });
    await expectConverges(1);
    const changed = await owner.query(
      `SELECT title FROM tasks WHERE tenant_id = $1 AND external_id = 'A-7'`,
      [tenantId],
    );
    expect(changed.rows).toEqual([{ title: 'task 7' }]);
  }, 60_000);

  it('SIGTERM while lines arrive: the upload is aborted, and the server ends at once', async () => {
    const sent = sendHalf();
    await until('lines to be staged', async () => (await count('import_rows')) >= 1_000);
    const asked = performance.now();
    server.kill('SIGTERM');
    expect(await server.ended).toBe(0);
    expect(performance.now() - asked).toBeLessThan(15_000);
    expect(await sent).toBe('cut off');
    const imports = await owner.query('SELECT state, error FROM imports WHERE tenant_id = $1', [tenantId]);
    expect(imports.rows).toEqual([{ state: 'failed', error: 'the upload was cut off' }]);
    expect(await count('import_rows')).toBe(0);
  }, 60_000);
});
