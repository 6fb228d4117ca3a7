import { setTimeout as delay } from 'node:timers/promises';
import type { OnApplicationShutdown } from '@nestjs/common';
import type { Queue } from 'bull';
import { JOBS, type JobName, type JobPayloads, QUEUES, type QueueName } from '../../contracts/jobs.js';
import { withTimeout } from '../clock/timeout.js';
import { RedisWrites } from './redis-writes.js';
import { RedisRefusal, refusalOf } from './refusals.js';

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
/** A connection that has just been closed is open again within this time, in ms, if Redis is there. */
const RECONNECT_MS = 500;
const RECONNECT_STEP_MS = 20;
/** How long the key of a probe stays, in seconds. */
const PROBE_KEY_SECONDS = 60;

/** Puts work into Bull. Bull only carries it: attempts, delays and order are PostgreSQL's. */
export class Queues implements OnApplicationShutdown {
  private readonly writes: RedisWrites;

  /**
   * @param queues one of each name.
   * @param prefix of the keys of this installation.
   */
  constructor(
    private readonly queues: Readonly<Record<QueueName, Queue>>,
    private readonly prefix: string,
  ) {
    for (const queue of Object.values(queues)) queue.on('error', () => undefined);
    this.writes = new RedisWrites(() => this.writeKey());
  }

  /**
   * @throws RedisRefusal in words when Redis answers and refuses them or some of them (already logged), Error when it
   * does not take them within 2 s. The caller's lease then runs out by itself.
   */
  async enqueue<Name extends JobName>(name: Name, jobs: readonly Enqueued<Name>[]): Promise<void> {
    if (jobs.length === 0) return;
    const queue = this.queues[JOBS[name].queue];
    await reconnected(queue.client);
    const adding = queue.addBulk(
      jobs.map(({ id, payload }) => ({
        name,
        data: payload,
        opts: { jobId: id, attempts: 1, removeOnComplete: true, removeOnFail: true },
      })),
    );
    const added = await withTimeout(
      adding,
      ENQUEUE_DEADLINE_MS,
      `Redis did not accept ${name} within 2 s`,
    ).catch((error: unknown) => this.refused(error));
    // Bull ignores the errors of single commands in its transaction: a job that was not taken has no id.
    const missing = added.filter(({ id }) => (id as unknown) === undefined).length;
    if (missing === 0) {
      this.writes.accepted();
      return;
    }
    await this.probe();
    // It takes writes, so the connection is at fault: its scripts are gone from the server (SCRIPT FLUSH).
    queue.client.disconnect(true);
    throw new Error(`Redis did not accept ${missing} of ${jobs.length} jobs ${name}`);
  }

  /**
   * Writes a key: a Redis that answers may still refuse all work (a replica, out of memory, a Sentinel).
   * @throws RedisRefusal that says why, Error when Redis does not answer within 2 s.
   */
  async probe(): Promise<void> {
    await this.writes.probe().catch((error: unknown) => this.refused(error));
  }

  /** A worker could not take work. */
  noteFailure(error: unknown): void {
    this.writes.failed(error);
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

  async onApplicationShutdown(): Promise<void> {
    this.writes.stop();
    const queues = Object.values(this.queues);
    await Promise.all(queues.map((queue) => queue.close(true).catch(() => undefined)));
    // Bull leaves connections open that it did not make.
    for (const queue of queues) queue.client.disconnect();
  }

  private async writeKey(): Promise<void> {
    const { client } = this.queues.mail;
    await reconnected(client);
    await withTimeout(
      client.set(`${this.prefix}:probe`, '1', 'EX', PROBE_KEY_SECONDS),
      ENQUEUE_DEADLINE_MS,
      'Redis did not answer within 2 s',
    );
  }

  private refused(error: unknown): never {
    this.writes.failed(error);
    const refusal = refusalOf(error);
    throw refusal === null ? error : new RedisRefusal(refusal, { cause: error });
  }
}

/** Waits until the connection is open, 500 ms at most. One that is being closed is still called ready. */
async function reconnected(client: Queue['client']): Promise<void> {
  const isOpen = () => client.status === 'ready' && client.stream.writable;
  for (let waited = 0; !isOpen() && waited < RECONNECT_MS; waited += RECONNECT_STEP_MS)
    await delay(RECONNECT_STEP_MS);
}
