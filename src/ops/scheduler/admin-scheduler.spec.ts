import { randomUUID } from 'node:crypto';
import { type Cast, createCast } from '../../../test/support/cast.js';
import { until } from '../../../test/support/until.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { WakeUps } from '../../platform/queues/wake-ups.js';
import { SchedulerPoller } from '../../scheduler/scheduler.poller.js';
import { WAIT_MS } from './triggers.service.js';

/** A Wednesday, 10:00 in Paris. */
const NOW = '2026-03-04T09:00:00Z';

let world: World;
let cast: Cast;

const trigger = (job: string, query = '', token = cast.admin.token, headers: Record<string, string> = {}) =>
  world.http('POST', `/api/v1/admin/scheduler/${job}/trigger${query}`, { token, headers });
const get = (path: string, token = cast.admin.token) => world.http('GET', `/api/v1/admin/${path}`, { token });
const countRuns = async () => (await world.sql<{ count: number }>('SELECT count(*) FROM job_runs'))[0]!.count;

describe('without workers', () => {
  beforeAll(async () => {
    world = await createWorld({ clock: new FixedClock(NOW) });
    cast = await createCast(world);
  });
  afterAll(() => world.close());
  beforeEach(() => world.sql('DELETE FROM job_runs'));

  test('a tenant’s admin runs a job for their own tenant', async () => {
    const answer = await trigger('check-notifications');
    expect(answer.status).toBe(202);
    const [run] = await world.sql('SELECT * FROM job_runs');
    expect(run).toMatchObject({
      tenant_id: cast.tenant_id,
      job: 'check-notifications',
      slot: null,
      triggered_by: `user:${cast.admin.id}`,
    });
    expect(answer.body).toEqual({
      run_id: run!.id as string,
      tenant_id: cast.tenant_id,
      state: 'queued',
      counts: null,
      error: null,
    });
  });

  test('a retry with the same key is the same run', async () => {
    const key = { 'idempotency-key': randomUUID() };
    const [first, again] = [
      await trigger('cleanup', '', cast.admin.token, key),
      await trigger('cleanup', '', cast.admin.token, key),
    ];
    expect(again.body).toEqual(first.body);
    expect(await countRuns()).toBe(1);
    const other = await trigger('update-statuses', '', cast.admin.token, key);
    expect(other).toMatchObject({ status: 422, body: { code: 'idempotency_mismatch' } });
  });

  test('an operator runs it for one tenant, or for all', async () => {
    const one = await trigger('cleanup', `?tenant=${cast.other.tenant.slug}`, cast.operator.token);
    expect(one).toMatchObject({
      status: 202,
      body: { runs: [{ tenant_id: cast.other.tenant.id, state: 'queued' }] },
    });
    const all = await trigger('cleanup', '', cast.operator.token);
    expect(all.status).toBe(202);
    expect((all.body.runs as { tenant_id: string }[]).map((run) => run.tenant_id).sort()).toEqual(
      [cast.tenant_id, cast.other.tenant.id].sort(),
    );
    expect(await countRuns()).toBe(3);
  });

  test('an operator cannot run it for a suspended or unknown tenant', async () => {
    await world.sql('UPDATE tenants SET suspended_at = now() WHERE id = $1', [cast.other.tenant.id]);
    const suspended = await trigger('cleanup', `?tenant=${cast.other.tenant.slug}`, cast.operator.token);
    await world.sql('UPDATE tenants SET suspended_at = NULL');
    expect(suspended).toMatchObject({ status: 403, body: { code: 'tenant_suspended' } });
    expect((await trigger('cleanup', '?tenant=nobody', cast.operator.token)).status).toBe(404);
    expect(await countRuns()).toBe(0);
  });

  test('another tenant’s slug is answered like an unknown one', async () => {
    const paths = (slug: string) => [
      trigger('cleanup', `?tenant=${slug}`),
      get(`scheduler?tenant=${slug}`),
      get(`scheduler/cleanup/preview?date=2026-03-04&tenant=${slug}`),
      get(`runs?tenant=${slug}`),
    ];
    const theirs = await Promise.all(paths(cast.other.tenant.slug));
    const unknown = await Promise.all(paths('nobody'));
    expect(theirs.map(({ status, text }) => [status, text])).toEqual(
      unknown.map(({ status, text }) => [status, text]),
    );
    expect(theirs.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
    expect(await countRuns()).toBe(0);
    expect((await trigger('cleanup', `?tenant=${cast.tenant.slug}`)).status).toBe(202);
  });

  test('a job that is not in the catalog is a 404', async () => {
    for (const job of ['send-mail', 'nothing', '__proto__']) {
      expect(await trigger(job)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    }
    expect((await get('scheduler/nothing/preview?date=2026-03-04')).status).toBe(404);
  });

  test('members and strangers are refused everything', async () => {
    for (const path of ['scheduler', 'runs', 'scheduler/cleanup/preview?date=2026-03-04']) {
      expect((await get(path, cast.teammate.token)).status).toBe(403);
      expect((await world.http('GET', `/api/v1/admin/${path}`)).status).toBe(401);
    }
    expect((await trigger('cleanup', '', cast.teammate.token)).status).toBe(403);
    expect((await trigger('dispatch', '', cast.teammate.token)).status).toBe(403);
    expect(await countRuns()).toBe(0);
  });

  test('the status shows when a scheduler last polled', async () => {
    expect((await get('scheduler')).body.last_poll_at).toBeNull();
    await world.app.get(SchedulerPoller, { strict: false }).poll();
    expect((await get('scheduler')).body.last_poll_at).toBe(new Date(NOW).toISOString());
  });

  test('dispatch wakes the dispatcher, and is not in a ledger', async () => {
    const send = jest.spyOn(world.app.get(WakeUps), 'send');
    const answer = await trigger('dispatch');
    expect(answer).toMatchObject({
      status: 202,
      body: { run_id: null, state: 'succeeded', counts: { due: 0 } },
    });
    expect(send).toHaveBeenCalledWith('dispatch.kick', { channel: 'email' });
    expect((await trigger('dispatch', '?wait=true')).status).toBe(200);
    expect(await countRuns()).toBe(0);
  });

  test('status and preview show the tenant’s own hours; operators name the tenant', async () => {
    const own = await get('scheduler');
    expect(own).toMatchObject({ status: 200, body: { enabled: false, time_zone: 'Europe/Paris' } });
    expect((own.body.jobs as { job: string }[]).map(({ job }) => job)).toEqual([
      'check-notifications',
      'weekly-summary',
      'check-backups',
      'scan-backups',
      'process-reminders',
      'update-statuses',
      'cleanup',
    ]);
    const operators = await get(`scheduler?tenant=${cast.tenant.slug}`, cast.operator.token);
    expect(operators.body).toEqual(own.body);
    expect((await get('scheduler', cast.operator.token)).body).toMatchObject({
      code: 'validation_failed',
      errors: [{ pointer: '/tenant' }],
    });
    const preview = await get('scheduler/check-notifications/preview?date=2026-03-05');
    expect(preview.body.slots).toMatchObject([
      // The scheduler is switched off.
      { slot: '2026-03-05T09:00', instant: '2026-03-05T08:00:00.000Z', run_id: null, will_run: false },
      { slot: '2026-03-05T14:00', instant: '2026-03-05T13:00:00.000Z', run_id: null, will_run: false },
    ]);
  });

  test('the ledger shows the tenant’s own runs, in pages', async () => {
    for (let count = 0; count < 3; count += 1) await trigger('cleanup');
    await trigger('update-statuses', '', cast.outsider.token);
    const first = await get('runs?limit=2');
    expect(first.body.data).toHaveLength(2);
    const rest = await get(`runs?limit=2&cursor=${String(first.body.next_cursor)}`);
    expect(rest.body).toMatchObject({ data: [{ job: 'cleanup', state: 'queued' }], next_cursor: null });
    expect((await get('runs?job=update-statuses')).body.data).toEqual([]);
    expect((await get('runs?since=2100-01-01T00:00:00Z')).body.data).toEqual([]);
    expect((await get('runs?until=2000-01-01T00:00:00Z')).body.data).toEqual([]);
    expect((await get(`runs?since=${NOW}`)).body.data).toHaveLength(3);
    expect((await get(`runs?tenant=${cast.other.tenant.slug}`, cast.operator.token)).body.data).toHaveLength(
      1,
    );
  });

  test.each([
    ['scheduler/cleanup/preview', '/date'],
    ['scheduler/cleanup/preview?date=2026-02-30', '/date'],
    ['scheduler/cleanup/preview?date=2026-02-28&x=1', '/x'],
    ['runs?state=lost', '/state'],
    ['runs?job=send-mail', '/job'],
    ['runs?since=yesterday', '/since'],
    ['runs?limit=0', '/limit'],
    ['scheduler?tenant=Not%20a%20slug', '/tenant'],
    ['scheduler?tenant=a&tenant=b', '/tenant'],
  ])('%s says what is wrong', async (path, pointer) => {
    const answer = await get(path);
    expect(answer.status).toBe(400);
    expect((answer.body.errors as { pointer: string }[]).map((fault) => fault.pointer)).toContain(pointer);
  });

  test('a wait that is not a boolean is refused', async () => {
    expect((await trigger('cleanup', '?wait=perhaps')).status).toBe(400);
    expect(await countRuns()).toBe(0);
  });
});

describe('with workers', () => {
  beforeAll(async () => {
    world = await createWorld({ env: { VIGIE_ROLES: 'web,worker' }, clock: new FixedClock(NOW) });
    cast = await createCast(world);
  });
  afterAll(() => world.close());

  test('wait=true answers with the counts', async () => {
    const began = performance.now();
    const answer = await trigger('check-notifications', '?wait=true');
    expect(performance.now() - began).toBeLessThan(WAIT_MS);
    expect(answer).toMatchObject({ status: 200, body: { state: 'succeeded', error: null } });
    expect(answer.body.counts).not.toBeNull();
  });

  test('a job that is running waits for its turn: the two never overlap', async () => {
    // Another process is running it, and has just renewed its lease.
    await world.sql(
      `INSERT INTO job_runs (tenant_id, job, state, due_at, lease_token, lease_until, created_at, started_at)
       VALUES ($1, 'cleanup', 'running', $2, gen_random_uuid(), now() + interval '1 minute', $2, $2)`,
      [cast.tenant_id, NOW],
    );
    const answer = await trigger('cleanup');
    expect(answer).toMatchObject({ status: 202, body: { state: 'queued' } });
    const { run_id } = answer.body as { run_id: string };
    const row = async () =>
      (
        await world.sql<{ state: string; attempts: number; waits: boolean }>(
          'SELECT state, attempts, lease_until <= now() AS waits FROM job_runs WHERE id = $1',
          [run_id],
        )
      )[0]!;
    await until('a worker to put it back', async () => (await row()).waits);
    expect(await row()).toMatchObject({ state: 'queued', attempts: 0 });

    const poller = world.app.get(SchedulerPoller, { strict: false });
    await poller.reap();
    await until('a worker to put it back again', async () => (await row()).waits);
    await world.sql(
      `UPDATE job_runs SET state = 'succeeded', finished_at = $2 WHERE tenant_id = $1 AND
                     state = 'running'`,
      [cast.tenant_id, NOW],
    );
    await poller.reap();
    await until('the run to end', async () => (await row()).state === 'succeeded');
    expect(await row()).toMatchObject({ attempts: 1 });
  });

  test('operators wait as well, until all have finished', async () => {
    const answer = await trigger('update-statuses', '?wait=true', cast.operator.token);
    expect(answer).toMatchObject({
      status: 200,
      body: { runs: [{ state: 'succeeded' }, { state: 'succeeded' }] },
    });
  });
});
