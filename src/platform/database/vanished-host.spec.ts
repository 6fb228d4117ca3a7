import { type Cast, createCast } from '../../../test/support/cast.js';
import { type Proxy, proxyTo } from '../../../test/support/proxy.js';
import { until } from '../../../test/support/until.js';
import { createWorld, type World } from '../../../test/support/world.js';

let world: World;
let cast: Cast;
/** A process that reaches PostgreSQL only through `proxy`. */
let behind: World;
let proxies: Proxy[];

beforeAll(async () => {
  world = await createWorld();
  cast = await createCast(world);
  proxies = [await proxyTo(world.config.databaseAppUrl!), await proxyTo(world.config.databaseSystemUrl!)];
  behind = await createWorld({
    join: world,
    env: {
      DATABASE_APP_URL: proxies[0]!.url,
      DATABASE_SYSTEM_URL: proxies[1]!.url,
      DATABASE_STATEMENT_TIMEOUT_SECONDS: '1',
      VIGIE_ROLES: 'web,scheduler',
      SCHEDULER_ENABLED: 'true',
      SCHEDULER_POLL_SECONDS: '1',
    },
  });
});

afterAll(async () => {
  await behind.close();
  await Promise.all(proxies.map((proxy) => proxy.close()));
  await world.close();
});

const readTasks = () => behind.http('GET', '/api/v1/tasks', { token: cast.admin.token });

async function lastPoll(): Promise<number> {
  const [row] = await world.sql<{ polled_at: Date }>('SELECT polled_at FROM scheduler_polls');
  return row?.polled_at.getTime() ?? 0;
}

describe('H24: when the host of PostgreSQL vanishes without a reset', () => {
  it('requests fail in time, and requests and the scheduler recover once it is back', async () => {
    expect((await readTasks()).status).toBe(200);
    await until('a first poll', async () => (await lastPoll()) > 0);

    proxies.forEach((proxy) => proxy.silence());
    const began = performance.now();
    const answers = await Promise.all([readTasks(), readTasks(), readTasks()]);
    expect(performance.now() - began).toBeLessThan(15_000);
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503]);

    proxies.forEach((proxy) => proxy.restore());
    const back = Date.now();
    await until('an answer', async () => (await readTasks()).status === 200, 30_000);
    await until('a later poll', async () => (await lastPoll()) > back, 30_000);
  }, 90_000);
});
