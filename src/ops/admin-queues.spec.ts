import { insertBacklog } from '../../test/support/backlog.js';
import { type Cast, createCast } from '../../test/support/cast.js';
import { until } from '../../test/support/until.js';
import { createWorld, type World } from '../../test/support/world.js';
import { Dispatcher } from '../delivery/dispatcher.js';
import { Leases } from '../delivery/leases.js';
import { Queues } from '../platform/queues/queues.js';
import { SchedulerPoller } from '../scheduler/scheduler.poller.js';
import type { QueueView } from './queues.dto.js';

/** C10, E8: what operators see of queues and do with them. No workers: everything stays where it was put. */
let world: World;
let cast: Cast;
let dispatcher: Dispatcher;
let queues: Queues;

beforeAll(async () => {
  world = await createWorld({ env: { SMTP_HOST: '127.0.0.1', SMTP_FROM_EMAIL: 'vigie@vigie.example' } });
  cast = await createCast(world);
  dispatcher = world.app.get(Dispatcher, { strict: false });
  queues = world.app.get(Queues);
});
afterAll(() => world.close());

beforeEach(async () => {
  await world.sql('DELETE FROM notifications');
  await world.sql('DELETE FROM job_runs');
  await world.sql('DELETE FROM paused_run_queues');
  await world.sql('DELETE FROM workers');
  await world.sql('UPDATE channels SET paused = false');
  await Promise.all((['mail', 'checks', 'maintenance'] as const).map((name) => queues.empty(name)));
});
afterEach(() => jest.restoreAllMocks());

const ask = (method: string, path: string, token = cast.operator.token) =>
  world.http(method, `/api/v1/admin/queues${path}`, { token });
const post = (path: string) => ask('POST', path);
const view = async (name: string): Promise<QueueView> => {
  const { body } = await ask('GET', '');
  return (body.data as QueueView[]).find(({ queue }) => queue === name)!;
};
const states = async (table = 'deliveries') =>
  Object.fromEntries(
    (
      await world.sql<{ state: string; count: number }>(
        `SELECT state, count(*)::integer FROM ${table} GROUP BY state`,
      )
    ).map(({ state, count }) => [state, count]),
  );

let backlogs = 0;
async function backlog(deliveries: number, prefix = `b${(backlogs += 1)}`): Promise<string> {
  const [id] = await insertBacklog(
    { query: async (text: string, values?: unknown[]) => ({ rows: await world.sql(text, values) }) },
    { tenants: 1, deliveries, users: deliveries, prefix },
  );
  await world.sql(`UPDATE deliveries SET due_at = due_at - interval '1 minute' WHERE tenant_id = $1`, [id]);
  return id!;
}
const workers = (concurrency: number) =>
  world.sql(`INSERT INTO workers VALUES (gen_random_uuid(), 'email', $1, now())`, [concurrency]);

/** Ten deliveries: four queued and in Bull, one of them being sent, four due, two put off. */
async function tenDeliveries(): Promise<string> {
  const tenant = await backlog(10);
  await world.sql(
    `UPDATE deliveries SET due_at = now() + interval '1 hour', defer_reason = 'quiet_hours'
     WHERE id IN (SELECT id FROM deliveries ORDER BY id LIMIT 2)`,
  );
  await workers(1);
  expect(await dispatcher.round('email')).toEqual({ admitted: 4, deferred: 0 });
  await claimOne();
  return tenant;
}

async function claimOne(): Promise<void> {
  const [job] = await world.sql<{ tenant_id: string; delivery_id: string; lease_token: string }>(
    `SELECT tenant_id, id AS delivery_id, lease_token FROM deliveries WHERE state = 'queued' LIMIT 1`,
  );
  expect(await world.app.get(Leases, { strict: false }).claim(job!)).not.toBe(false);
}

const trigger = (job: string) =>
  world.http('POST', `/api/v1/admin/scheduler/${job}/trigger?tenant=${cast.tenant.slug}`, {
    token: cast.operator.token,
  });

