import { createCast, type Cast } from '../../../test/support/cast.js';
import { RedisCluster } from '../../../test/support/redis-cluster.js';
import { type RedisServer, startRedis } from '../../../test/support/redis-server.js';
import { until } from '../../../test/support/until.js';
import { createWorld, mailEnvironment, type World } from '../../../test/support/world.js';
import { LoginThrottle } from '../../auth/sessions/login-throttle.js';
import { type MailCatcher, startMailCatcher } from '../../cli/demo/mail-catcher.js';
import { check, finding, NOWHERE } from '../../cli/doctor/doctor.fixture.js';
import { QUEUED_LEASE_SECONDS } from '../../delivery/dispatch/admission.js';
import { connect } from '../../realtime/client.fixture.js';
import { readConfig } from '../config/config.js';
import { bullPrefix } from '../queues/prefix.js';
import { checkRedis } from './check.js';

/** A Redis Cluster: everything works on it, and what does not fit it is refused. */

/** A job of the lost node is admitted again when its lease of 15 s expires. */
const FAILED_OVER_MS = 40_000;

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await RedisCluster.start();
});
afterAll(() => cluster.stop());

const doctor = (url: string) => check('redis', { ...NOWHERE, REDIS_URL: url });
const startCheck = (url: string) => checkRedis(readConfig({ ...NOWHERE, REDIS_URL: url }));

describe('an installation', () => {
  let catcher: MailCatcher;
  let world: World;
  let cast: Cast;

  beforeAll(async () => {
    catcher = await startMailCatcher();
    world = await createWorld({
      env: {
        REDIS_URL: cluster.url,
        VIGIE_ROLES: 'web,worker,scheduler',
        API_REQUESTS_PER_MINUTE: '600',
        ...mailEnvironment(catcher),
      },
    });
    await world.app.listen(0, '127.0.0.1');
    cast = await createCast(world);
  });
  afterAll(async () => {
    await world.close();
    await catcher.close();
  });

  it('sends a notification by mail and over a socket, and keeps its queues in one slot', async () => {
    const { token, id, email } = cast.teammate;
    const client = await connect(await world.app.getUrl(), { token });
    const { status } = await world.http('POST', '/api/v1/notifications', {
      token: cast.admin.token,
      body: { channel: 'email', user_ids: [id], subject: 'Relance', body: 'Bonjour' },
    });
    expect(status).toBe(202);
    await catcher.waitFor(({ to }) => to.includes(email));
    await until('the message of the socket', () => client.created().length === 1);
    client.socket.disconnect();

    expect((await world.http('GET', '/readyz')).status).toBe(200);
    const { body } = await world.http('GET', '/api/v1/admin/connections', { token: cast.operator.token });
    expect(body.data).toContainEqual(expect.objectContaining({ service: 'redis', ok: true }));
    const queues = await world.http('GET', '/api/v1/admin/queues', { token: cast.operator.token });
    expect(queues.body.data).toEqual(
      queues.body.data.map(() => expect.objectContaining({ bull_error: null })) as unknown,
    );
    const purged = await world.http('POST', '/api/v1/admin/queues/mail/purge', {
      token: cast.operator.token,
    });
    expect(purged.body).toMatchObject({ bull_emptied: true });

    const prefix = bullPrefix(world.config);
    const keys = await cluster.onEach((redis) => redis.keys(`${prefix}:*`));
    expect(keys.filter((found) => found.length > 0)).toHaveLength(1);
  });

  it('counts failed sign-ins and requests on all nodes, and forgets them on all', async () => {
    const wrong = (email: string) =>
      world.http('POST', '/api/v1/auth/login', {
        body: { tenant: cast.tenant.slug, email, password: 'wrong' },
      });
    // Their keys are on different nodes.
    const emails = Array.from({ length: 8 }, (_none, number) => `stranger${number}@example.fr`);
    for (const email of emails) expect((await wrong(email)).status).toBe(401);
    const counted = () => cluster.onEach((redis) => redis.keys(`${world.config.redisPrefix}:login*`));
    expect((await counted()).every((keys) => keys.length > 0)).toBe(true);
    await until('the counts of requests', async () => {
      const keys = await cluster.onEach((redis) => redis.keys(`${world.config.redisPrefix}:requests:*`));
      return keys.flat().length > 0;
    });
    const throttle = world.app.get(LoginThrottle, { strict: false });
    for (const email of emails) {
      expect(await throttle.unlock({ tenant: cast.tenant.slug, email })).toBeGreaterThan(0);
    }
    expect((await counted()).flat()).toEqual([]);
  });
});

