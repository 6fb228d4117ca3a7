import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, Caller, type TenantCaller } from '../../platform/http/caller.js';
import { BackupBoard } from './backup-board.dto.js';
import { BackupBoards } from './backup-board.service.js';
import { BackupBoardQuery } from '../jobs/backup-jobs.dto.js';

/** The state of all backups. */
@ApiTags('backups')
@Controller('backups')
export class BackupBoardController {
  constructor(private readonly boards: BackupBoards) {}

  @Get('status')
  @Access('member', 'watched:read')
  @ApiOperation({
    summary: 'The board: the state of each backup, by agent and database',
    description: 'Expected databases, and unexpected ones that agents reported in the last 30 days.',
  })
  @ApiOkResponse({ type: BackupBoard })
  status(@Caller() caller: TenantCaller, @Query() query: BackupBoardQuery): Promise<BackupBoard> {
    return this.boards.read(caller.tenant_id, query);
  }
}