describe('the list', () => {
  test('has counts of PostgreSQL and of Bull side by side, and the living workers', async () => {
    await tenDeliveries();
    await trigger('cleanup');
    expect((await ask('GET', '')).status).toBe(200);
    const mail = await view('mail');
    expect(mail).toMatchObject({
      paused: false,
      postgres: { due: 4, deferred: 2, queued: 3, sending: 1, sent_24h: 0, failed_24h: 0 },
      bull: { waiting: 4, active: 0, delayed: 0, failed: 0 },
      bull_error: null,
      workers: { processes: 1, concurrency: 1 },
    });
    expect((mail.postgres as { oldest_due_seconds: number }).oldest_due_seconds).toBeGreaterThanOrEqual(60);
    expect(await view('maintenance')).toMatchObject({
      postgres: { queued: 1, running: 0, succeeded_24h: 0, failed_24h: 0 },
      bull: { waiting: 1 },
      workers: null,
    });
    expect(await view('checks')).toMatchObject({ postgres: { queued: 0, oldest_queued_seconds: null } });
  });

  test('is there without Redis, and says what is missing', async () => {
    await backlog(3);
    jest.spyOn(queues, 'countsOf').mockRejectedValue(new Error('Redis did not answer within 2 s'));
    expect(await view('mail')).toMatchObject({
      postgres: { due: 3 },
      bull: null,
      bull_error: 'Redis did not answer within 2 s',
    });
  });
});

