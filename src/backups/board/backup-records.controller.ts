import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiPage } from '../../platform/http/api-page.js';
import { Access, Caller, type TenantCaller } from '../../platform/http/caller.js';
import type { Page } from '../../platform/http/cursor.js';
import { IdParam } from '../../platform/http/id-param.js';
import { BackupEntry, BackupEntryQuery, BackupReport, BackupReportQuery } from './backup-records.dto.js';
import { BackupRecords } from './backup-records.service.js';

/** Reports and entries. */
@ApiTags('backups')
@Controller('backups')
export class BackupRecordsController {
  constructor(private readonly records: BackupRecords) {}

  @Get('entries')
  @Access('member', 'watched:read')
  @ApiOperation({ summary: 'The result of each backup, newest first' })
  @ApiPage(BackupEntry)
  entries(@Caller() caller: TenantCaller, @Query() query: BackupEntryQuery): Promise<Page<BackupEntry>> {
    return this.records.entries(caller.tenant_id, query);
  }

  @Get('entries/:id')
  @Access('member', 'watched:read')
  @ApiOkResponse({ type: BackupEntry })
  entry(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<BackupEntry> {
    return this.records.entry(caller.tenant_id, id);
  }

  @Get('reports')
  @Access('member', 'watched:read')
  @ApiOperation({ summary: 'Reports, newest first, including rejected ones with the reason' })
  @ApiPage(BackupReport)
  reports(@Caller() caller: TenantCaller, @Query() query: BackupReportQuery): Promise<Page<BackupReport>> {
    return this.records.reports(caller.tenant_id, query);
  }
}
