import { randomUUID } from 'node:crypto';
import { getQueueToken } from '@nestjs/bull';
import { type BeforeApplicationShutdown, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import type { Queue } from 'bull';
import { createPlatform, type Platform } from '../../../test/support/platform.js';
import { type RedisServer, startRedis } from '../../../test/support/redis-server.js';
import { until } from '../../../test/support/until.js';
import { JOBS, type JobName, QUEUES } from '../../contracts/jobs.js';
import { BackgroundWork } from './background-work.js';
import { JobHandlers } from './handlers.js';
import { QueuesModule } from './queues.module.js';
import { Queues } from './queues.js';
import { WakeUps } from './wake-ups.js';
import { Workers } from './workers.js';

interface Done {
  name: JobName;
  payload: unknown;
}

/** Does every job of the catalog as the test says, and drains as the application does. */
@Injectable()
class EveryJob implements OnModuleInit, BeforeApplicationShutdown {
  readonly done: Done[] = [];
  work: (job: Done) => Promise<void> = () => Promise.resolve();

  constructor(
    private readonly handlers: JobHandlers,
    private readonly workers: Workers,
  ) {}

  async beforeApplicationShutdown(): Promise<void> {
    await this.workers.drain();
  }

  onModuleInit(): void {
    for (const name of Object.keys(JOBS) as JobName[]) {
      this.handlers.register(name, async (payload: unknown) => {
        await this.work({ name, payload });
        this.done.push({ name, payload });
      });
    }
  }
}

async function start(env: Record<string, string> = {}): Promise<Platform> {
  const platform = await createPlatform(
    (config) => ({ imports: [QueuesModule.forRoot(config)], providers: [EveryJob] }),
    env,
  );
  await platform.module.get(BackgroundWork).begin();
  return platform;
}

const run = () => ({ tenant_id: randomUUID(), run_id: randomUUID(), lease_token: randomUUID() });

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

  it('carry each job to its handler, and forget it', async () => {
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

  it('log a crash, keep nothing of it, and go on', async () => {
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

  it('count what they hold', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    jobs.work = () => held;
    const payloads = Array.from({ length: 5 }, run);
    await queues.enqueue(
      'cleanup',
      payloads.map((payload) => ({ id: payload.lease_token, payload })),
    );
    // Two at a time is what MAINTENANCE_CONCURRENCY has by default.
    const counts = await until('two active', async () => {
      const { maintenance } = await queues.counts();
      return maintenance.active === 2 ? maintenance : null;
    });
    expect(counts).toEqual({ active: 2, waiting: 3, delayed: 0, failed: 0 });
    expect(Object.keys(await queues.counts())).toEqual([...QUEUES]);
    release();
    await until('all done', () => jobs.done.length === 5);
  });

  it('finish what was begun before the process stops, and begin no more', async () => {
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

describe('wake-ups', () => {
  it('reach every process of the installation, and no other installation', async () => {
    const env = { VIGIE_ROLES: 'web', REDIS_PREFIX: `test-${randomUUID()}` };
    const platforms = await Promise.all([start(env), start(env), start()]);
    const heard: string[][] = platforms.map(() => []);
    platforms.forEach(({ module }, n) =>
      module.get(WakeUps).on('dispatch.kick', ({ channel }) => heard[n]!.push(channel)),
    );
    const [first] = platforms;
    // Subscribing takes a moment, and a wake-up that nobody hears is lost by design.
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

  it('F4: says so within 2 s, and sends no wake-up, without failing otherwise', async () => {
    const platform = await start({ REDIS_URL: server.url, VIGIE_ROLES: 'web' });
    const queues = platform.module.get(Queues);
    await queues.ping();
    await server.stop();
    const payload = run();
    const started = performance.now();
    await expect(queues.enqueue('cleanup', [{ id: payload.lease_token, payload }])).rejects.toThrow();
    await expect(queues.ping()).rejects.toThrow();
    expect(performance.now() - started).toBeLessThan(4_500);
    expect(() => platform.module.get(WakeUps).send('dispatch.kick', { channel: 'email' })).not.toThrow();
    await platform.close();
  });
});
