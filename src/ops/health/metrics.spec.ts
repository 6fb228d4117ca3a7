import { createCast } from '../../../test/support/cast.js';
import { runJob } from '../../../test/support/watched.js';
import { until } from '../../../test/support/until.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { OpenDeliveriesReader } from '../../delivery/admin/open-deliveries.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { METRICS } from '../../platform/metrics/metrics-table.js';
import { JobHandlers } from '../../platform/queues/handlers.js';
import { WakeUps } from '../../platform/queues/wake-ups.js';
import { Queues } from '../../platform/queues/queues.js';
import { MAX_COUNTED } from './gauges.js';

const worlds: World[] = [];
afterEach(async () => {
  jest.restoreAllMocks();
  for (const world of worlds.splice(0)) await world.close();
});

async function start(options: Parameters<typeof createWorld>[0] = {}): Promise<World> {
  const world = await createWorld(options);
  worlds.push(world);
  return world;
}

/** The samples of a scrape: `name{labels}` → value. */
async function scrape(world: World, headers: Record<string, string> = {}): Promise<Map<string, number>> {
  const { status, text } = await world.http('GET', '/metrics', { headers });
  expect(status).toBe(200);
  return new Map(
    text.split('\n').flatMap((line): [string, number][] => {
      const [, sample, value] = /^([^#\s]\S*) (\S+)$/.exec(line) ?? [];
      return sample === undefined ? [] : [[sample, Number(value)]];
    }),
  );
}

test('Prometheus reads every metric of the table, and the process, from any role', async () => {
  for (const VIGIE_ROLES of ['web', 'worker', 'scheduler']) {
    const world = await start({ env: { VIGIE_ROLES } });
    const { text, headers } = await world.http('GET', '/metrics');
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    const listed = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]);
    expect(listed).toEqual(
      expect.arrayContaining(Object.entries(METRICS).map(([name, { type }]) => [name, type])),
    );
    expect(listed).toEqual(expect.arrayContaining([['process_resident_memory_bytes', 'gauge']]));
    expect(new Set(listed.map(([name]) => name)).size).toBe(listed.length);
  }
});

test('a scrape with the token of a person, or with the token elsewhere, is refused', async () => {
  const world = await start({ env: { METRICS_TOKEN: 'a token of the scraper' } });
  const { operator, admin } = await createCast(world);
  const read = jest.spyOn(world.app.get(OpenDeliveriesReader, { strict: false }), 'read');
  for (const token of [operator.token, admin.token]) {
    expect((await world.http('GET', '/metrics', { token })).status).toBe(401);
  }
  const path = `/metrics?token=${encodeURIComponent('a token of the scraper')}`;
  const answer = await world.http('GET', path);
  expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
  expect(answer.text).not.toContain('vigie_');
  // A refused scrape costs PostgreSQL nothing.
  expect(read).not.toHaveBeenCalled();
});

test('METRICS_TOKEN protects it, and must match exactly', async () => {
  const world = await start({ env: { METRICS_TOKEN: 'a token of the scraper' } });
  for (const authorization of ['', 'Bearer ', 'Bearer a token of the scrapes', 'a token of the scraper']) {
    const answer = await world.http(
      'GET',
      '/metrics',
      authorization === '' ? {} : { headers: { authorization } },
    );
    expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
  }
  await scrape(world, { authorization: 'Bearer a token of the scraper' });
});

test('requests are measured by their route pattern, never by the requested path', async () => {
  const world = await start();
  const { admin } = await createCast(world);
  await world.http('GET', '/api/v1/deadlines/5f0c6f2e-0000-4000-8000-000000000000', { token: admin.token });
  await world.http('GET', '/api/v1/no-such-thing/canary');
  const samples = await scrape(world);
  const count = (method: string, route: string, status: string) =>
    samples.get(
      `vigie_http_request_duration_seconds_count{method="${method}",route="${route}",status_class="${status}"}`,
    );
  expect(count('GET', '/api/v1/deadlines/:id', '4xx')).toBe(1);
  expect(count('GET', 'none', '4xx')).toBe(1);
  expect([...samples.keys()].filter((sample) => /canary|5f0c6f2e/.test(sample))).toEqual([]);
});

