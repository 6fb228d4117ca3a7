import { Controller, Get, HttpCode, HttpStatus, Post, Query, Res } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiExtraModels,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  getSchemaPath,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { BackupForecast } from '../../backups/board/backup-forecast.js';
import { Access, AdminOrOperator, type AnyCaller } from '../../platform/http/caller.js';
import { SCHEDULED_JOBS, type ScheduledJob } from '../../contracts/jobs.js';
import type { Page } from '../../platform/http/cursor.js';
import { Creating, type CreatingRequest } from '../../platform/http/idempotency.js';
import { RunState, type RunView } from '../../runs/run.dto.js';
import { SchedulerStatus } from '../../scheduler/scheduler.dto.js';
import { Scheduler } from '../../scheduler/scheduler.service.js';
import {
  DispatchAnswer,
  PreviewAnswer,
  PreviewQuery,
  RunPage,
  RunsAnswer,
  RunsQuery,
  TenantQuery,
  TriggerQuery,
} from '../admin.dto.js';
import { AdminTenant } from '../admin-tenant.js';
import { ScheduledJobParam, type Triggerable, TRIGGERABLE, TriggerableParam } from './job-param.js';
import { type TriggerOutcome, Triggers } from './triggers.service.js';

/** Their preview also lists the backups that the day expects. */
const BACKUP_JOBS: readonly ScheduledJob[] = ['check-backups', 'scan-backups'];

const TRIGGER_ANSWER = {
  schema: {
    oneOf: [RunState, RunsAnswer, DispatchAnswer].map((model) => ({ $ref: getSchemaPath(model) })),
  },
};

/** The schedule, the runs, and manual runs. */
@Controller('admin')
export class AdminSchedulerController {
  constructor(
    private readonly scheduler: Scheduler,
    private readonly tenants: AdminTenant,
    private readonly triggers: Triggers,
    private readonly backups: BackupForecast,
  ) {}

  @Get('scheduler')
  @Access('admin_or_operator', 'admin')
  @ApiOperation({ summary: "Each job's hours, last run and next slot" })
  @ApiOkResponse({ type: SchedulerStatus })
  async status(
    @AdminOrOperator() caller: AnyCaller,
    @Query() { tenant }: TenantQuery,
  ): Promise<SchedulerStatus> {
    return this.scheduler.status(await this.tenants.of(caller, tenant));
  }

  @Post('scheduler/:job/trigger')
  @Access('admin_or_operator', 'admin')
  @HttpCode(HttpStatus.ACCEPTED)
  @ApiOperation({
    summary: 'Run a job now',
    description:
      'For the own tenant. Operators name one with `tenant`, or omit it for all; they get `runs`, and their ' +
      '`Idempotency-Key` has no effect. `dispatch` starts a round of the dispatcher, which the ledger does not record.',
  })
  @ApiParam({ name: 'job', enum: TRIGGERABLE })
  @ApiExtraModels(RunState, RunsAnswer, DispatchAnswer)
  @ApiAcceptedResponse({ description: 'Not finished yet', ...TRIGGER_ANSWER })
  @ApiOkResponse({ description: 'With `wait`: finished', ...TRIGGER_ANSWER })
  async trigger(
    @AdminOrOperator() caller: AnyCaller,
    @TriggerableParam() job: Triggerable,
    @Query() { tenant, wait }: TriggerQuery,
    @Creating() creating: CreatingRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TriggerOutcome['answer']> {
    const { finished, answer } = await this.triggers.trigger(caller, { job, tenant, wait, creating });
    if (finished) reply.status(HttpStatus.OK);
    return answer;
  }

  @Get('scheduler/:job/preview')
  @Access('admin_or_operator', 'admin')
  @ApiOperation({
    summary: 'The slots of a job on a day',
    description: 'For the backup jobs, also the backups expected on that day and what would be announced.',
  })
  @ApiParam({ name: 'job', enum: SCHEDULED_JOBS })
  @ApiOkResponse({ type: PreviewAnswer })
  async preview(
    @AdminOrOperator() caller: AnyCaller,
    @ScheduledJobParam() job: ScheduledJob,
    @Query() { tenant, date }: PreviewQuery,
  ): Promise<PreviewAnswer> {
    const tenantId = await this.tenants.of(caller, tenant);
    const preview = await this.scheduler.preview(job, tenantId, date);
    if (!BACKUP_JOBS.includes(job)) return preview;
    return Object.assign(preview, { backups: await this.backups.ofDate(tenantId, date) });
  }

  @Get('runs')
  @Access('admin_or_operator', 'admin')
  @ApiOperation({ summary: 'The ledger of runs, newest first' })
  @ApiOkResponse({ type: RunPage })
  async runs(
    @AdminOrOperator() caller: AnyCaller,
    @Query() { tenant, ...query }: RunsQuery,
  ): Promise<Page<RunView>> {
    return this.scheduler.runs(await this.tenants.of(caller, tenant), query);
  }
}
