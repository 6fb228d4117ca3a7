import { BullModule, getQueueToken } from '@nestjs/bull';
import { type DynamicModule, Global, Logger, Module } from '@nestjs/common';
import { QUEUES, type QueueName } from '../../contracts/jobs.js';
import type { Queue } from 'bull';
import type { Config } from '../config/config.js';
import { MetricsModule } from '../metrics/metrics.module.js';
import { BackgroundWork } from './background-work.js';
import { assertHoldsData, assertNoEviction, consumerConnection, producerConnection } from './connections.js';
import { JobHandlers } from './handlers.js';
import { bullPrefix } from './prefix.js';
import { Queues } from './queues.js';
import { WakeUps } from './wake-ups.js';
import { Workers } from './workers.js';

const queues = (prefix: string) => ({
  provide: Queues,
  inject: QUEUES.map((name) => getQueueToken(name)),
  useFactory: (...made: Queue[]) =>
    new Queues(
      Object.fromEntries(made.map((queue) => [queue.name, queue])) as Record<QueueName, Queue>,
      prefix,
    ),
});

/** The only access to Bull. Registered once: registering a queue twice would create two queues. */
@Global()
@Module({})
export class QueuesModule {
  static forRoot(config: Config): DynamicModule {
    const url = config.redisUrl ?? '';
    return {
      module: QueuesModule,
      imports: [
        MetricsModule,
        BullModule.registerQueue(
          ...QUEUES.map((name) => ({
            name,
            prefix: bullPrefix(config),
            createClient: (type: 'client' | 'subscriber' | 'bclient') =>
              type === 'client' ? producerConnection(url) : consumerConnection(url),
          })),
        ),
      ],
      providers: [queues(bullPrefix(config)), BackgroundWork, JobHandlers, Workers, WakeUps],
      exports: [Queues, BackgroundWork, JobHandlers, WakeUps, Workers],
    };
  }
}

/** How long to wait for Redis at start, in ms: containers may start together. */
const ANSWERS_WITHIN_MS = 10_000;

/**
 * Checks Redis before anything is written to it.
 * @throws Error when it does not answer in time, refuses the login, is a Sentinel, or may evict keys.
 */
export async function checkRedis(config: Config): Promise<void> {
  const redis = consumerConnection(config.redisUrl ?? '');
  let lastError: unknown;
  redis.on('error', (error: unknown) => (lastError = error));
  let timer: NodeJS.Timeout | undefined;
  // Closing the connection does not settle a command that waits for one.
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(lastError instanceof Error ? lastError : new Error('no answer')),
      ANSWERS_WITHIN_MS,
    );
  });
  try {
    await Promise.race([assertHoldsData(redis), late]);
    if (!(await Promise.race([assertNoEviction(redis), late]))) {
      new Logger('Redis').warn({ event: 'redis_policy_hidden', hint: 'maxmemory-policy must be noeviction' });
    }
  } finally {
    clearTimeout(timer);
    redis.disconnect();
  }
}
