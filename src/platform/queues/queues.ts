import type { OnApplicationShutdown } from '@nestjs/common';
import type { Queue } from 'bull';
import { JOBS, type JobName, type JobPayloads, QUEUES, type QueueName } from '../../contracts/jobs.js';
import { withTimeout } from '../clock/timeout.js';

/** One job to enqueue. `id` is new at every admission: Bull ignores an id that it still holds. */
export interface Enqueued<Name extends JobName> {
  id: string;
  payload: JobPayloads[Name];
}

/** What Bull holds. Delays and failures are PostgreSQL's, so Bull has none unless something is wrong. */
export interface QueueCounts {
  active: number;
  waiting: number;
  delayed: number;
  failed: number;
}

const ENQUEUE_DEADLINE_MS = 2_000;

/** Puts work into Bull. Bull only carries it: attempts, delays and order are PostgreSQL's. */
export class Queues implements OnApplicationShutdown {
  /** @param queues one of each name. */
  constructor(private readonly queues: Readonly<Record<QueueName, Queue>>) {
    for (const queue of Object.values(queues)) queue.on('error', () => undefined);
  }

  /** @throws Error within 2 s when Redis does not take it; the caller's lease then runs out by itself. */
  async enqueue<Name extends JobName>(name: Name, jobs: readonly Enqueued<Name>[]): Promise<void> {
    if (jobs.length === 0) return;
    const added = this.queues[JOBS[name].queue].addBulk(
      jobs.map(({ id, payload }) => ({
        name,
        data: payload,
        opts: { jobId: id, attempts: 1, removeOnComplete: true, removeOnFail: true },
      })),
    );
    await withTimeout(added, ENQUEUE_DEADLINE_MS, `Redis did not take ${name} within 2 s`);
  }

  /** What Bull holds, for display. */
  async counts(): Promise<Record<QueueName, QueueCounts>> {
    const entries = await Promise.all(
      QUEUES.map(async (name): Promise<[QueueName, QueueCounts]> => [name, await this.countsOf(name)]),
    );
    return Object.fromEntries(entries) as Record<QueueName, QueueCounts>;
  }

  /** @throws Error when Redis does not answer within 2 s. */
  async countsOf(name: QueueName): Promise<QueueCounts> {
    const { active, waiting, delayed, failed } = await withTimeout(
      this.queues[name].getJobCounts(),
      ENQUEUE_DEADLINE_MS,
      'Redis did not answer within 2 s',
    );
    return { active, waiting, delayed, failed };
  }

  /**
   * Takes out what no worker has begun. Whatever of it is still wanted comes back when its lease runs out.
   * @throws Error when Redis does not answer within 2 s.
   */
  async empty(name: QueueName): Promise<void> {
    await withTimeout(this.queues[name].empty(), ENQUEUE_DEADLINE_MS, 'Redis did not answer within 2 s');
  }

  /** Bull's own queues, for the board that shows them; nothing else may use them. */
  forBoard(): readonly Queue[] {
    return Object.values(this.queues);
  }

  /** @throws Error when Redis does not answer within 2 s. */
  async ping(): Promise<void> {
    await withTimeout(this.queues.mail.client.ping(), ENQUEUE_DEADLINE_MS, 'Redis did not answer within 2 s');
  }

  async onApplicationShutdown(): Promise<void> {
    const queues = Object.values(this.queues);
    await Promise.all(queues.map((queue) => queue.close(true).catch(() => undefined)));
    // Bull leaves connections open that it did not make.
    for (const queue of queues) queue.client.disconnect();
  }
}
