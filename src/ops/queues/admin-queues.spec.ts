import { QueueScene } from './queues.fixture.js';

/** C10, E8: operators' views of queues. */
let scene: QueueScene;
beforeAll(async () => {
  scene = await QueueScene.create();
});
afterAll(() => scene.world.close());
beforeEach(() => scene.clear());
afterEach(() => jest.restoreAllMocks());

describe('the list', () => {
  test('has the counts of PostgreSQL and of Bull, and the live workers', async () => {
    await scene.tenDeliveries();
    await scene.trigger('cleanup');
    expect((await scene.ask('GET', '')).status).toBe(200);
    const mail = await scene.view('mail');
    expect(mail).toMatchObject({
      paused: false,
      postgres: { due: 4, deferred: 2, queued: 3, sending: 1, sent_24h: 0, failed_24h: 0 },
      bull: { waiting: 4, active: 0, delayed: 0, failed: 0 },
      bull_error: null,
      workers: { processes: 1, concurrency: 1 },
    });
    expect((mail.postgres as { oldest_due_seconds: number }).oldest_due_seconds).toBeGreaterThanOrEqual(60);
    expect(await scene.view('maintenance')).toMatchObject({
      postgres: { queued: 1, running: 0, succeeded_24h: 0, failed_24h: 0 },
      bull: { waiting: 1 },
      workers: null,
    });
    expect(await scene.view('checks')).toMatchObject({
      postgres: { queued: 0, oldest_queued_seconds: null },
    });
  });

  test('works without Redis, and says what is missing', async () => {
    await scene.backlog(3);
    jest.spyOn(scene.queues, 'countsOf').mockRejectedValue(new Error('Redis did not answer within 2 s'));
    expect(await scene.view('mail')).toMatchObject({
      postgres: { due: 3 },
      bull: null,
      bull_error: 'Redis did not answer within 2 s',
    });
  });
});

