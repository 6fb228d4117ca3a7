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
import { Access, AdminOrOperator, type AnyCaller } from '../../platform/http/caller.js';
import { DisconnectSignal } from './disconnect-signal.js';
import { SCHEDULED_JOBS, type ScheduledJob } from '../../contracts/jobs.js';
import type { Page } from '../../platform/http/cursor.js';
import { Creating, type CreatingRequest } from '../../platform/http/idempotency.js';
import { RunState, type RunView } from '../../runs/run.dto.js';
import { SchedulerStatus } from '../../scheduler/scheduler.dto.js';
import { Scheduler } from '../../scheduler/scheduler.service.js';
import { DispatchAnswer, RunPage, RunsAnswer, RunsQuery, TenantQuery, TriggerQuery } from '../admin.dto.js';
import { AdminTenant } from '../admin-tenant.js';
import { PreviewAnswer, PreviewQuery } from '../preview/preview.dto.js';
import { Previews } from '../preview/previews.service.js';
import { PreviewableParam, type Triggerable, TRIGGERABLE, TriggerableParam } from './job-param.js';
import { type TriggerOutcome, Triggers } from './triggers.service.js';

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
    private readonly previews: Previews,
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
    @DisconnectSignal() signal: AbortSignal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TriggerOutcome['answer']> {
    const { finished, answer } = await this.triggers.trigger(caller, { job, tenant, wait, creating, signal });
    if (finished) reply.status(HttpStatus.OK);
    return answer;
  }

  @Get('scheduler/:job/preview')
  @Access('admin_or_operator', 'admin')
  @ApiOperation({
    summary: 'What a job would do on a day',
    description:
      'Runs the job itself for each slot of the day, in a transaction that is rolled back: nothing is written or sent. ' +
      'Who would be notified, on which channel, when, and why not. For past slots, beside what really ran.',
  })
  @ApiParam({ name: 'job', enum: SCHEDULED_JOBS })
  @ApiOkResponse({ type: PreviewAnswer })
  async preview(
    @AdminOrOperator() caller: AnyCaller,
    @PreviewableParam() job: ScheduledJob,
    @Query() { tenant, ...query }: PreviewQuery,
  ): Promise<PreviewAnswer> {
    const tenantId = await this.tenants.of(caller, tenant);
    const reader_id = caller.kind === 'operator' ? null : caller.user_id;
    return this.previews.of(tenantId, { job, reader_id, ...query });
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
