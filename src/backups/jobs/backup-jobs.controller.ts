import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { ImportOptions } from '../../imports/column-mapping.js';
import type { ColumnProposal } from '../../imports/column-proposal.js';
import { ColumnsRoute, ImportRoute } from '../../imports/import-route.js';
import type { ImportView } from '../../imports/imports.dto.js';
import { Imports } from '../../imports/imports.service.js';
import { ApiPage } from '../../platform/http/api-page.js';
import { Access, Caller, type TenantCaller } from '../../platform/http/caller.js';
import type { Page } from '../../platform/http/cursor.js';
import { Creating, type CreatingRequest, Idempotency } from '../../platform/http/idempotency.js';
import { IdParam } from '../../platform/http/id-param.js';
import { type Upload, UploadBody } from '../../platform/http/uploads/uploads.js';
import { BackupJob, BackupJobPatch, BackupJobQuery, NewBackupJob } from './backup-jobs.dto.js';
import { BACKUP_JOB_FILES } from './backup-jobs.import.js';
import { BackupJobs } from './backup-jobs.service.js';

const EXAMPLE =
  'agent;base;société;ville;heure prévue;jours\nparis-01;comptabilite;Martin;Paris;02:00;lun-ven\n';

/** Which backups are expected. */
@ApiTags('backups')
@Controller('backups/jobs')
export class BackupJobsController {
  constructor(
    private readonly jobs: BackupJobs,
    private readonly idempotency: Idempotency,
    private readonly imports: Imports,
  ) {
    imports.register(BACKUP_JOB_FILES);
  }

  @Post()
  @Access('admin', 'watched:write')
  @ApiOperation({
    summary: 'Create an expected backup',
    description: 'Unexpected entries of this agent and database are assigned to it without a notification.',
  })
  @ApiCreatedResponse({ type: BackupJob })
  create(
    @Caller() caller: TenantCaller,
    @Creating() request: CreatingRequest,
    @Body() body: NewBackupJob,
  ): Promise<BackupJob> {
    return this.idempotency.create(caller, request, (tx) => this.jobs.create(tx, body));
  }

  @ImportRoute({ who: 'admin', beyond: '', example: EXAMPLE })
  import(
    @Caller() caller: TenantCaller,
    @Creating() request: CreatingRequest,
    @UploadBody() upload: Upload,
    @Query() options: ImportOptions,
  ): Promise<ImportView> {
    return this.imports.receive(caller, request, upload, BACKUP_JOB_FILES, options);
  }

  @ColumnsRoute({ who: 'admin', example: EXAMPLE })
  columns(@UploadBody() upload: Upload): Promise<ColumnProposal> {
    return this.imports.propose(upload, BACKUP_JOB_FILES);
  }

  @Get()
  @Access('member', 'watched:read')
  @ApiOperation({ summary: 'Expected backups, by agent and database' })
  @ApiPage(BackupJob)
  list(@Caller() caller: TenantCaller, @Query() query: BackupJobQuery): Promise<Page<BackupJob>> {
    return this.jobs.list(caller.tenant_id, query);
  }

  @Get(':id')
  @Access('member', 'watched:read')
  @ApiOkResponse({ type: BackupJob })
  get(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<BackupJob> {
    return this.jobs.get(caller.tenant_id, id);
  }

  @Patch(':id')
  @Access('admin', 'watched:write')
  @ApiOperation({
    summary: 'Change an expected backup',
    description: 'New hours apply from now on. Agent and database cannot change: create another job instead.',
  })
  @ApiOkResponse({ type: BackupJob })
  update(
    @Caller() caller: TenantCaller,
    @IdParam() id: string,
    @Body() patch: BackupJobPatch,
  ): Promise<BackupJob> {
    return this.jobs.update(caller.tenant_id, id, patch);
  }

  @Delete(':id')
  @HttpCode(204)
  @Access('admin', 'watched:write')
  @ApiOperation({ summary: 'Delete an expected backup; its entries are kept and its alerts end' })
  @ApiNoContentResponse()
  remove(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<void> {
    return this.jobs.remove(caller.tenant_id, id);
  }
}
