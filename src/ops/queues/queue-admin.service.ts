import { Inject, Injectable, Logger } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { CHANNELS } from '../../contracts/channels.js';
import { QUEUES, type QueueName, SCHEDULED_JOBS } from '../../contracts/jobs.js';
import { DeliveryJobs, type DeliveryJobsFilter } from '../../delivery/admin/delivery-jobs.js';
import { DeliveryQueues } from '../../delivery/admin/delivery-queues.js';
import { channelOf } from '../../delivery/channels/channels.js';
import { Clock } from '../../platform/clock/clock.js';
import { invalid } from '../../platform/errors/problem.js';
import { decodeCursor, isInstantKey, pageOf } from '../../platform/http/cursor.js';
import type { CountedPage } from '../../platform/lists/counted-page.js';
import { jobKey, type JobsPart, type JobState, type JobView } from '../../platform/queues/job-view.js';
import { Queues } from '../../platform/queues/queues.js';
import { RunJobs } from '../../runs/run-jobs.js';
import { jobsOf, RunQueues } from '../../runs/run-queues.js';
import { Scheduler } from '../../scheduler/scheduler.service.js';
import type {
  BullCountsView,
  PauseAnswer,
  PurgeAnswer,
  QueueJobView,
  QueueView,
  ResumeAnswer,
  RetryAnswer,
} from './queues.dto.js';
import type { Work } from './work.js';

export interface JobsRequest extends DeliveryJobsFilter {
  limit: number;
  cursor?: string;
  count?: boolean;
}

/**
 * The states in which deliveries have a cause or a reason. In other states nothing can match, but the query would read
 * every sent delivery.
 */
const STATES_WITH: Record<'cause' | 'reason', readonly JobState[]> = {
  cause: ['failed'],
  reason: ['failed', 'pending', 'delayed', 'waiting'],
};

/**
 * Reads queues and acts on them, for REST and the command line. Acts change PostgreSQL first; Bull follows if Redis
 * answers. Jobs that remain in Bull are invalid.
 */
@Injectable()
export class QueueAdmin {
  private readonly logger = new Logger('Queues');

  constructor(
    private readonly deliveries: DeliveryQueues,
    private readonly deliveryJobs: DeliveryJobs,
    private readonly runs: RunQueues,
    private readonly runJobs: RunJobs,
    private readonly scheduler: Scheduler,
    private readonly bull: Queues,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** Lists every queue; if Redis is unreachable, `bull` is null, with the reason. */
  async list(): Promise<QueueView[]> {
    return Promise.all(QUEUES.map((queue) => this.view(queue)));
  }

  /**
   * @throws Problem invalid_cursor; validation_failed for a cause or reason of runs, or in a state that has none
   */
  async jobs(queue: QueueName | Work, request: JobsRequest): Promise<CountedPage<QueueJobView>> {
    const { limit, cursor, count, ...filter } = request;
    const [at, id] = cursor === undefined ? [] : decodeCursor(cursor, [isInstantKey, (key) => isUUID(key)]);
    const after = at === undefined || id === undefined ? null : { at: new Date(at), id };
    const list = this.jobsOf(queue, filter);
    const [rows, all] = await Promise.all([
      list.read({ limit: limit + 1, after }),
      count === true ? list.count() : null,
    ]);
    const now = this.clock.now().getTime();
    const page = pageOf(
      rows,
      limit,
      (job) => [jobKey(job).at.toISOString(), job.id],
      (job) => ({
        ...job,
        age_seconds: Math.max(0, Math.round((now - job.created_at.getTime()) / 1_000)),
      }),
    );
    return all === null ? page : { ...page, count: all };
  }

  async pause(queue: QueueName, by: string): Promise<PauseAnswer> {
    const done = await this.of(queue).pause(queue);
    await this.emptyBull(queue);
    this.logger.log({ event: 'queue_paused', queue, by, ...done });
    return { queue, paused: true, ...done };
  }

  async resume(queue: QueueName, by: string): Promise<ResumeAnswer> {
    await this.of(queue).resume(queue);
    this.logger.log({ event: 'queue_resumed', queue, by });
    return { queue, paused: false };
  }

  /** @param tenantId null: all tenants. */
  async purge(queue: QueueName, tenantId: string | null, by: string): Promise<PurgeAnswer> {
    const done = await this.of(queue).purge(queue, tenantId);
    // Other tenants have jobs in there, too.
    const bull_emptied = tenantId === null && (await this.emptyBull(queue));
    this.logger.log({ event: 'queue_purged', queue, tenant_id: tenantId, by, ...done });
    return { queue, ...done, bull_emptied };
  }

  /** @param tenantId null: all tenants. */
  async retry(
    queue: QueueName,
    { days, tenant_id }: { days: number; tenant_id: string | null },
    by: string,
  ): Promise<RetryAnswer> {
    const retried = await this.retryFailed(queue, days, tenant_id);
    this.logger.log({ event: 'queue_retried', queue, tenant_id, by, retried });
    return { queue, retried };
  }

  private of(queue: QueueName) {
    return this.deliveries.carries(queue) ? this.deliveries : this.runs;
  }

  private jobsOf(
    queue: QueueName | Work,
    filter: DeliveryJobsFilter,
  ): { read: (part: JobsPart) => Promise<JobView[]>; count: () => Promise<number> } {
    if (queue === 'deliveries' || (queue !== 'runs' && this.deliveries.carries(queue))) {
      const channels = queue === 'deliveries' ? CHANNELS : [channelOf(queue)];
      for (const name of ['cause', 'reason'] as const)
        if (filter[name] !== null && !STATES_WITH[name].includes(filter.state))
          throw invalid(`/${name}`, `applies only to the states ${STATES_WITH[name].join(', ')}`);
      return {
        read: (part) => this.deliveryJobs.list(channels, filter, part),
        count: () => this.deliveryJobs.count(channels, filter),
      };
    }
    for (const name of ['cause', 'reason'] as const)
      if (filter[name] !== null) throw invalid(`/${name}`, 'applies only to deliveries');
    const jobs = queue === 'runs' ? SCHEDULED_JOBS : jobsOf(queue);
    return {
      read: (part) => this.runJobs.list(jobs, filter, part),
      count: () => this.runJobs.count(jobs, filter),
    };
  }

  private async retryFailed(queue: QueueName, days: number, tenantId: string | null): Promise<number> {
    if (this.deliveries.carries(queue)) return (await this.deliveries.retry(queue, days, tenantId)).retried;
    const runs = await this.runs.retry(queue, days, tenantId);
    await this.scheduler.enqueue(runs);
    return runs.length;
  }

  private async view(queue: QueueName): Promise<QueueView> {
    const counts = this.deliveries.carries(queue)
      ? this.deliveries.counts(queue)
      : this.runs.counts(queue).then((of) => ({ ...of, workers: null, channel: null }));
    const [{ paused, channel, postgres, workers }, { bull, bull_error }] = await Promise.all([
      counts,
      this.bullCounts(queue),
    ]);
    return { queue, paused, channel, postgres, bull, bull_error, workers };
  }

  private async bullCounts(
    queue: QueueName,
  ): Promise<{ bull: BullCountsView | null; bull_error: string | null }> {
    try {
      return { bull: await this.bull.countsOf(queue), bull_error: null };
    } catch (error) {
      return { bull: null, bull_error: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Whether Redis answered. */
  private async emptyBull(queue: QueueName): Promise<boolean> {
    try {
      await this.bull.empty(queue);
      return true;
    } catch (error) {
      this.logger.warn({ event: 'bull_not_emptied', queue, err: error });
      return false;
    }
  }
}
