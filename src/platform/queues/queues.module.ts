import { BullModule, getQueueToken } from '@nestjs/bull';
import { type DynamicModule, Global, Module } from '@nestjs/common';
import { QUEUES, type QueueName } from '../../contracts/jobs.js';
import type { Queue } from 'bull';
import type { Config } from '../config/config.js';
import { MetricsModule } from '../metrics/metrics.module.js';
import { consumerConnection, producerConnection } from '../redis/connections.js';
import { BackgroundWork } from './background-work.js';
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
