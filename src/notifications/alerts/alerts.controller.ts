import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, Caller, type TenantCaller } from '../../platform/http/caller.js';
import { Database } from '../../platform/database/database.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { ApiPage } from '../../platform/http/api-page.js';
import type { Page } from '../../platform/http/cursor.js';
import { IdParam } from '../../platform/http/id-param.js';
import { AlertList } from './alert-list.service.js';
import { AlertsQuery, AlertView, Snooze } from './alerts.dto.js';
import { AlertSilence, type Marker } from './silence.js';

const WHO_MAY = 'For its recipients, admins and programs';

/** The tenant's alerts. */
@ApiTags('alerts')
@Controller('alerts')
export class AlertsController {
  constructor(
    private readonly alerts: AlertList,
    private readonly silence: AlertSilence,
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

  @Post(':id/acknowledge')
  @Access('member', 'watched:write')
  @HttpCode(200)
  @ApiOperation({
    summary: `Say that somebody takes care of it: nobody is notified again until its fact clears. ${WHO_MAY}`,
  })
  @ApiOkResponse({ type: AlertView, description: 'Repeating it changes nothing: the first person counts' })
  async acknowledge(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<AlertView> {
    return this.mark(caller, id, (tx, marker) => this.silence.acknowledge(tx, id, marker));
  }

  @Post(':id/unacknowledge')
  @Access('member', 'watched:write')
  @HttpCode(200)
  @ApiOperation({ summary: `Undo \`acknowledge\`: messages that it suppressed are sent. ${WHO_MAY}` })
  @ApiOkResponse({ type: AlertView, description: 'Repeating it changes nothing' })
  async unacknowledge(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<AlertView> {
    return this.mark(caller, id, (tx, marker) => this.silence.unacknowledge(tx, id, marker));
  }

  @Post(':id/snooze')
  @Access('member', 'watched:write')
  @HttpCode(200)
  @ApiOperation({
    summary: `Notify nobody of it before an instant; the first check after it announces the fact again. ${WHO_MAY}`,
  })
  @ApiOkResponse({ type: AlertView })
  async snooze(
    @Caller() caller: TenantCaller,
    @IdParam() id: string,
    @Body() { until }: Snooze,
  ): Promise<AlertView> {
    const instant = typeof until === 'string' ? new Date(until) : until;
    return this.mark(caller, id, (tx, marker) => this.silence.snooze(tx, id, marker, instant));
  }

  private async mark(
    caller: TenantCaller,
    id: string,
    act: (tx: TenantTransaction, marker: Marker) => Promise<void>,
  ): Promise<AlertView> {
    return this.database.tenant(caller.tenant_id, async (tx) => {
      const only_notified = caller.kind === 'user' && caller.role !== 'admin';
      await act(tx, { user_id: caller.user_id, only_notified });
      return this.alerts.get(tx, id, caller);
    });
  }
}
