import { randomUUID } from 'node:crypto';
import { getQueueToken } from '@nestjs/bull';
import { Logger } from '@nestjs/common';
import type { Queue } from 'bull';
import { Redis } from 'ioredis';
import type { Platform } from '../../../test/support/platform.js';
import { proxyTo } from '../../../test/support/proxy.js';
import { type RedisServer, startRedis } from '../../../test/support/redis-server.js';
import { until } from '../../../test/support/until.js';
import { QUEUES } from '../../contracts/jobs.js';
import { CONFIG, type Config } from '../config/config.js';
import { type Done, EveryJob, newRun as run, startQueues as start } from './every-job.fixture.js';
import { bullPrefix } from './prefix.js';
import { Queues } from './queues.js';
import { WakeUps } from './wake-ups.js';

describe('the queues', () => {
  let platform: Platform;
  let queues: Queues;
  let jobs: EveryJob;

  beforeEach(async () => {
    platform = await start();
    queues = platform.module.get(Queues);
    jobs = platform.module.get(EveryJob);
  });
  afterEach(async () => platform.close());

  it('pass each job to its handler, then forget it', async () => {
    const payloads = [run(), run(), run()];
    await queues.enqueue(
      'cleanup',
      payloads.map((payload) => ({ id: payload.lease_token, payload })),
    );
    await until('three jobs', () => jobs.done.length === 3);
    expect(jobs.done.map(({ payload }) => payload)).toEqual(expect.arrayContaining(payloads));
    await until('empty queues', async () =>
      Object.values(await queues.counts()).every(({ active }) => active === 0),
    );
    const queue = platform.module.get<Queue>(getQueueToken('maintenance'), { strict: false });
    expect(await queue.getCompletedCount()).toBe(0);
    expect(await queue.getJob(payloads[0]!.lease_token)).toBeNull();
  });

  it('log a crash, keep nothing of it, and continue', async () => {
    const error = jest.spyOn(Logger.prototype, 'error').mockImplementation();
    jobs.work = ({ name }) =>
      name === 'weekly-summary' ? Promise.reject(new Error('no')) : Promise.resolve();
    const [bad, good] = [run(), run()];
    await queues.enqueue('weekly-summary', [{ id: bad.lease_token, payload: bad }]);
    await queues.enqueue('check-notifications', [{ id: good.lease_token, payload: good }]);
    await until('the good one', () => jobs.done.length === 1);
    await until('the crash', () => error.mock.calls.length > 0);
    expect(error).toHaveBeenCalledWith(
      expect.objectContaining({ event: 'job_crashed', job: 'weekly-summary' }),
    );
    const queue = platform.module.get<Queue>(getQueueToken('checks'), { strict: false });
    await until('nothing kept', async () => (await queue.getJob(bad.lease_token)) === null);
    error.mockRestore();
  });

  it('count their jobs', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    jobs.work = () => held;
    const payloads = Array.from({ length: 5 }, run);
    await queues.enqueue(
      'cleanup',
      payloads.map((payload) => ({ id: payload.lease_token, payload })),
    );
    // MAINTENANCE_CONCURRENCY defaults to two.
    const counts = await until('two active', async () => {
      const { maintenance } = await queues.counts();
      return maintenance.active === 2 ? maintenance : null;
    });
    expect(counts).toEqual({ active: 2, waiting: 3, delayed: 0, failed: 0 });
    expect(Object.keys(await queues.counts())).toEqual([...QUEUES]);
    release();
    await until('all done', () => jobs.done.length === 5);
  });

  it('finish running jobs before the process stops, and start no new ones', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let begun = 0;
    jobs.work = () => {
      begun += 1;
      return held;
    };
    const payloads = Array.from({ length: 5 }, run);
    await queues.enqueue(
      'cleanup',
      payloads.map((payload) => ({ id: payload.lease_token, payload })),
    );
    await until('two begun', () => begun === 2);
    const closed = platform.close();
    setTimeout(release, 100);
    await closed;
    expect([begun, jobs.done.length]).toEqual([2, 2]);
  });
});

it("R4: detect that the server has forgotten Bull's scripts, so that adding has no effect", async () => {
  const platform = await start();
  const queues = platform.module.get(Queues);
  const { done } = platform.module.get(EveryJob);
  const redis = new Redis(platform.module.get<Config>(CONFIG).redisUrl!);
  const enqueue = () => {
    const payload = run();
    return queues.enqueue('cleanup', [{ id: payload.lease_token, payload }]);
  };
  await enqueue();
  await redis.script('FLUSH');
  await expect(enqueue()).rejects.toThrow('Redis did not accept 1 of 1 jobs cleanup');
  await enqueue();
  await until('the two that were taken', () => done.length === 2);
  redis.disconnect();
  await platform.close();
});

