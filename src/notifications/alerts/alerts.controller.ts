import { Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, Caller, type TenantCaller } from '../../platform/http/caller.js';
import { Database } from '../../platform/database/database.js';
import { ApiPage } from '../../platform/http/api-page.js';
import type { Page } from '../../platform/http/cursor.js';
import { IdParam } from '../../platform/http/id-param.js';
import { AlertList } from './alert-list.service.js';
import { AlertsQuery, AlertView } from './alerts.dto.js';

/** The tenant's alerts. */
@ApiTags('alerts')
@Controller('alerts')
export class AlertsController {
  constructor(
    private readonly alerts: AlertList,
    private readonly database: Database,
  ) {}

  @Get()
  @Access('member', 'watched:read')
  @ApiOperation({
    summary: 'Alerts of the tenant, newest first; members do not see events reported for other users',
  })
  @ApiPage(AlertView)
  async list(@Caller() caller: TenantCaller, @Query() query: AlertsQuery): Promise<Page<AlertView>> {
    return this.database.tenant(caller.tenant_id, (tx) => this.alerts.list(tx, caller, query));
  }

  @Post(':id/resolve')
  @Access('member', 'watched:write')
  @HttpCode(200)
  @ApiOperation({ summary: 'Silence the alert until its fact clears; a reported event ends' })
  @ApiOkResponse({ type: AlertView })
  async resolve(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<AlertView> {
    return this.database.tenant(caller.tenant_id, (tx) => this.alerts.resolve(tx, id, caller));
  }
}
