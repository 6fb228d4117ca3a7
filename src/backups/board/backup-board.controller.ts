import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, Caller, type TenantCaller } from '../../platform/http/caller.js';
import { BackupBoard } from './backup-board.dto.js';
import { BackupBars, BackupBarsQuery } from './backup-bars.dto.js';
import { BackupBarsReader } from './backup-bars.service.js';
import { BackupBoards } from './backup-board.service.js';
import { BackupStatusQuery } from '../jobs/backup-jobs.dto.js';

/** The state of all backups. */
@ApiTags('backups')
@Controller('backups')
export class BackupBoardController {
  constructor(
    private readonly boards: BackupBoards,
    private readonly bars: BackupBarsReader,
  ) {}

  @Get('status')
  @Access('member', 'watched:read')
  @ApiOperation({
    summary: 'The board: the state of each backup, by agent and database',
    description: 'Expected databases, and unexpected ones that agents reported in the last 30 days.',
  })
  @ApiOkResponse({ type: BackupBoard })
  status(@Caller() caller: TenantCaller, @Query() query: BackupStatusQuery): Promise<BackupBoard> {
    return this.boards.read(caller.tenant_id, query);
  }

  @Get('board')
  @Access('member', 'watched:read')
  @ApiOperation({
    summary: 'The board in a small answer: 2,000 rows by columns, one letter per result',
    description: 'The same rows and filters as `backups/status`, which has the details.',
  })
  @ApiOkResponse({ type: BackupBars })
  board(@Caller() caller: TenantCaller, @Query() query: BackupBarsQuery): Promise<BackupBars> {
    return this.bars.read(caller.tenant_id, query);
  }
}
