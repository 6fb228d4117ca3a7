import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Database } from '../../platform/database/database.js';
import { ApiPage } from '../../platform/http/api-page.js';
import { Access, Caller, type TenantCaller } from '../../platform/http/caller.js';
import type { Page } from '../../platform/http/cursor.js';
import { IdParam } from '../../platform/http/id-param.js';
import { PageQuery } from '../../platform/http/page.dto.js';
import { LoggedSend } from './user-log.dto.js';
import { UserLog } from './user-log.service.js';

/** The log of what was sent to a user. */
@ApiTags('notifications')
@Controller('users/:id/notifications')
export class UserLogController {
  constructor(
    private readonly log: UserLog,
    private readonly database: Database,
  ) {}

  @Get()
  @Access('member', 'notifications:read')
  @ApiOperation({
    summary: 'Every send to a user, newest first',
    description:
      'One entry for each channel and address. Only for the user, admins, and API keys with the scope admin.',
  })
  @ApiPage(LoggedSend)
  async list(
    @Caller() caller: TenantCaller,
    @IdParam() userId: string,
    @Query() query: PageQuery,
  ): Promise<Page<LoggedSend>> {
    return this.database.tenant(caller.tenant_id, (tx) => this.log.list(tx, caller, userId, query));
  }
}
