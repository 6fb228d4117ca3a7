import { Controller, Delete, Get, HttpCode, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiPage } from '../../platform/http/api-page.js';
import { Access, Caller, type TenantCaller } from '../../platform/http/caller.js';
import type { Page } from '../../platform/http/cursor.js';
import { IdParam } from '../../platform/http/id-param.js';
import { StoppedAddressesQuery, StoppedAddressView } from './stopped-addresses.dto.js';
import { StoppedAddresses } from './stopped-addresses.service.js';

@ApiTags('tenant')
@Controller('tenant/stopped-addresses')
export class StoppedAddressesController {
  constructor(private readonly addresses: StoppedAddresses) {}

  @Get()
  @Access('admin', 'admin')
  @ApiOperation({
    summary: 'Addresses to which nothing more is sent: bounced, complained, or unsubscribed',
    description:
      'Newest first. Other channels of the same person still work. docs/provider-events.md explains them.',
  })
  @ApiPage(StoppedAddressView)
  list(
    @Caller() { tenant_id }: TenantCaller,
    @Query() query: StoppedAddressesQuery,
  ): Promise<Page<StoppedAddressView>> {
    return this.addresses.list(tenant_id, query);
  }

  @Delete(':id')
  @HttpCode(204)
  @Access('admin', 'admin')
  @ApiOperation({
    summary: 'Free an address',
    description:
      'Later messages are sent to it again. A provider may keep refusing it: lift its own suppression, too.',
  })
  @ApiNoContentResponse({ description: 'It is free' })
  free(@Caller() { tenant_id }: TenantCaller, @IdParam() id: string): Promise<void> {
    return this.addresses.free(tenant_id, id);
  }
}
