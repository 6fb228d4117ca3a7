import { Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam } from '@nestjs/swagger';
import { QUEUES, type QueueName } from '../../contracts/jobs.js';
import { Access, Operator, type OperatorCaller } from '../../platform/http/caller.js';
import type { CountedPage } from '../../platform/lists/counted-page.js';
import { ApiCountedPage } from '../../platform/lists/list-query.js';
import { TenantQuery } from '../admin.dto.js';
import { AdminTenant } from '../admin-tenant.js';
import { type JobsRequest, QueueAdmin } from './queue-admin.service.js';
import { QueueParam } from './queue-param.js';
import {
  AllJobsQuery,
  QueueJobsQuery,
  PauseAnswer,
  PurgeAnswer,
  QueueJobView,
  QueueList,
  ResumeAnswer,
  RetryAnswer,
  RetryQuery,
} from './queues.dto.js';

const JOBS_STATES =
  '`active`: being sent, running · `waiting`: due, or queued in Bull · `delayed`: deferred · `pending`: deliveries not ' +
  'yet queued in Bull; runs that have not started · `completed`: sent, succeeded · `failed` · `unknown`: it may have ' +
  'been sent. Ended jobs newest first. `cause` applies only to `failed`; `reason` to `failed`, `pending`, `delayed` and ' +
  '`waiting`.';

/** The queues of the installation, for operators. */
@Controller('admin/queues')
@Access('operator')
export class AdminQueuesController {
  constructor(
    private readonly queues: QueueAdmin,
    private readonly tenants: AdminTenant,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Every queue, as PostgreSQL and as Bull see it' })
  @ApiOkResponse({ type: QueueList })
  async list(): Promise<QueueList> {
    return { data: await this.queues.list() };
  }

  @Get('jobs')
  @ApiOperation({
    summary: 'The deliveries of all channels, or the runs of all jobs, from PostgreSQL',
    description: JOBS_STATES,
  })
  @ApiCountedPage(QueueJobView)
  async allJobs(
    @Operator() caller: OperatorCaller,
    @Query() { of, ...query }: AllJobsQuery,
  ): Promise<CountedPage<QueueJobView>> {
    return this.queues.jobs(of, await this.request(caller, query));
  }

  @Get(':queue/jobs')
  @ApiOperation({ summary: 'The work of a queue, from PostgreSQL', description: JOBS_STATES })
  @ApiParam({ name: 'queue', enum: QUEUES })
  @ApiCountedPage(QueueJobView)
  async jobs(
    @Operator() caller: OperatorCaller,
    @QueueParam() queue: QueueName,
    @Query() query: QueueJobsQuery,
  ): Promise<CountedPage<QueueJobView>> {
    return this.queues.jobs(queue, await this.request(caller, query));
  }

  @Post(':queue/pause')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Pause this queue',
    description: 'Jobs queued in Bull return to PostgreSQL; running ones finish.',
  })
  @ApiParam({ name: 'queue', enum: QUEUES })
  @ApiOkResponse({ type: PauseAnswer })
  async pause(@Operator() caller: OperatorCaller, @QueueParam() queue: QueueName): Promise<PauseAnswer> {
    return this.queues.pause(queue, caller.principal);
  }

  @Post(':queue/resume')
  @HttpCode(200)
  @ApiOperation({ summary: 'Resume this queue' })
  @ApiParam({ name: 'queue', enum: QUEUES })
  @ApiOkResponse({ type: ResumeAnswer })
  async resume(@Operator() caller: OperatorCaller, @QueueParam() queue: QueueName): Promise<ResumeAnswer> {
    return this.queues.resume(queue, caller.principal);
  }

  @Post(':queue/purge')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Cancel the waiting work of this queue',
    description: 'For all tenants, or only for `tenant`. Running work finishes.',
  })
  @ApiParam({ name: 'queue', enum: QUEUES })
  @ApiOkResponse({ type: PurgeAnswer })
  async purge(
    @Operator() caller: OperatorCaller,
    @QueueParam() queue: QueueName,
    @Query() { tenant }: TenantQuery,
  ): Promise<PurgeAnswer> {
    return this.queues.purge(queue, await this.tenantId(caller, tenant), caller.principal);
  }

  @Post(':queue/retry')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Retry the failed work',
    description:
      'Deliveries get all their attempts again. Of runs, retries the latest of each tenant and job if it failed.',
  })
  @ApiParam({ name: 'queue', enum: QUEUES })
  @ApiOkResponse({ type: RetryAnswer })
  async retry(
    @Operator() caller: OperatorCaller,
    @QueueParam() queue: QueueName,
    @Query() { tenant, days }: RetryQuery,
  ): Promise<RetryAnswer> {
    const tenant_id = await this.tenantId(caller, tenant);
    return this.queues.retry(queue, { days, tenant_id }, caller.principal);
  }

  private async request(
    caller: OperatorCaller,
    { tenant, since, until, cause, reason, ...query }: QueueJobsQuery,
  ): Promise<JobsRequest> {
    return {
      ...query,
      tenant_id: await this.tenantId(caller, tenant),
      since: since === undefined ? null : new Date(since),
      until: until === undefined ? null : new Date(until),
      cause: cause ?? null,
      reason: reason ?? null,
    };
  }

  private async tenantId(caller: OperatorCaller, slug: string | undefined): Promise<string | null> {
    return slug === undefined ? null : this.tenants.of(caller, slug);
  }
}
