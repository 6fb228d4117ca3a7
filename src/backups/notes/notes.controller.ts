import { Body, Controller, Delete, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiPage } from '../../platform/http/api-page.js';
import { Access, Caller, type TenantCaller } from '../../platform/http/caller.js';
import type { Page } from '../../platform/http/cursor.js';
import { Creating, type CreatingRequest, Idempotency } from '../../platform/http/idempotency.js';
import { IdParam } from '../../platform/http/id-param.js';
import { PageQuery } from '../../platform/http/page.dto.js';
import { BackupNote, NewBackupNote } from './notes.dto.js';
import { BackupNotes } from './notes.service.js';

/** Notes on expected backups. */
@ApiTags('backups')
@Controller('backups')
export class BackupNotesController {
  constructor(
    private readonly notes: BackupNotes,
    private readonly idempotency: Idempotency,
  ) {}

  @Get('jobs/:id/notes')
  @Access('member', 'watched:read')
  @ApiOperation({ summary: 'Notes on an expected backup, newest first' })
  @ApiPage(BackupNote)
  list(
    @Caller() caller: TenantCaller,
    @IdParam() jobId: string,
    @Query() query: PageQuery,
  ): Promise<Page<BackupNote>> {
    return this.notes.list(caller.tenant_id, jobId, query);
  }

  @Post('jobs/:id/notes')
  @Access('admin', 'watched:write')
  @ApiOperation({ summary: 'Add a note to an expected backup' })
  @ApiCreatedResponse({ type: BackupNote })
  create(
    @Caller() caller: TenantCaller,
    @Creating() request: CreatingRequest,
    @IdParam() jobId: string,
    @Body() body: NewBackupNote,
  ): Promise<BackupNote> {
    return this.idempotency.create(caller, request, (tx) =>
      this.notes.create(tx, jobId, caller.user_id, body),
    );
  }

  @Delete('notes/:id')
  @HttpCode(204)
  @Access('admin', 'watched:write')
  @ApiOperation({ summary: 'Delete a note' })
  @ApiNoContentResponse()
  remove(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<void> {
    return this.notes.remove(caller.tenant_id, id);
  }
}