describe('the jobs of a queue', () => {
  test('are told by their states, in pages, with ids and times and nothing about persons', async () => {
    const tenant = await tenDeliveries();
    const active = await ask('GET', '/mail/jobs?state=active');
    expect(active.body.data).toEqual([
      {
        id: expect.any(String),
        tenant_id: tenant,
        job: 'send-mail',
        state: 'sending',
        attempts: 1,
        due_at: expect.any(String),
        created_at: expect.any(String),
        ended_at: null,
        defer_reason: null,
        age_seconds: expect.any(Number),
      },
    ]);
    const seen: string[] = [];
    let cursor: string | null = '';
    for (let page = 0; cursor !== null; page += 1) {
      expect(page).toBeLessThan(5);
      const { status, body } = await ask(
        'GET',
        `/mail/jobs?state=waiting&limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      expect(status).toBe(200);
      seen.push(...(body.data as { id: string }[]).map(({ id }) => id));
      cursor = body.next_cursor as string | null;
    }
    expect(seen).toHaveLength(7);
    expect(new Set(seen).size).toBe(7);
    const delayed = await ask('GET', '/mail/jobs?state=delayed');
    expect(delayed.body.data).toHaveLength(2);
    expect(delayed.body.data[0]).toMatchObject({ state: 'pending', defer_reason: 'quiet_hours' });
    expect(delayed.text).not.toContain('@');
  });

  test('can be one tenant’s; runs are told in the same words', async () => {
    await backlog(2, 'mine');
    await backlog(3, 'theirs');
    const mine = await ask('GET', '/mail/jobs?state=waiting&tenant=mine-1');
    expect(mine.body.data).toHaveLength(2);
    await trigger('check-notifications');
    await world.sql(`UPDATE job_runs SET state = 'failed', finished_at = now()`);
    await trigger('weekly-summary');
    expect((await ask('GET', '/checks/jobs?state=failed')).body.data).toMatchObject([
      { job: 'check-notifications', state: 'failed', tenant_id: cast.tenant_id },
    ]);
    expect((await ask('GET', '/checks/jobs?state=waiting')).body.data).toMatchObject([
      { job: 'weekly-summary', state: 'queued' },
    ]);
    expect((await ask('GET', '/checks/jobs?state=active')).body.data).toEqual([]);
  });

  test.each([
    ['/mail/jobs', '/state'],
    ['/mail/jobs?state=lost', '/state'],
    ['/mail/jobs?state=waiting&limit=1000', '/limit'],
    ['/mail/jobs?state=waiting&tenant=Not%20one', '/tenant'],
  ])('%s says what is wrong', async (path, pointer) => {
    const { status, body } = await ask('GET', path);
    expect(status).toBe(400);
    expect((body.errors as { pointer: string }[]).map((fault) => fault.pointer)).toContain(pointer);
  });

  test('are not found after a cursor that is none of ours', async () => {
    for (const cursor of ['x', Buffer.from('["2026-01-01","x"]').toString('base64url')]) {
      const { status, body } = await ask('GET', `/mail/jobs?state=waiting&cursor=${cursor}`);
      expect([status, body.code]).toEqual([400, 'invalid_cursor']);
    }
  });
});

describe('a pause', () => {
  test('of mail stops admission; what was handed out goes back, what is being sent ends', async () => {
    await tenDeliveries();
    const answer = await post('/mail/pause');
    expect(answer).toMatchObject({
      status: 200,
      body: { queue: 'mail', paused: true, returned: 3, still_sending: 1 },
    });
    expect(await states()).toEqual({ pending: 9, sending: 1 });
    expect(
      (await world.sql(`SELECT DISTINCT admitted_at FROM deliveries WHERE state = 'pending'`))[0],
    ).toEqual({ admitted_at: null });
    expect(await view('mail')).toMatchObject({ paused: true, bull: { waiting: 0 } });
    expect(await dispatcher.round('email')).toEqual({ admitted: 0, deferred: 0 });
    expect((await post('/mail/resume')).body).toEqual({ queue: 'mail', paused: false });
    expect((await dispatcher.round('email')).admitted).toBe(3);
  });

  test('is kept by PostgreSQL, whatever Redis forgets or answers', async () => {
    await tenDeliveries();
    jest.spyOn(queues, 'empty').mockRejectedValue(new Error('Redis is away'));
    expect((await post('/mail/pause')).status).toBe(200);
    // The jobs are still in Bull, and worth nothing.
    expect((await view('mail')).bull).toMatchObject({ waiting: 4 });
    jest.restoreAllMocks();
    await queues.empty('mail');
    expect(await view('mail')).toMatchObject({ paused: true, postgres: { queued: 0 } });
  });

  test('of runs keeps them in the ledger, and new ones too; after it they go on', async () => {
    await trigger('cleanup');
    const [before] = await world.sql('SELECT lease_token FROM job_runs');
    expect((await post('/maintenance/pause')).body).toEqual({
      queue: 'maintenance',
      paused: true,
      returned: 1,
      still_running: 0,
    });
    const [after] = await world.sql('SELECT lease_token, state FROM job_runs');
    expect(after!.state).toBe('queued');
    expect(after!.lease_token).not.toBe(before!.lease_token);

    expect((await trigger('update-statuses')).body.runs[0]).toMatchObject({ state: 'queued' });
    const poller = world.app.get(SchedulerPoller, { strict: false });
    await poller.reap();
    expect(await view('maintenance')).toMatchObject({
      paused: true,
      postgres: { queued: 2 },
      bull: { waiting: 0 },
    });
    // The other queue is not held up.
    await trigger('check-notifications');
    expect(await view('checks')).toMatchObject({ paused: false, bull: { waiting: 1 } });

    await post('/maintenance/resume');
    await poller.reap();
    expect(await view('maintenance')).toMatchObject({ paused: false, bull: { waiting: 2 } });
  });

  test('leaves of the slots that it held up only the latest', async () => {
    await post('/maintenance/pause');
    await world.sql(
      `INSERT INTO job_runs (tenant_id, job, slot, due_at, lease_token, lease_until, created_at)
       SELECT $1, 'cleanup', slot, slot::timestamp, gen_random_uuid(), now(), now()
       FROM unnest(ARRAY['2026-03-01T02:00', '2026-03-02T02:00', '2026-03-03T02:00']) slot`,
      [cast.tenant_id],
    );
    await post('/maintenance/resume');
    expect(await world.sql(`SELECT slot, state FROM job_runs ORDER BY slot`)).toEqual([
      { slot: '2026-03-01T02:00', state: 'cancelled' },
      { slot: '2026-03-02T02:00', state: 'cancelled' },
      { slot: '2026-03-03T02:00', state: 'queued' },
    ]);
  });

  test('that is asked for twice, or ended twice, is one', async () => {
    for (const path of ['/checks/pause', '/checks/pause', '/mail/pause', '/mail/pause']) {
      expect((await post(path)).body).toMatchObject({ paused: true });
    }
    for (const path of ['/checks/resume', '/checks/resume', '/mail/resume', '/mail/resume']) {
      expect((await post(path)).body).toMatchObject({ paused: false });
    }
  });
});

describe('a purge', () => {
  test('of mail cancels what waits and leaves what is being sent alone', async () => {
    await tenDeliveries();
    expect(await post('/mail/purge')).toMatchObject({
      status: 200,
      body: { queue: 'mail', cancelled: 9, still_sending: 1, remaining: 0, bull_emptied: true },
    });
    expect(await states()).toEqual({ cancelled: 9, sending: 1 });
    expect(await world.sql(`SELECT DISTINCT reason FROM deliveries WHERE state = 'cancelled'`)).toEqual([
      { reason: 'purged' },
    ]);
    expect((await view('mail')).bull).toMatchObject({ waiting: 0 });
    expect((await post('/mail/purge')).body).toMatchObject({ cancelled: 0, still_sending: 1 });
  });

  test('can be of one tenant', async () => {
    await backlog(5, 'kept');
    await backlog(4, 'purged');
    expect((await post('/mail/purge?tenant=purged-1')).body).toMatchObject({
      cancelled: 4,
      remaining: 0,
      bull_emptied: false,
    });
    expect(await states()).toEqual({ cancelled: 4, pending: 5 });
    expect((await post('/mail/purge?tenant=nobody')).status).toBe(404);
    expect((await post('/mail/purge?tenant=No%20slug')).status).toBe(400);
    expect(await states()).toEqual({ cancelled: 4, pending: 5 });
  });

  test('goes on in batches until nothing is left', async () => {
    await backlog(4_500);
    expect((await post('/mail/purge')).body).toMatchObject({ cancelled: 4_500, remaining: 0 });
  });

  test('is done in PostgreSQL when Redis is away', async () => {
    await backlog(2);
    jest.spyOn(queues, 'empty').mockRejectedValue(new Error('Redis is away'));
    expect((await post('/mail/purge')).body).toMatchObject({ cancelled: 2, bull_emptied: false });
  });

  test('of runs cancels those that wait, not those that have begun; a slot is not owed again', async () => {
    await trigger('cleanup');
    await world.sql(`UPDATE job_runs SET state = 'running'`);
    await trigger('update-statuses');
    await trigger('check-notifications');
    expect((await post('/maintenance/purge')).body).toEqual({
      queue: 'maintenance',
      cancelled: 1,
      still_running: 1,
      remaining: 0,
      bull_emptied: true,
    });
    expect(await states('job_runs')).toEqual({ running: 1, cancelled: 1, queued: 1 });
    const runs = await world.http('GET', '/api/v1/admin/runs?state=cancelled', { token: cast.admin.token });
    expect(runs.body.data).toMatchObject([{ job: 'update-statuses', state: 'cancelled', error: 'purged' }]);
  });
});

describe('a retry', () => {
  const fail = (condition: string, ended: string) =>
    world.sql(
      `UPDATE deliveries SET state = 'failed', attempts = 3, error = 'refused', ended_at = ${ended}
       WHERE id IN (SELECT id FROM deliveries WHERE state = 'pending' ORDER BY id LIMIT ${condition})`,
    );

  test('gives what failed lately all its attempts again', async () => {
    await backlog(5);
    await fail('2', `now() - interval '1 hour'`);
    await fail('1', `now() - interval '5 days'`);
    expect((await post('/mail/retry')).body).toEqual({ queue: 'mail', retried: 2 });
    expect(await states()).toEqual({ pending: 4, failed: 1 });
    expect(await world.sql(`SELECT DISTINCT attempts FROM deliveries WHERE state = 'pending'`)).toEqual([
      { attempts: 0 },
    ]);
    expect((await post('/mail/retry?days=30')).body).toEqual({ queue: 'mail', retried: 1 });
    expect((await post('/mail/retry?days=31')).status).toBe(400);
    await workers(5);
    expect((await dispatcher.round('email')).admitted).toBe(5);
  });

  test('can be of one tenant, and leaves out whom nobody can reach and links that have expired', async () => {
    await backlog(2, 'again');
    await backlog(2, 'never');
    await fail('4', 'now()');
    expect((await post('/mail/retry?tenant=again-1')).body).toMatchObject({ retried: 2 });
    await world.sql(`UPDATE deliveries SET address = '' WHERE id = (SELECT min(id::text)::uuid FROM deliveries
                     WHERE state = 'failed')`);
    await world.sql(
      `UPDATE notifications n SET kind = 'welcome', data = '{"expires_at": "2026-01-01T00:00:00Z"}'
       FROM deliveries d WHERE d.notification_id = n.id AND d.state = 'failed' AND d.address <> ''`,
    );
    expect((await post('/mail/retry')).body).toMatchObject({ retried: 0 });
  });

  test('of runs repeats the latest of each job, if it has failed', async () => {
    for (const job of ['cleanup', 'cleanup', 'update-statuses']) await trigger(job);
    await world.sql(`UPDATE job_runs SET state = 'failed', error = 'x', attempts = 3, finished_at = now()`);
    await trigger('update-statuses');
    await world.sql(`UPDATE job_runs SET state = 'succeeded', finished_at = now() WHERE state = 'queued'`);
    await queues.empty('maintenance');
    expect((await post('/maintenance/retry')).body).toEqual({ queue: 'maintenance', retried: 1 });
    expect(await states('job_runs')).toEqual({ failed: 2, queued: 1, succeeded: 1 });
    await until('the run to be in Bull', async () => (await queues.countsOf('maintenance')).waiting === 1);
  });
});

describe('whoever is no operator', () => {
  const ROUTES: [string, string][] = [
    ['GET', ''],
    ['GET', '/mail/jobs?state=waiting'],
    ['POST', '/mail/pause'],
    ['POST', '/mail/resume'],
    ['POST', '/mail/purge'],
    ['POST', '/mail/retry'],
  ];

  test.each(ROUTES)('may not %s %s', async (method, path) => {
    await backlog(1);
    const key = await world.http('POST', `/api/v1/tenants/${cast.tenant_id}/api-keys`, {
      token: cast.operator.token,
      body: { name: 'all', scopes: ['admin'] },
    });
    const url = `/api/v1/admin/queues${path}`;
    for (const token of [cast.admin.token, cast.teammate.token]) {
      expect((await ask(method, path, token)).status).toBe(403);
    }
    const headers = { 'x-api-key': (key.body as { key: string }).key };
    expect((await world.http(method, url, { headers })).status).toBe(403);
    expect((await world.http(method, url)).status).toBe(401);
    expect(await view('mail')).toMatchObject({ paused: false, postgres: { due: 1 } });
  });
});

test('a queue that is not there is a 404, for each of them', async () => {
  for (const name of ['letters', 'MAIL', '__proto__', 'mail%20']) {
    for (const act of ['pause', 'resume', 'purge', 'retry']) {
      expect(await post(`/${name}/${act}`)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    }
    expect((await ask('GET', `/${name}/jobs?state=waiting`)).status).toBe(404);
  }
});
