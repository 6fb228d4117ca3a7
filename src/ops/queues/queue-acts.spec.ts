import { startRedis } from '../../../test/support/redis-server.js';
import { until } from '../../../test/support/until.js';
import { SchedulerPoller } from '../../scheduler/scheduler.poller.js';
import { QueueScene } from './queues.fixture.js';

/** C10: operators' actions on queues. */
let scene: QueueScene;
beforeAll(async () => {
  scene = await QueueScene.create();
});
afterAll(() => scene.world.close());
beforeEach(() => scene.clear());
afterEach(() => jest.restoreAllMocks());

describe('a pause', () => {
  test('of mail stops admission; queued deliveries are requeued, those being sent finish', async () => {
    await scene.tenDeliveries();
    const answer = await scene.post('/mail/pause');
    expect(answer).toMatchObject({
      status: 200,
      body: { queue: 'mail', paused: true, returned: 3, still_sending: 1 },
    });
    expect(await scene.states()).toEqual({ pending: 9, sending: 1 });
    expect(
      (await scene.world.sql(`SELECT DISTINCT admitted_at FROM deliveries WHERE state = 'pending'`))[0],
    ).toEqual({ admitted_at: null });
    expect(await scene.view('mail')).toMatchObject({ paused: true, bull: { waiting: 0 } });
    expect(await scene.dispatcher.round('email')).toEqual({ admitted: 0, deferred: 0 });
    expect((await scene.post('/mail/resume')).body).toEqual({ queue: 'mail', paused: false });
    expect((await scene.dispatcher.round('email')).admitted).toBe(3);
  });

  test('is stored in PostgreSQL, whatever Redis loses or answers', async () => {
    await scene.tenDeliveries();
    jest.spyOn(scene.queues, 'empty').mockRejectedValue(new Error('Redis is unreachable'));
    expect((await scene.post('/mail/pause')).status).toBe(200);
    // The jobs are still in Bull, but invalid.
    expect((await scene.view('mail')).bull).toMatchObject({ waiting: 4 });
    jest.restoreAllMocks();
    await scene.queues.empty('mail');
    expect(await scene.view('mail')).toMatchObject({ paused: true, postgres: { queued: 0 } });
  });

  test('of runs keeps them in the ledger, with new ones; they start after it', async () => {
    await scene.trigger('cleanup');
    const [before] = await scene.world.sql('SELECT lease_token FROM job_runs');
    expect((await scene.post('/maintenance/pause')).body).toEqual({
      queue: 'maintenance',
      paused: true,
      returned: 1,
      still_running: 0,
    });
    const [after] = await scene.world.sql('SELECT lease_token, state FROM job_runs');
    expect(after!.state).toBe('queued');
    expect(after!.lease_token).not.toBe(before!.lease_token);

    expect((await scene.trigger('update-statuses')).body.runs[0]).toMatchObject({ state: 'queued' });
    const poller = scene.world.app.get(SchedulerPoller, { strict: false });
    await poller.reap();
    expect(await scene.view('maintenance')).toMatchObject({
      paused: true,
      postgres: { queued: 2 },
      bull: { waiting: 0 },
    });
    // The other queue is not paused.
    await scene.trigger('check-notifications');
    expect(await scene.view('checks')).toMatchObject({ paused: false, bull: { waiting: 1 } });

    await scene.post('/maintenance/resume');
    await poller.reap();
    expect(await scene.view('maintenance')).toMatchObject({ paused: false, bull: { waiting: 2 } });
  });

  test('keeps only the latest of the slots that it delayed', async () => {
    await scene.post('/maintenance/pause');
    await scene.world.sql(
      `INSERT INTO job_runs (tenant_id, job, slot, due_at, lease_token, lease_until, created_at)
       SELECT $1, 'cleanup', slot, slot::timestamp, gen_random_uuid(), now(), now()
       FROM unnest(ARRAY['2026-03-01T02:00', '2026-03-02T02:00', '2026-03-03T02:00']) slot`,
      [scene.cast.tenant_id],
    );
    await scene.post('/maintenance/resume');
    expect(await scene.world.sql(`SELECT slot, state FROM job_runs ORDER BY slot`)).toEqual([
      { slot: '2026-03-01T02:00', state: 'cancelled' },
      { slot: '2026-03-02T02:00', state: 'cancelled' },
      { slot: '2026-03-03T02:00', state: 'queued' },
    ]);
  });

  test('that is requested or ended twice is one', async () => {
    for (const path of ['/checks/pause', '/checks/pause', '/mail/pause', '/mail/pause']) {
      expect((await scene.post(path)).body).toMatchObject({ paused: true });
    }
    for (const path of ['/checks/resume', '/checks/resume', '/mail/resume', '/mail/resume']) {
      expect((await scene.post(path)).body).toMatchObject({ paused: false });
    }
  });
});