describe('R4: garbage in the lists of Bull', () => {
  let platform: Platform;
  let jobs: EveryJob;
  let redis: Redis;
  let key: (of: string) => string;

  beforeEach(async () => {
    platform = await start({ MAINTENANCE_CONCURRENCY: '1' });
    jobs = platform.module.get(EveryJob);
    const config = platform.module.get<Config>(CONFIG);
    redis = new Redis(config.redisUrl!);
    key = (of) => `${bullPrefix(config)}:maintenance:${of}`;
  });
  afterEach(async () => {
    redis.disconnect();
    await platform.close();
  });

  async function worksOn(): Promise<void> {
    const payload = run();
    await platform.module.get(Queues).enqueue('cleanup', [{ id: payload.lease_token, payload }]);
    await until(
      'a job of ours',
      () => jobs.done.some((job) => job.payload !== null && isOf(job, payload)),
      30_000,
    );
  }
  const isOf = (job: Done, { run_id }: { run_id: string }) =>
    (job.payload as { run_id?: string }).run_id === run_id;

  it('ids without a job are skipped', async () => {
    const error = jest.spyOn(Logger.prototype, 'error').mockImplementation();
    await redis.rpush(key('wait'), 'junk', '', '{}', 'x'.repeat(100_000), Buffer.from([0xff, 0, 0xfe]));
    await worksOn();
    error.mockRestore();
  }, 45_000);

  it('jobs with broken fields are skipped', async () => {
    const error = jest.spyOn(Logger.prototype, 'error').mockImplementation();
    const broken: Record<string, string>[] = [
      { name: 'cleanup', data: '{"run_id":', opts: '{}', timestamp: '1' },
      { name: 'cleanup', data: 'null', opts: '{broken', timestamp: '1' },
      { name: 'no-such-job', data: '{}', opts: '{}' },
      { name: 'cleanup', data: '[]', opts: 'null', timestamp: 'x' },
      { data: '1' },
    ];
    for (const [n, fields] of broken.entries()) {
      await redis.hset(key(`broken-${n}`), fields);
      await redis.rpush(key('wait'), `broken-${n}`);
    }
    await worksOn();
    error.mockRestore();
  }, 60_000);

  it('a key of another type stops its queue until it is removed, and loss is always reported', async () => {
    const payload = run();
    const queues = platform.module.get(Queues);
    await redis.set(key('wait'), 'a string');
    await expect(queues.enqueue('cleanup', [{ id: payload.lease_token, payload }])).rejects.toThrow(
      'Redis did not accept 1 of 1 jobs cleanup',
    );
    await redis.del(key('wait'), key(payload.lease_token));
    await until('a connection', () =>
      queues.probe().then(
        () => true,
        () => false,
      ),
    );
    await worksOn();
  }, 45_000);
});

describe('wake-ups', () => {
  it('reach every process of the installation, and no other installation', async () => {
    const env = { VIGIE_ROLES: 'web', REDIS_PREFIX: `test-${randomUUID()}` };
    const platforms = await Promise.all([start(env), start(env), start()]);
    const heard: string[][] = platforms.map(() => []);
    platforms.forEach(({ module }, n) =>
      module.get(WakeUps).on('dispatch.kick', ({ channel }) => heard[n]!.push(channel)),
    );
    const [first] = platforms;
    // Subscribing takes a moment, and a wake-up without a listener is lost by design.
    await until('both to hear', () => {
      first.module.get(WakeUps).send('dispatch.kick', { channel: 'email' });
      return heard[0]!.length > 0 && heard[1]!.length > 0;
    });
    expect(new Set(heard.flat())).toEqual(new Set(['email']));
    expect(heard[2]).toEqual([]);
    await Promise.all(platforms.map((platform) => platform.close()));
  });
});

describe('without Redis', () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  it('R6: a process stops cleanly before Redis has answered its workers', async () => {
    const proxy = await proxyTo(server.url);
    proxy.silence();
    const platform = await start({ REDIS_URL: proxy.url, VIGIE_ROLES: 'worker' });
    // Jest fails a test that leaves a rejection unhandled.
    await platform.close();
    await proxy.close();
  });

  it('R6: a process stops cleanly before Redis has answered a repeated subscription', async () => {
    const proxy = await proxyTo(server.url);
    const platform = await start({ REDIS_URL: proxy.url, VIGIE_ROLES: 'web' });
    const wakeUps = platform.module.get(WakeUps);
    let heard = false;
    wakeUps.on('dispatch.kick', () => (heard = true));
    await until('the subscription', () => {
      wakeUps.send('dispatch.kick', { channel: 'email' });
      return heard;
    });
    const resubscribed = proxy.silenceAt('subscribe');
    proxy.cut();
    proxy.restore();
    await resubscribed;
    // Jest fails a test that leaves a rejection unhandled.
    await platform.close();
    await proxy.close();
  });

  it('F4: adding fails within 2 s, and wake-ups are dropped without an error', async () => {
    const platform = await start({ REDIS_URL: server.url, VIGIE_ROLES: 'web' });
    const queues = platform.module.get(Queues);
    await queues.probe();
    await server.stop();
    const payload = run();
    const started = performance.now();
    await expect(queues.enqueue('cleanup', [{ id: payload.lease_token, payload }])).rejects.toThrow();
    await expect(queues.probe()).rejects.toThrow();
    expect(performance.now() - started).toBeLessThan(4_500);
    expect(() => platform.module.get(WakeUps).send('dispatch.kick', { channel: 'email' })).not.toThrow();
    await platform.close();
  });
});
