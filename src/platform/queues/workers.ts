import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import Bull, { type Job, type Queue } from 'bull';
import { ClsService } from 'nestjs-cls';
import { QUEUES, type QueueName, type RunCounts } from '../../contracts/jobs.js';
import { withTimeout } from '../clock/timeout.js';
import { CONFIG, type Config } from '../config/config.js';
import { BackgroundWork } from './background-work.js';
import { concurrencyOf } from './concurrency.js';
import { consumerConnection, type RedisConnection } from '../redis/connections.js';
import { JobHandlers } from './handlers.js';
import { bullPrefix } from './prefix.js';
import { Queues } from './queues.js';

/** How long a stopping process waits for running work. */
export const DRAIN_DEADLINE_MS = 18_000;

/** Maximum length of a job's name in the log: Redis may hold any. */
const MAX_JOB_NAME = 100;

/**
 * Takes work from Bull, in processes with the worker role. A job that Bull considers stalled is dropped, not retried:
 * its lease expires, and PostgreSQL admits it again.
 */
@Injectable()
export class Workers implements OnApplicationBootstrap {
  private readonly logger = new Logger('Workers');
  private readonly queues: Queue[] = [];
  private readonly connections: RedisConnection[] = [];
  private readonly running = new Set<Promise<void>>();
  private draining = false;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly handlers: JobHandlers,
    private readonly producers: Queues,
    private readonly cls: ClsService,
    private readonly background: BackgroundWork,
  ) {}

  onApplicationBootstrap(): void {
    this.handlers.assertComplete();
    if (!this.config.roles.includes('worker')) return;
    this.background.onBegin(() => {
      for (const name of QUEUES) this.start(name, concurrencyOf(name, this.config));
    });
  }

  /**
   * Stops taking work, and waits for running work. Called before anything else shuts down: running work still needs its
   * connections.
   */
  async drain(): Promise<void> {
    this.draining = true;
    await Promise.all(this.queues.map((queue) => queue.pause(true, true).catch(() => undefined)));
    const drained = (async () => {
      // Bull may deliver one more job that it had already fetched.
      while (this.running.size > 0) await Promise.allSettled([...this.running]);
    })();
    await withTimeout(drained, DRAIN_DEADLINE_MS, 'still working').catch(() => {
      this.logger.warn({ event: 'drain_deadline_passed', running: this.running.size });
    });
    await Promise.all(this.queues.map((queue) => queue.close(true).catch(() => undefined)));
    // Bull leaves connections open that it did not make.
    for (const connection of this.connections) connection.disconnect();
  }

  private start(name: QueueName, concurrency: number): void {
    const queue = new Bull(name, {
      prefix: bullPrefix(this.config),
      createClient: () => {
        const connection = consumerConnection(this.config.redisUrl ?? '');
        this.connections.push(connection);
        // Bull makes them as it needs them, even after `close`.
        if (this.draining) connection.disconnect();
        return connection;
      },
      settings: { maxStalledCount: 0, retryProcessDelay: 1_000 },
    });
    queue.on('error', (error: Error) => {
      this.logger.debug({ event: 'queue_error', queue: name, err: error });
      this.producers.noteFailure(error);
    });
    ignoreNamingErrors(queue);
    this.queues.push(queue);
    queue
      .process('*', concurrency, (job) => this.track(this.run(job)))
      .catch((error: unknown) => {
        // The process stopped before Redis had answered.
        if (this.draining) return;
        this.logger.error({ event: 'queue_stopped', queue: name, err: error });
      });
  }

  private async track(work: Promise<void>): Promise<void> {
    this.running.add(work);
    try {
      await work;
    } finally {
      this.running.delete(work);
    }
  }

  private async run(job: Job): Promise<void> {
    await this.cls.run(async () => {
      this.cls.set('job_id', String(job.id));
      try {
        await this.handlers.run(job.name, job.data, (counts) => this.show(job, counts));
      } catch (error) {
        // Handlers record their own failures; an error here is unexpected, and the job's lease expires.
        this.logger.error({ event: 'job_crashed', job: job.name.slice(0, MAX_JOB_NAME), err: error });
        throw error;
      }
    });
  }

  /** For readers of Bull: PostgreSQL has the authoritative counts. */
  private show(job: Job, counts: RunCounts): void {
    job.progress(counts).catch((error: unknown) => {
      this.logger.debug({ event: 'progress_not_shown', job: job.name, err: error });
    });
  }
}

/**
 * `process` sends the connection's name to Redis and handles no rejection of it (Bull 4.16), which would end this
 * process: the connection may close before Redis answers. Only displays of Redis clients show the name.
 */
function ignoreNamingErrors(queue: Queue): void {
  const setWorkerName = queue.setWorkerName.bind(queue);
  queue.setWorkerName = () => setWorkerName().catch(() => undefined);
}