test('waiting deliveries are counted by channel and state, with the age of the oldest', async () => {
  const clock = new FixedClock('2026-03-02T09:00:00Z');
  const world = await start({
    clock,
    env: { LIMIT_GLOBAL_PER_MINUTE: '120', SMTP_HOST: '127.0.0.1', SMTP_FROM_EMAIL: 'a@b.example' },
  });
  const { tenant_id, admin, other } = await createCast(world);
  await pend(world, tenant_id, admin.id, [
    '2026-03-02T08:59:00Z',
    '2026-03-02T08:50:00Z',
    '2026-03-02T10:00:00Z',
  ]);
  // Those of a suspended tenant have to wait.
  await pend(world, other.tenant.id, other.outsider.id, ['2026-03-01T00:00:00Z']);
  await world.sql(`UPDATE tenants SET suspended_at = now() WHERE id = $1`, [other.tenant.id]);
  await world.sql(`UPDATE channels SET paused = true WHERE channel = 'email'`);
  const samples = await scrape(world);
  expect(samples.get('vigie_deliveries{channel="email",state="pending"}')).toBe(4);
  expect(samples.get('vigie_deliveries{channel="email",state="sending"}')).toBe(0);
  expect(samples.get('vigie_oldest_due_delivery_seconds{channel="email"}')).toBe(600);
  expect(samples.get('vigie_channel_paused{channel="email"}')).toBe(1);
  expect(samples.get('vigie_dispatch_limit_per_minute{channel="email"}')).toBe(120);
  expect(samples.get('vigie_queue_jobs{queue="mail",state="waiting"}')).toBe(0);
});

test('several scrapes within a few seconds query PostgreSQL once', async () => {
  const world = await start();
  const read = jest.spyOn(world.app.get(OpenDeliveriesReader, { strict: false }), 'read');
  await Promise.all([scrape(world), scrape(world)]);
  await scrape(world);
  expect(read).toHaveBeenCalledTimes(1);
});

test('counting a backlog reads only its index, and no more than is shown', async () => {
  const world = await start();
  const { tenant_id, admin } = await createCast(world);
  await pend(
    world,
    tenant_id,
    admin.id,
    Array.from({ length: 30 }, () => '2026-03-02T08:00:00Z'),
  );
  await world.sql(
    `INSERT INTO deliveries (tenant_id, notification_id, recipient, critical, channel, address, state, due_at,
                             created_at, sent_at, ended_at)
     SELECT tenant_id, notification_id, recipient, critical, channel, n || '@example.com', 'sent', due_at,
            created_at, due_at, due_at
     FROM deliveries, generate_series(1, 500) n`,
  );
  await world.sql('ANALYZE deliveries');
  const reader = world.app.get(OpenDeliveriesReader, { strict: false });
  const mail = async (most: number) => (await reader.read(most)).find(({ channel }) => channel === 'email');
  expect(await mail(MAX_COUNTED)).toMatchObject({ due: 30, deferred: 0 });
  expect(await mail(20)).toMatchObject({ due: 20 });
  const plan = await world.sql<{ 'QUERY PLAN': string }>(
    `EXPLAIN SELECT count(*) FILTER (WHERE due_at <= now()) FROM (SELECT due_at FROM deliveries d
       WHERE d.channel = 'email' AND d.state = 'pending' LIMIT ${MAX_COUNTED}) p`,
  );
  expect(plan.map((line) => line['QUERY PLAN']).join('\n')).toMatch(/Index.* deliveries_pending/);
});

test('if a source does not answer, its gauges are absent, and vigie_source_up is 0', async () => {
  const world = await start();
  jest.spyOn(world.app.get(Queues), 'counts').mockRejectedValue(new Error('unreachable'));
  jest
    .spyOn(world.app.get(OpenDeliveriesReader, { strict: false }), 'read')
    .mockReturnValue(new Promise(() => undefined));
  const samples = await scrape(world);
  expect(samples.get('vigie_source_up{source="postgresql"}')).toBe(0);
  expect(samples.get('vigie_source_up{source="redis"}')).toBe(0);
  expect([...samples.keys()].filter((name) => /^vigie_(queue_jobs|deliveries)/.test(name))).toEqual([]);
});

