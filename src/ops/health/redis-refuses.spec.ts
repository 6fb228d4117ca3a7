import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { insertBacklog } from '../../../test/support/backlog.js';
import { createCast } from '../../../test/support/cast.js';
import { type RedisServer, startRedis } from '../../../test/support/redis-server.js';
import { until } from '../../../test/support/until.js';
import { createWorld, mailEnvironment, type World } from '../../../test/support/world.js';
import { type MailCatcher, startMailCatcher } from '../../cli/demo/mail-catcher.js';

/** R4: a Redis that answers but refuses writes. */

let server: RedisServer;
let redis: Redis;
let catcher: MailCatcher;
let world: World;
let token: string;
let error: jest.SpyInstance;

beforeEach(async () => {
  error = jest.spyOn(Logger.prototype, 'error').mockImplementation();
  server = await startRedis();
  redis = new Redis(server.url);
  catcher = await startMailCatcher();
  world = await createWorld({
    env: {
      REDIS_URL: server.url,
      VIGIE_ROLES: 'web,worker,scheduler',
      DISPATCH_INTERVAL_SECONDS: '1',
      ...mailEnvironment(catcher),
    },
  });
  token = (await createCast(world)).operator.token;
});
afterEach(async () => {
  redis.disconnect();
  await world.close();
  await catcher.close();
  await server.stop();
  jest.restoreAllMocks();
});

/** The lines of this event so far. */
function logged(event: string): { detail?: string }[] {
  return error.mock.calls
    .map(([line]) => line as { event?: string; detail?: string })
    .filter((line) => line.event === event);
}

async function redisConnection(): Promise<{ ok: boolean; error: string | null }> {
  const { body } = await world.http('GET', '/api/v1/admin/connections', { token });
  return (body.data as { service: string; ok: boolean; error: string }[]).find(
    ({ service }) => service === 'redis',
  )!;
}

async function metric(name: string): Promise<number> {
  const { text } = await world.http('GET', '/metrics');
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')[1],
  );
}

interface Refusal {
  /** Makes Redis refuse writes. */
  begin: () => Promise<unknown>;
  end: () => Promise<unknown>;
  words: string;
}

const REFUSALS: [string, () => Refusal][] = [
  [
    'a replica after a failover',
    () => ({
      begin: () => redis.replicaof('127.0.0.1', 1),
      end: () => redis.replicaof('NO', 'ONE'),
      words: 'Redis is read only: REDIS_URL names a replica',
    }),
  ],
  [
    'out of memory',
    () => ({
      begin: () => redis.config('SET', 'maxmemory', '1mb'),
      end: () => redis.config('SET', 'maxmemory', '0'),
      words: 'Redis is out of memory: raise its maxmemory',
    }),
  ],
];

test.each(REFUSALS)(
  'R4: %s: every signal shows that nothing is sent, one line says why, and it recovers without help',
  async (_name, make) => {
    const { begin, end, words } = make();
    expect((await world.http('GET', '/readyz')).status).toBe(200);
    await begin();
    const [tenant] = await insertBacklog(
      { query: async (text, values) => ({ rows: await world.sql(text, values) }) },
      { tenants: 1, deliveries: 3, users: 3, prefix: 'firm' },
    );
    await world.sql(`UPDATE deliveries SET due_at = now() - interval '10 minutes' WHERE tenant_id = $1`, [
      tenant,
    ]);
    const { body } = await world.http('GET', '/readyz');
    expect(body).toMatchObject({ code: 'unavailable', detail: words });
    expect(await redisConnection()).toMatchObject({ ok: false, error: words });
    // Admitted, refused by Redis, and queued until the lease expires: still due.
    await until('an admission', async () => (await states(tenant!)).includes('queued'));
    expect(await metric('vigie_oldest_due_delivery_seconds{channel="email"}')).toBeGreaterThanOrEqual(600);
    expect(await metric('vigie_source_up{source="redis"}')).toBe(0);
    expect(catcher.count).toBe(0);
    expect(logged('redis_refuses_writes')).toEqual([{ event: 'redis_refuses_writes', detail: words }]);

    await end();
    await until('readiness', async () => (await world.http('GET', '/readyz')).status === 200);
    // Expire their 15 s.
    await world.sql(`UPDATE deliveries SET lease_until = now() WHERE state = 'queued'`);
    await until('the mails', () => catcher.count === 3, 45_000);
    await until('the outcomes', async () => (await states(tenant!)).every((state) => state === 'sent'));
    expect(logged('redis_refuses_writes')).toHaveLength(1);
  },
  90_000,
);

async function states(tenantId: string): Promise<string[]> {
  const rows = await world.sql<{ state: string }>(
    'SELECT state FROM deliveries WHERE tenant_id = $1 ORDER BY id',
    [tenantId],
  );
  return rows.map(({ state }) => state);
}
