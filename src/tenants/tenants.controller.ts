import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Access } from '../platform/http/caller.js';
import { ApiPage } from '../platform/http/api-page.js';
import type { Page } from '../platform/http/cursor.js';
import { IdParam } from '../platform/http/id-param.js';
import { PageQuery } from '../platform/http/page.dto.js';
import { Tenant } from './tenant.entity.js';
import { NewTenant, TenantPatch } from './tenants.dto.js';
import { TenantsService } from './tenants.service.js';

@ApiTags('tenants')
@Controller('tenants')
export class TenantsController {
  constructor(private readonly tenants: TenantsService) {}

  // Idempotency keys belong to tenants; here the slug turns a repeated request into a conflict.
  @Post()
  @Access('operator')
  @ApiCreatedResponse({ type: Tenant })
  create(@Body() body: NewTenant): Promise<Tenant> {
    return this.tenants.create(body);
  }

  @Get()
  @Access('operator')
  @ApiPage(Tenant)
  list(@Query() query: PageQuery): Promise<Page<Tenant>> {
    return this.tenants.list(query);
  }

  @Get(':id')
  @Access('operator')
  @ApiOkResponse({ type: Tenant })
  get(@IdParam() id: string): Promise<Tenant> {
    return this.tenants.get(id);
  }

  @Patch(':id')
  @Access('operator')
  @ApiOkResponse({ type: Tenant })
  update(@IdParam() id: string, @Body() patch: TenantPatch): Promise<Tenant> {
    return this.tenants.update(id, patch);
  }

  @Delete(':id')
  @HttpCode(204)
  @Access('operator')
  @ApiNoContentResponse({
    description: 'The tenant and all its data are deleted; it must be suspended first',
  })
  remove(@IdParam() id: string): Promise<void> {
    return this.tenants.remove(id);
  }
}