it('resumes sending when the node with the queues is lost and its replica takes over', async () => {
  const own = await RedisCluster.start({ replicas: true });
  const catcher = await startMailCatcher();
  const world = await createWorld({
    env: { REDIS_URL: own.url, VIGIE_ROLES: 'web,worker,scheduler', ...mailEnvironment(catcher) },
  });
  try {
    const { admin } = await createCast(world);
    const write = async (to: string) => {
      const { status } = await world.http('POST', '/api/v1/notifications', {
        token: admin.token,
        body: { channel: 'email', to, subject: 'Relance', body: 'Bonjour' },
      });
      expect(status).toBe(202);
    };
    const arrives = (to: string) => catcher.waitFor((mail) => mail.to.includes(to), FAILED_OVER_MS);
    await write('before@client.example');
    await arrives('before@client.example');
    const lost = own.loseNodeOf(bullPrefix(world.config));
    await write('meanwhile@client.example');
    await lost;
    await write('after@client.example');
    await arrives('meanwhile@client.example');
    await arrives('after@client.example');
    // Until here, a job of the lost node may be admitted again.
    await until(
      'the end of all leases',
      async () => {
        const [open] = await world.sql<{ count: number }>(
          `SELECT count(*) FROM deliveries
           WHERE state <> 'sent' OR admitted_at > now() - make_interval(secs => $1)`,
          [QUEUED_LEASE_SECONDS + 1],
        );
        return open?.count === 0;
      },
      FAILED_OVER_MS,
    );
    expect(catcher.mails).toHaveLength(3);
    expect(await doctor(own.url)).toContainEqual(
      finding('ok', /takes writes: 3 primaries .* and 2 replicas/),
    );
  } finally {
    await world.close();
    await catcher.close();
    await own.stop();
  }
}, 90_000);

it('is examined on every node', async () => {
  await startCheck(cluster.url);
  expect(await doctor(cluster.url)).toEqual([
    finding('ok', /takes writes: 3 primaries \(.*\) and 0 replicas$/),
  ]);
  const policy = (value: string) =>
    cluster.onEach(async (redis, number) => {
      if (number === 2) await redis.config('SET', 'maxmemory-policy', value);
    });
  await policy('allkeys-lru');
  const words = new RegExp(`^Redis at 127\\.0\\.0\\.1:${cluster.nodes[2]?.port} .* allkeys-lru`);
  await expect(startCheck(cluster.url)).rejects.toThrow(words);
  expect(await doctor(cluster.url)).toEqual([finding('fault', words, /noeviction/)]);
  await policy('noeviction');
});

describe('a configuration that does not fit is refused at once, with words', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  it.each([
    ['one node as a Redis', () => cluster.nodes[0]!.url, /names one node of a Redis Cluster/],
    [
      'a Redis that is no node',
      () => `redis+cluster://127.0.0.1:${server.port}`,
      /is not a node of a Redis Cluster/,
    ],
  ])('%s', async (_what, urlOf, words) => {
    await expect(startCheck(urlOf())).rejects.toThrow(words);
    expect(await doctor(urlOf())).toEqual([finding('fault', words, /redis(\+cluster)?:\/\//)]);
  });
});

// The last, because it breaks the cluster.
it('a node that is down is named, and the cluster refuses writes', async () => {
  const lost = cluster.nodes[0]!;
  expect(await doctor(`${cluster.url},127.0.0.1:1`)).toEqual([
    finding('ok', /takes writes/),
    finding('warning', /^the node 127\.0\.0\.1:1 does not answer/),
  ]);
  await lost.stop();
  const others = cluster.url.replace(`127.0.0.1:${lost.port},`, '');
  const found = await until('the end of the cluster', async () => {
    const [first] = await doctor(others);
    return /is down/.test(first?.message ?? '') ? first : null;
  });
  expect(found).toEqual(
    finding('fault', new RegExp(`10922 of 16384 slots are served; failing: 127\\.0\\.0\\.1:${lost.port}`)),
  );
});
