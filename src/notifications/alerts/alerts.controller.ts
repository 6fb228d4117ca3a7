import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, Caller, type TenantCaller } from '../../platform/http/caller.js';
import { Database } from '../../platform/database/database.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { IdParam } from '../../platform/http/id-param.js';
import { BulkResult } from '../../platform/lists/bulk-act.js';
import type { CountedPage } from '../../platform/lists/counted-page.js';
import { ApiCountedPage } from '../../platform/lists/list-query.js';
import { AlertDetail } from './alert-detail.dto.js';
import { AlertList } from './alert-list.service.js';
import { AlertsBulk, AlertsQuery, AlertsSnooze, AlertView, Snooze } from './alerts.dto.js';
import { AlertSilence, type Marker } from './silence.js';

const WHO_MAY = 'For its recipients, admins and programs';
const OTHERS_SKIPPED = 'For members: only alerts that they were notified of; others are skipped.';

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
  @ApiCountedPage(AlertView)
  async list(@Caller() caller: TenantCaller, @Query() query: AlertsQuery): Promise<CountedPage<AlertView>> {
    return this.database.tenant(caller.tenant_id, (tx) => this.alerts.list(tx, caller, query));
  }

  @Get(':id')
  @Access('member', 'watched:read')
  @ApiOperation({ summary: 'An alert with its text, and who was notified of it' })
  @ApiOkResponse({ type: AlertDetail })
  async get(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<AlertDetail> {
    return this.database.tenant(caller.tenant_id, (tx) => this.alerts.detail(tx, id, caller));
  }

  @Post('resolve')
  @Access('member', 'watched:write')
  @HttpCode(200)
  @ApiOperation({ summary: 'Resolve many, by ids or by a filter' })
  @ApiOkResponse({ type: BulkResult })
  async resolveMany(@Caller() caller: TenantCaller, @Body() body: AlertsBulk): Promise<BulkResult> {
    return this.changeMany(caller, body, (tx, ids) => this.alerts.resolveMany(tx, ids, caller));
  }

  @Post('acknowledge')
  @Access('member', 'watched:write')
  @HttpCode(200)
  @ApiOperation({ summary: 'Acknowledge many, by ids or by a filter', description: OTHERS_SKIPPED })
  @ApiOkResponse({ type: BulkResult })
  async acknowledgeMany(@Caller() caller: TenantCaller, @Body() body: AlertsBulk): Promise<BulkResult> {
    return this.changeMany(caller, body, (tx, ids) =>
      this.silence.acknowledgeMany(tx, ids, markerOf(caller)),
    );
  }

  @Post('snooze')
  @Access('member', 'watched:write')
  @HttpCode(200)
  @ApiOperation({ summary: 'Snooze many, by ids or by a filter', description: OTHERS_SKIPPED })
  @ApiOkResponse({ type: BulkResult })
  async snoozeMany(@Caller() caller: TenantCaller, @Body() body: AlertsSnooze): Promise<BulkResult> {
    return this.changeMany(caller, body, (tx, ids) =>
      this.silence.snoozeMany(tx, ids, markerOf(caller), instantOf(body.until)),
    );
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
    return this.mark(caller, id, (tx, marker) => this.silence.snooze(tx, id, marker, instantOf(until)));
  }

  private async mark(
    caller: TenantCaller,
    id: string,
    act: (tx: TenantTransaction, marker: Marker) => Promise<void>,
  ): Promise<AlertView> {
    return this.database.tenant(caller.tenant_id, async (tx) => {
      await act(tx, markerOf(caller));
      return this.alerts.get(tx, id, caller);
    });
  }

  private async changeMany(
    caller: TenantCaller,
    body: AlertsBulk,
    act: (tx: TenantTransaction, ids: readonly string[]) => Promise<number>,
  ): Promise<BulkResult> {
    return this.database.tenant(caller.tenant_id, async (tx) => ({
      changed: await act(tx, await this.alerts.lockMany(tx, caller, body)),
    }));
  }
}

function markerOf({ kind, role, user_id }: TenantCaller): Marker {
  return { user_id, only_notified: kind === 'user' && role !== 'admin' };
}

function instantOf(written: string | null | undefined): Date | null | undefined {
  return typeof written === 'string' ? new Date(written) : written;
}
