import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { Access } from '../../platform/http/caller.js';
import type { CountedPage } from '../../platform/lists/counted-page.js';
import { ApiCountedPage } from '../../platform/lists/list-query.js';
import { TenantInList, TenantListQuery } from './tenant-list.dto.js';
import { TenantList } from './tenant-list.service.js';

/** The operators' list of tenants. `tenants` changes them. */
@Controller('admin/tenants')
@Access('operator')
export class TenantListController {
  constructor(private readonly tenants: TenantList) {}

  @Get()
  @ApiOperation({ summary: 'Tenants by name or slug, with their users and deliveries counted' })
  @ApiCountedPage(TenantInList)
  list(@Query() query: TenantListQuery): Promise<CountedPage<TenantInList>> {
    return this.tenants.page(query);
  }
}
