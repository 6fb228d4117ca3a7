import { setTimeout as delay } from 'node:timers/promises';
import type { OnApplicationShutdown } from '@nestjs/common';
import type { Queue } from 'bull';
import { JOBS, type JobName, type JobPayloads, QUEUES, type QueueName } from '../../contracts/jobs.js';
import { withTimeout } from '../clock/timeout.js';
import { refuseInRehearsal } from '../database/rehearsal.js';
import { RedisWrites } from './redis-writes.js';
import { isOpen, type RedisConnection } from '../redis/connections.js';
import { RedisRefusal, refusalOf } from '../redis/refusals.js';

/** One job to enqueue. `id` is new at every admission: Bull ignores an id that it still holds. */
export interface Enqueued<Name extends JobName> {
  id: string;
  payload: JobPayloads[Name];
}

/** The contents of Bull. Delays and failures belong to PostgreSQL, so Bull has none unless something is wrong. */
export interface QueueCounts {
  active: number;
  waiting: number;
  delayed: number;
  failed: number;
}

const ENQUEUE_DEADLINE_MS = 2_000;
/** Reconnecting after a close takes at most this long, in ms, if Redis is reachable. */
const RECONNECT_MS = 500;
const RECONNECT_STEP_MS = 20;
/** Time to live of a probe's key, in seconds. */
const PROBE_KEY_SECONDS = 60;

/** Adds work to Bull, which only transports it: attempts, delays and order belong to PostgreSQL. */
export class Queues implements OnApplicationShutdown {
  private readonly writes: RedisWrites;

  /**
   * @param queues one of each name.
   * @param prefix of this installation's keys.
   */
  constructor(
    private readonly queues: Readonly<Record<QueueName, Queue>>,
    private readonly prefix: string,
  ) {
    for (const queue of Object.values(queues)) queue.on('error', () => undefined);
    this.writes = new RedisWrites(() => this.writeKey());
  }

  /**
   * Whether a job would be sent to Redis now. Waits for a lost connection, 500 ms at most. A Redis that has just failed
   * may still look connected.
   */
  async isConnected(name: JobName): Promise<boolean> {
    return reconnected(this.queues[JOBS[name].queue].client);
  }

  /**
   * @throws RedisRefusal with an explanation when Redis answers and refuses some or all of them (already logged), Error
   * when it does not accept them within 2 s. The caller's lease then expires.
   */
  async enqueue<Name extends JobName>(name: Name, jobs: readonly Enqueued<Name>[]): Promise<void> {
    if (jobs.length === 0) return;
    refuseInRehearsal('a job');
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
    // Bull ignores the errors of single commands in its transaction: a rejected job has no id.
    const missing = added.filter(({ id }) => (id as unknown) === undefined).length;
    if (missing === 0) {
      this.writes.accepted();
      return;
    }
    await this.probe();
    // Redis accepts writes, so the connection is at fault: the server has lost its scripts (SCRIPT FLUSH).
    queue.client.disconnect(true);
    throw new Error(`Redis did not accept ${missing} of ${jobs.length} jobs ${name}`);
  }

  /**
   * Writes a key: a Redis that answers may still refuse all work (a replica, out of memory, a Sentinel).
   * @throws RedisRefusal with the reason, Error when Redis does not answer within 2 s.
   */
  async probe(): Promise<void> {
    await this.writes.probe().catch((error: unknown) => this.refused(error));
  }

  /** A worker could not take work. */
  noteFailure(error: unknown): void {
    this.writes.failed(error);
  }

  /** The contents of Bull, for display. */
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
   * Removes jobs that no worker has started. Work that is still wanted is enqueued again when its lease expires.
   * @throws Error when Redis does not answer within 2 s.
   */
  async empty(name: QueueName): Promise<void> {
    await withTimeout(this.queues[name].empty(), ENQUEUE_DEADLINE_MS, 'Redis did not answer within 2 s');
  }

  /** Bull's own queues, only for the board that shows them. */
  forBoard(): readonly Queue[] {
    return Object.values(this.queues);
  }

  async onApplicationShutdown(): Promise<void> {
    this.writes.stop();
    const queues = Object.values(this.queues);
    await Promise.all(queues.map((queue) => queue.close(true).catch(() => undefined)));
    // Bull does not close connections that it did not create.
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

/** Waits until the connection is open, 500 ms at most. @returns whether it is */
async function reconnected(client: RedisConnection): Promise<boolean> {
  for (let waited = 0; !isOpen(client) && waited < RECONNECT_MS; waited += RECONNECT_STEP_MS)
    await delay(RECONNECT_STEP_MS);
  return isOpen(client);
}