test('runs are counted by job and outcome, with their time', async () => {
  const world = await start();
  const { tenant_id } = await createCast(world);
  await runJob(world, tenant_id, 'update-statuses');
  const samples = await scrape(world);
  expect(samples.get('vigie_runs_total{job="update-statuses",outcome="succeeded"}')).toBe(1);
  expect(samples.get('vigie_run_duration_seconds_count{job="update-statuses"}')).toBe(1);
});

test('a run shows how late it started, what it did, and which runs wait', async () => {
  const clock = new FixedClock('2026-03-02T09:00:00Z');
  const world = await start({ clock });
  const { tenant_id, other } = await createCast(world);
  const insert = (tenant: string, job: string, due: string) =>
    world.sql(
      `INSERT INTO job_runs (tenant_id, job, slot, due_at, lease_token, lease_until, created_at)
       VALUES ($1, $2, $3::text, $3::text::timestamptz, gen_random_uuid(), now() + interval '1 minute', $3::text::timestamptz)
       RETURNING id AS run_id, tenant_id, lease_token`,
      [tenant, job, due],
    );
  const [late] = await insert(tenant_id, 'update-statuses', '2026-03-02T08:59:15Z');
  await world.app.get(JobHandlers, { strict: false }).run('update-statuses', late);
  await insert(tenant_id, 'cleanup', '2026-03-02T08:50:00Z');
  await insert(tenant_id, 'cleanup', '2026-03-02T10:00:00Z');
  // The runs of a suspended tenant and of a paused queue have to wait.
  await insert(other.tenant.id, 'cleanup', '2026-03-01T08:50:00Z');
  await world.sql(`UPDATE tenants SET suspended_at = now() WHERE id = $1`, [other.tenant.id]);
  await insert(tenant_id, 'scan-backups', '2026-03-02T08:00:00Z');
  await world.sql(`INSERT INTO paused_run_queues (queue, paused_at) VALUES ('checks', now())`);
  const samples = await scrape(world);
  expect(samples.get('vigie_run_lag_seconds_sum{job="update-statuses"}')).toBe(45);
  expect(samples.get('vigie_runs_open{job="cleanup",state="queued"}')).toBe(3);
  expect(samples.get('vigie_runs_open{job="cleanup",state="running"}')).toBe(0);
  expect(samples.get('vigie_oldest_due_run_seconds{job="cleanup"}')).toBe(600);
  expect(samples.get('vigie_oldest_due_run_seconds{job="scan-backups"}')).toBe(0);
  expect(samples.get('vigie_database_connections{pool="app",state="waiting"}')).toBe(0);
  expect(samples.get('vigie_source_response_seconds{source="postgresql"}')).toBeGreaterThan(0);
  expect(samples.get('vigie_dead_letters{channel="email"}')).toBe(0);
  expect(samples.get('vigie_worker_concurrency{channel="email"}')).toBe(0);
});

test('a wake-up that Redis does not accept is counted', async () => {
  const world = await start({ env: { VIGIE_ROLES: 'web' } });
  const wakeUps = world.app.get(WakeUps);
  // Only a stopped publisher fails reliably while all tests share one running Redis.
  wakeUps.onApplicationShutdown();
  wakeUps.send('dispatch.kick', { channel: 'email' });
  await until(
    'the count',
    async () => (await scrape(world)).get('vigie_wake_ups_failed_total{name="dispatch.kick"}') === 1,
  );
});

/** Pending deliveries of one user, due at these instants. */
async function pend(world: World, tenantId: string, userId: string, dueAt: readonly string[]): Promise<void> {
  await world.sql(
    `WITH created AS (
       INSERT INTO notifications (tenant_id, recipient, user_id, dedupe_key, kind, severity, audience, created_at)
       SELECT $1, 'user:' || $2::text, $2::uuid, 'n-' || position, 'event', 'info', 'self', due_at
       FROM unnest($3::timestamptz[]) WITH ORDINALITY AS d (due_at, position)
       RETURNING id, recipient, created_at)
     INSERT INTO deliveries (tenant_id, notification_id, recipient, critical, channel, address, due_at, created_at)
     SELECT $1, id, recipient, false, 'email', 'a@example.com', created_at, created_at FROM created`,
    [tenantId, userId, dueAt],
  );
}
