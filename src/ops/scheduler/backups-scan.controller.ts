import { Controller, HttpCode, HttpStatus, Post, Query, Res } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiExtraModels,
  ApiOkResponse,
  ApiOperation,
  getSchemaPath,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Access, AdminOrOperator, type AnyCaller } from '../../platform/http/caller.js';
import { DisconnectSignal } from './disconnect-signal.js';
import { Creating, type CreatingRequest } from '../../platform/http/idempotency.js';
import { RunState } from '../../runs/run.dto.js';
import { RunsAnswer, TriggerQuery } from '../admin.dto.js';
import { type TriggerOutcome, Triggers } from './triggers.service.js';

const SCAN_ANSWER = {
  schema: { oneOf: [RunState, RunsAnswer].map((model) => ({ $ref: getSchemaPath(model) })) },
};

/** Scans the backup inbox now. */
@Controller('backups')
export class BackupsScanController {
  constructor(private readonly triggers: Triggers) {}

  @Post('scan')
  @Access('admin_or_operator', 'admin')
  @HttpCode(HttpStatus.ACCEPTED)
  @ApiOperation({
    summary: 'Scan the backup inbox now',
    description:
      'For the own tenant; operators name one with `tenant`, or omit it for all. Same as triggering `scan-backups`. ' +
      'It waits while another scan of the tenant is running; `counts` show its progress.',
  })
  @ApiExtraModels(RunState, RunsAnswer)
  @ApiAcceptedResponse({ description: 'Not finished yet', ...SCAN_ANSWER })
  @ApiOkResponse({ description: 'With `wait`: finished', ...SCAN_ANSWER })
  async scan(
    @AdminOrOperator() caller: AnyCaller,
    @Query() { tenant, wait }: TriggerQuery,
    @Creating() creating: CreatingRequest,
    @DisconnectSignal() signal: AbortSignal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TriggerOutcome['answer']> {
    const request = { job: 'scan-backups', tenant, wait, creating, signal } as const;
    const { finished, answer } = await this.triggers.trigger(caller, request);
    if (finished) reply.status(HttpStatus.OK);
    return answer;
  }
}
