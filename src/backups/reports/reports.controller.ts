import { Body, Controller, HttpStatus, Post, Res } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiExtraModels,
  ApiOkResponse,
  ApiOperation,
  ApiProperty,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Access, Caller, type TenantCaller } from '../../platform/http/caller.js';
import { Creating, type CreatingRequest, Idempotency } from '../../platform/http/idempotency.js';
import { type AcceptedReport, Reports } from './reports.service.js';
import { DatabaseReport, StatusReport } from './status-report.js';

class ReportAnswer implements AcceptedReport {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ description: 'false: the same report was received before, as a file or over REST' })
  created: boolean;
}

/** What agents report over REST. */
@ApiTags('backups')
@ApiExtraModels(DatabaseReport)
@Controller('backups/reports')
export class ReportsController {
  constructor(
    private readonly reports: Reports,
    private readonly idempotency: Idempotency,
  ) {}

  @Post()
  @Access('admin', 'reports:write')
  @ApiOperation({
    summary: 'Report backups',
    description:
      'The same JSON as a STATUS.json in the inbox. An API key with `reports:write` reports for its own agent. The ' +
      'next scan gives each database its verdict.',
  })
  @ApiCreatedResponse({ type: ReportAnswer })
  @ApiOkResponse({ type: ReportAnswer, description: 'The same report was received before' })
  async report(
    @Caller() caller: TenantCaller,
    @Body() report: StatusReport,
    @Creating() request: CreatingRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReportAnswer> {
    const accepted = await this.idempotency.create(caller, request, (tx) =>
      this.reports.receive(tx, report, caller.agent_id),
    );
    reply.status(accepted.created ? HttpStatus.CREATED : HttpStatus.OK);
    return accepted;
  }
}
