import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Database } from '../../platform/database/database.js';
import { ApiPage } from '../../platform/http/api-page.js';
import { Access, Caller, type TenantCaller } from '../../platform/http/caller.js';
import type { Page } from '../../platform/http/cursor.js';
import { IdParam } from '../../platform/http/id-param.js';
import { DeliveriesQuery, OwnDelivery, OwnDeliveryDetail } from './deliveries.dto.js';
import { DeliveryList } from './delivery-list.service.js';

/** The deliveries that a caller received or created. */
@ApiTags('notifications')
@Controller('deliveries')
export class DeliveriesController {
  constructor(
    private readonly deliveries: DeliveryList,
    private readonly database: Database,
  ) {}

  @Get()
  @Access('member', 'notifications:read')
  @ApiOperation({
    summary: 'Deliveries that I created or received, newest first',
    description: 'A page of a filtered list may be short or empty: follow `next_cursor` until it is null.',
  })
  @ApiPage(OwnDelivery)
  async list(@Caller() caller: TenantCaller, @Query() query: DeliveriesQuery): Promise<Page<OwnDelivery>> {
    return this.database.tenant(caller.tenant_id, (tx) => this.deliveries.list(tx, caller, query));
  }

  @Get(':id')
  @Access('member', 'notifications:read')
  @ApiOperation({ summary: 'A delivery that I created or received' })
  @ApiOkResponse({ type: OwnDeliveryDetail })
  async get(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<OwnDeliveryDetail> {
    return this.database.tenant(caller.tenant_id, (tx) => this.deliveries.get(tx, caller, id));
  }
}