describe('the jobs of a queue', () => {
  test('are listed by state, in pages, with ids and times and nothing about persons', async () => {
    const tenant = await scene.tenDeliveries();
    const active = await scene.ask('GET', '/mail/jobs?state=active');
    expect(active.body.data).toEqual([
      {
        id: expect.any(String),
        tenant_id: tenant,
        tenant: expect.any(String),
        job: 'send-mail',
        state: 'sending',
        attempts: 1,
        due_at: expect.any(String),
        created_at: expect.any(String),
        ended_at: null,
        defer_reason: null,
        reason: null,
        cause: null,
        age_seconds: expect.any(Number),
      },
    ]);
    const seen: string[] = [];
    let cursor: string | null = '';
    for (let page = 0; cursor !== null; page += 1) {
      expect(page).toBeLessThan(5);
      const { status, body } = await scene.ask(
        'GET',
        `/mail/jobs?state=waiting&limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      expect(status).toBe(200);
      seen.push(...(body.data as { id: string }[]).map(({ id }) => id));
      cursor = body.next_cursor as string | null;
    }
    expect(seen).toHaveLength(7);
    expect(new Set(seen).size).toBe(7);
    const delayed = await scene.ask('GET', '/mail/jobs?state=delayed');
    expect(delayed.body.data).toHaveLength(2);
    expect(delayed.body.data[0]).toMatchObject({ state: 'pending', defer_reason: 'quiet_hours' });
    expect(delayed.text).not.toContain('@');
  });

  test('can be filtered by tenant; runs have the same format', async () => {
    await scene.backlog(2, 'mine');
    await scene.backlog(3, 'theirs');
    const mine = await scene.ask('GET', '/mail/jobs?state=waiting&tenant=mine-1');
    expect(mine.body.data).toHaveLength(2);
    await scene.trigger('check-notifications');
    await scene.world.sql(`UPDATE job_runs SET state = 'failed', finished_at = now()`);
    await scene.trigger('weekly-summary');
    expect((await scene.ask('GET', '/checks/jobs?state=failed')).body.data).toMatchObject([
      { job: 'check-notifications', state: 'failed', tenant_id: scene.cast.tenant_id },
    ]);
    expect((await scene.ask('GET', '/checks/jobs?state=waiting')).body.data).toMatchObject([
      { job: 'weekly-summary', state: 'queued' },
    ]);
    expect((await scene.ask('GET', '/checks/jobs?state=active')).body.data).toEqual([]);
  });

  test('are counted; ended ones are filtered by cause, reason and time, in one channel or in all', async () => {
    await scene.backlog(3, 'sent');
    await scene.backlog(6, 'bad');
    await scene.world.sql(
      `UPDATE deliveries d SET ended_at = now() - interval '2 days' * (o.place % 2), defer_reason = NULL,
         state = CASE WHEN t.slug = 'sent-1' THEN 'sent' ELSE 'failed' END,
         sent_at = CASE WHEN t.slug = 'sent-1' THEN now() END,
         reason = CASE WHEN o.place = 6 THEN 'expired' END,
         error = CASE WHEN t.slug = 'sent-1' OR o.place = 5 THEN NULL ELSE '550 5.1.1 <a' || o.place || '@x.example>: no' END
       FROM (SELECT id, row_number() OVER (PARTITION BY tenant_id ORDER BY id) AS place FROM deliveries) o
         JOIN deliveries same ON same.id = o.id JOIN tenants t ON t.id = same.tenant_id
       WHERE d.id = o.id AND t.slug IN ('sent-1', 'bad-1')`,
    );
    const count = async (path: string) => {
      const { body } = await scene.ask('GET', `${path}&count=true&limit=2`);
      let rows = body.data.length as number;
      for (let cursor = body.next_cursor as string | null; cursor !== null;) {
        const next = await scene.ask('GET', `${path}&limit=2&cursor=${cursor}`);
        rows += next.body.data.length as number;
        cursor = next.body.next_cursor as string | null;
      }
      return rows === body.count ? rows : `${rows} of ${body.count as number}`;
    };
    const day = new Date(Date.now() - 86_400_000).toISOString();
    const cause = encodeURIComponent('550 5.1.1 … no');
    expect(await count('/mail/jobs?state=failed')).toBe(6);
    expect(await count(`/mail/jobs?state=failed&cause=${cause}`)).toBe(5);
    expect(await count(`/mail/jobs?state=failed&cause=${cause}&reason=`)).toBe(4);
    expect(await count(`/mail/jobs?state=failed&cause=${cause}&reason=expired`)).toBe(1);
    expect(await count('/mail/jobs?state=failed&cause=')).toBe(1);
    expect(await count('/mail/jobs?state=failed&reason=expired')).toBe(1);
    expect(await count('/mail/jobs?state=failed&reason=')).toBe(5);
    expect(await count(`/mail/jobs?state=failed&since=${day}`)).toBe(3);
    expect(await count(`/mail/jobs?state=failed&until=${day}`)).toBe(3);
    expect(await count('/mail/jobs?state=completed')).toBe(3);
    expect(await count('/sms/jobs?state=completed')).toBe(0);
    expect(await count(`/jobs?state=completed&tenant=sent-1&since=${day}`)).toBe(1);
    expect(await count('/jobs?state=failed&tenant=bad-1')).toBe(6);
    expect(await count('/jobs?state=failed&tenant=sent-1')).toBe(0);
    const { body } = await scene.ask('GET', '/mail/jobs?state=failed&reason=expired');
    expect(body.data).toMatchObject([{ reason: 'expired', cause: '550 5.1.1 … no' }]);
    // The numbers of the queue and of a tenant match the lists.
    expect((await scene.view('mail')).postgres).toMatchObject({ sent_24h: 1, failed_24h: 3 });
    await scene.clear();
    await scene.tenDeliveries();
    expect(await count('/mail/jobs?state=pending')).toBe(6);
    expect(await count('/mail/jobs?state=delayed&reason=quiet_hours')).toBe(2);
    await scene.trigger('cleanup');
    expect(await count('/maintenance/jobs?state=pending')).toBe(1);
    expect(await count('/maintenance/jobs?state=unknown')).toBe(0);
    expect(await count('/jobs?of=runs&state=pending')).toBe(1);
    expect((await scene.ask('GET', '/jobs?of=letters&state=pending')).status).toBe(400);
    const refused = await scene.ask('GET', '/checks/jobs?state=failed&reason=expired');
    expect([refused.status, refused.body.errors[0].pointer]).toEqual([400, '/reason']);
  });

  test.each([
    ['/mail/jobs', '/state'],
    ['/jobs?state=failed&since=yesterday', '/since'],
    ['/mail/jobs?state=lost', '/state'],
    ['/mail/jobs?state=waiting&limit=1000', '/limit'],
    ['/mail/jobs?state=waiting&tenant=Not%20one', '/tenant'],
  ])('%s says what is wrong', async (path, pointer) => {
    const { status, body } = await scene.ask('GET', path);
    expect(status).toBe(400);
    expect((body.errors as { pointer: string }[]).map((fault) => fault.pointer)).toContain(pointer);
  });

  test('are not found after a forged cursor', async () => {
    for (const cursor of ['x', Buffer.from('["2026-01-01","x"]').toString('base64url')]) {
      const { status, body } = await scene.ask('GET', `/mail/jobs?state=waiting&cursor=${cursor}`);
      expect([status, body.code]).toEqual([400, 'invalid_cursor']);
    }
  });
});

describe('a caller who is not an operator', () => {
  const ROUTES: [string, string][] = [
    ['GET', ''],
    ['GET', '/jobs?state=waiting'],
    ['GET', '/mail/jobs?state=waiting'],
    ['POST', '/mail/pause'],
    ['POST', '/mail/resume'],
    ['POST', '/mail/purge'],
    ['POST', '/mail/retry'],
  ];

  test.each(ROUTES)('may not %s %s', async (method, path) => {
    await scene.backlog(1);
    const key = await scene.world.http('POST', `/api/v1/tenants/${scene.cast.tenant_id}/api-keys`, {
      token: scene.cast.operator.token,
      body: { name: 'all', scopes: ['admin'] },
    });
    const url = `/api/v1/admin/queues${path}`;
    for (const token of [scene.cast.admin.token, scene.cast.teammate.token]) {
      expect((await scene.ask(method, path, token)).status).toBe(403);
    }
    const headers = { 'x-api-key': (key.body as { key: string }).key };
    expect((await scene.world.http(method, url, { headers })).status).toBe(403);
    expect((await scene.world.http(method, url)).status).toBe(401);
    expect(await scene.view('mail')).toMatchObject({ paused: false, postgres: { due: 1 } });
  });
});

test('an unknown queue is a 404, on each route', async () => {
  for (const name of ['letters', 'MAIL', '__proto__', 'mail%20']) {
    for (const act of ['pause', 'resume', 'purge', 'retry']) {
      expect(await scene.post(`/${name}/${act}`)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    }
    expect((await scene.ask('GET', `/${name}/jobs?state=waiting`)).status).toBe(404);
  }
});