describe('a purge', () => {
  test('of mail cancels waiting deliveries and leaves those being sent unchanged', async () => {
    await scene.tenDeliveries();
    expect(await scene.post('/mail/purge')).toMatchObject({
      status: 200,
      body: { queue: 'mail', cancelled: 9, still_sending: 1, remaining: 0, bull_emptied: true },
    });
    expect(await scene.states()).toEqual({ cancelled: 9, sending: 1 });
    expect(await scene.world.sql(`SELECT DISTINCT reason FROM deliveries WHERE state = 'cancelled'`)).toEqual(
      [{ reason: 'purged' }],
    );
    expect((await scene.view('mail')).bull).toMatchObject({ waiting: 0 });
    expect((await scene.post('/mail/purge')).body).toMatchObject({ cancelled: 0, still_sending: 1 });
  });

  test('can be limited to one tenant', async () => {
    await scene.backlog(5, 'kept');
    await scene.backlog(4, 'purged');
    expect((await scene.post('/mail/purge?tenant=purged-1')).body).toMatchObject({
      cancelled: 4,
      remaining: 0,
      bull_emptied: false,
    });
    expect(await scene.states()).toEqual({ cancelled: 4, pending: 5 });
    expect((await scene.post('/mail/purge?tenant=nobody')).status).toBe(404);
    expect((await scene.post('/mail/purge?tenant=No%20slug')).status).toBe(400);
    expect(await scene.states()).toEqual({ cancelled: 4, pending: 5 });
  });

  test('continues in batches until nothing is left', async () => {
    await scene.backlog(4_500);
    expect((await scene.post('/mail/purge')).body).toMatchObject({ cancelled: 4_500, remaining: 0 });
  });

  test('is done in PostgreSQL when Redis is unreachable', async () => {
    await scene.backlog(2);
    jest.spyOn(scene.queues, 'empty').mockRejectedValue(new Error('Redis is unreachable'));
    expect((await scene.post('/mail/purge')).body).toMatchObject({ cancelled: 2, bull_emptied: false });
  });

  test('of runs cancels waiting ones, not running ones; a cancelled slot does not run again', async () => {
    await scene.trigger('cleanup');
    await scene.world.sql(`UPDATE job_runs SET state = 'running'`);
    await scene.trigger('update-statuses');
    await scene.trigger('check-notifications');
    expect((await scene.post('/maintenance/purge')).body).toEqual({
      queue: 'maintenance',
      cancelled: 1,
      still_running: 1,
      remaining: 0,
      bull_emptied: true,
    });
    expect(await scene.states('job_runs')).toEqual({ running: 1, cancelled: 1, queued: 1 });
    const runs = await scene.world.http('GET', '/api/v1/admin/runs?state=cancelled', {
      token: scene.cast.admin.token,
    });
    expect(runs.body.data).toMatchObject([{ job: 'update-statuses', state: 'cancelled', error: 'purged' }]);
  });
});

