import { Body, Controller, HttpStatus, Inject, Logger, Post, Res } from '@nestjs/common';
import {
  ApiBody,
  ApiCreatedResponse,
  ApiExtraModels,
  ApiOkResponse,
  ApiOperation,
  ApiProperty,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Clock } from '../../platform/clock/clock.js';
import { Database } from '../../platform/database/database.js';
import { Problem } from '../../platform/errors/problem.js';
import { TakesIllFormedTexts } from '../../platform/http/body-guard.js';
import { Access, Caller, type TenantCaller } from '../../platform/http/caller.js';
import { Creating, type CreatingRequest, Idempotency } from '../../platform/http/idempotency.js';
import { canonicalJson } from '../../platform/json/canonical-json.js';
import { RejectedReports } from '../alerts/rejected-reports.js';
import { type AcceptedReport, Reports } from './reports.service.js';
import { faultLines, readStatusReport } from './read-status-report.js';
import { bytesHash, reasonOf } from './report-text.js';
import { DatabaseReport, StatusReport } from './status-report.js';

class ReportAnswer implements AcceptedReport {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ description: 'false: the same report was received before, as a file or over REST' })
  created: boolean;

  @ApiProperty({
    type: [String],
    description: 'Unknown fields and faults of databases: up to 20, one per line',
  })
  warnings: string[];
}

/** What agents report over REST. */
@ApiTags('backups')
@ApiExtraModels(DatabaseReport)
@Controller('backups/reports')
export class ReportsController {
  private readonly logger = new Logger('Backups');

  constructor(
    private readonly reports: Reports,
    private readonly idempotency: Idempotency,
    private readonly database: Database,
    private readonly rejected: RejectedReports,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  @Post()
  @Access('admin', 'reports:write')
  @ApiOperation({
    summary: 'Report backups',
    description:
      'The same JSON as a STATUS.json in the inbox. An API key with `reports:write` reports for its own agent. The ' +
      'next scan gives each database its verdict. Unknown fields are kept; a fault in one database makes only that one FAILED.',
  })
  @ApiBody({ type: StatusReport })
  @TakesIllFormedTexts()
  @ApiCreatedResponse({ type: ReportAnswer })
  @ApiOkResponse({ type: ReportAnswer, description: 'The same report was received before' })
  async report(
    @Caller() caller: TenantCaller,
    // Validated by its own rules, because newer and older agents write it.
    @Body() body: unknown,
    @Creating() request: CreatingRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReportAnswer> {
    const report = readStatusReport(body, this.clock.now());
    if ('faults' in report) {
      await this.reject(caller, body, faultLines(report.faults));
      throw new Problem('validation_failed', undefined, { errors: report.faults });
    }
    const accepted = await this.idempotency.create(caller, request, (tx) =>
      this.reports.receive(tx, report, caller.agent_id),
    );
    reply.status(accepted.created ? HttpStatus.CREATED : HttpStatus.OK);
    return accepted;
  }

  /** Notifies people of an agent's rejected report, but not of an admin's attempt. */
  private async reject(caller: TenantCaller, body: unknown, faults: readonly string[]): Promise<void> {
    const { agent_id } = caller;
    if (agent_id === null) return;
    await this.database.tenant(caller.tenant_id, async (tx) => {
      // A retry is the same rejection; the same fault after a good report is another one.
      const since = (await this.reports.lastAccepted(tx, agent_id)) ?? '';
      const sha256 = bytesHash(`${since}\n${canonicalJson(body ?? null)}`);
      await this.reports.reject(tx, { agent_id, file_name: null, sha256, reason: reasonOf(faults) });
    });
    // Where this fails, the next scan announces it: the agent needs its answer.
    await this.rejected.announce(caller.tenant_id).catch((err: unknown) => {
      this.logger.warn({ event: 'backup_not_announced', tenant_id: caller.tenant_id, err });
    });
  }
}
