import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Database } from '../../platform/database/database.js';
import { Access, Caller, type TenantCaller } from '../../platform/http/caller.js';
import { IdParam } from '../../platform/http/id-param.js';
import type { CountedPage } from '../../platform/lists/counted-page.js';
import { ApiCountedPage } from '../../platform/lists/list-query.js';
import { TenantDeliveriesQuery, TenantDelivery } from './tenant-deliveries.dto.js';
import { TenantDeliveries } from './tenant-deliveries.service.js';
import { NotificationTrace } from '../trace/trace.dto.js';
import { Traces } from '../trace/trace.service.js';

const WHO_SEES =
  'Admins, and API keys with the scope admin, see those of the whole tenant; others those that they received or created.';

/** The deliveries of a tenant's notifications, and their traces. */
@ApiTags('notifications')
@Controller()
export class TenantDeliveriesController {
  constructor(
    private readonly deliveries: TenantDeliveries,
    private readonly traces: Traces,
    private readonly database: Database,
  ) {}

  @Get('tenant/deliveries')
  @Access('member', 'notifications:read')
  @ApiOperation({
    summary: 'Search the deliveries of the tenant, newest first by default',
    description: WHO_SEES,
  })
  @ApiCountedPage(TenantDelivery)
  list(
    @Caller() caller: TenantCaller,
    @Query() query: TenantDeliveriesQuery,
  ): Promise<CountedPage<TenantDelivery>> {
    return this.database.tenant(caller.tenant_id, (tx) => this.deliveries.list(tx, caller, query));
  }

  @Get('notifications/:id/trace')
  @Access('member', 'notifications:read')
  @ApiOperation({
    summary: 'Everything that happened to a notification: recipients, deliveries, attempts, replies',
    description: WHO_SEES,
  })
  @ApiOkResponse({ type: NotificationTrace })
  trace(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<NotificationTrace> {
    return this.database.tenant(caller.tenant_id, (tx) => this.traces.get(tx, caller, id));
  }
}