describe('a retry', () => {
  const fail = (condition: string, ended: string) =>
    scene.world.sql(
      `UPDATE deliveries SET state = 'failed', attempts = 3, reason = 'expired', error = 'refused', ended_at = ${ended}
       WHERE id IN (SELECT id FROM deliveries WHERE state = 'pending' ORDER BY id LIMIT ${condition})`,
    );

  test('resets the attempts of recent failures', async () => {
    await scene.backlog(5);
    await fail('2', `now() - interval '1 hour'`);
    await fail('1', `now() - interval '5 days'`);
    expect((await scene.post('/mail/retry')).body).toEqual({ queue: 'mail', retried: 2 });
    expect(await scene.states()).toEqual({ pending: 4, failed: 1 });
    expect(
      await scene.world.sql(`SELECT DISTINCT attempts, reason FROM deliveries WHERE state = 'pending'`),
    ).toEqual([{ attempts: 0, reason: null }]);
    expect((await scene.post('/mail/retry?days=30')).body).toEqual({ queue: 'mail', retried: 1 });
    expect((await scene.post('/mail/retry?days=31')).status).toBe(400);
    await scene.workers(5);
    expect((await scene.dispatcher.round('email')).admitted).toBe(5);
  });

  test('can be limited to one tenant, and skips unreachable recipients and expired links', async () => {
    await scene.backlog(2, 'again');
    await scene.backlog(2, 'never');
    await fail('4', 'now()');
    expect((await scene.post('/mail/retry?tenant=again-1')).body).toMatchObject({ retried: 2 });
    await scene.world
      .sql(`UPDATE deliveries SET address = '' WHERE id = (SELECT min(id::text)::uuid FROM deliveries
                     WHERE state = 'failed')`);
    await scene.world.sql(
      `UPDATE notifications n SET kind = 'welcome', data = '{"expires_at": "2026-01-01T00:00:00Z"}'
       FROM deliveries d WHERE d.notification_id = n.id AND d.state = 'failed' AND d.address <> ''`,
    );
    expect((await scene.post('/mail/retry')).body).toMatchObject({ retried: 0 });
  });

  test('of runs repeats the latest of each job, if it failed', async () => {
    for (const job of ['cleanup', 'cleanup', 'update-statuses']) await scene.trigger(job);
    await scene.world.sql(
      `UPDATE job_runs SET state = 'failed', error = 'x', attempts = 3, finished_at = now()`,
    );
    await scene.trigger('update-statuses');
    await scene.world.sql(
      `UPDATE job_runs SET state = 'succeeded', finished_at = now() WHERE state = 'queued'`,
    );
    await scene.queues.empty('maintenance');
    expect((await scene.post('/maintenance/retry')).body).toEqual({ queue: 'maintenance', retried: 1 });
    expect(await scene.states('job_runs')).toEqual({ failed: 2, queued: 1, succeeded: 1 });
    await until(
      'the run to be in Bull',
      async () => (await scene.queues.countsOf('maintenance')).waiting === 1,
    );
  });
});

test('F4, F5: with Redis stopped, all of it still works, and in time', async () => {
  const redis = await startRedis();
  const alone = await QueueScene.create({ REDIS_URL: redis.url });
  await alone.tenDeliveries();
  await redis.stop();

  const timed = async <Result>(work: Promise<Result>): Promise<Result> => {
    const began = performance.now();
    const result = await work;
    expect(performance.now() - began).toBeLessThan(10_000);
    return result;
  };
  const mail = await timed(alone.view('mail'));
  expect(mail).toMatchObject({ postgres: { due: 4, queued: 3, sending: 1 }, bull: null });
  expect(mail.bull_error).not.toBeNull();
  expect(await timed(alone.post('/mail/pause'))).toMatchObject({ status: 200, body: { returned: 3 } });
  expect(await alone.view('mail')).toMatchObject({ paused: true, postgres: { due: 7, queued: 0 } });
  expect((await timed(alone.post('/mail/purge'))).body).toMatchObject({ cancelled: 9, bull_emptied: false });
  expect((await timed(alone.post('/checks/pause'))).status).toBe(200);
  expect((await timed(alone.post('/checks/purge'))).status).toBe(200);
  const { body } = await timed(
    alone.world.http('GET', '/api/v1/admin/connections', { token: alone.cast.operator.token }),
  );
  expect(body).toMatchObject({
    ok: false,
    data: expect.arrayContaining([
      expect.objectContaining({ service: 'postgresql_app', ok: true }),
      expect.objectContaining({ service: 'redis', ok: false }),
    ]),
  });
  await alone.world.close();
}, 60_000);
