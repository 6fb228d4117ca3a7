import { Body, Controller, Delete, Get, Header, HttpCode, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiTags } from '@nestjs/swagger';
import { ApiPage } from '../platform/http/api-page.js';
import type { Page } from '../platform/http/cursor.js';
import { IdParam } from '../platform/http/id-param.js';
import { PageQuery } from '../platform/http/page.dto.js';
import { ApiKey } from './api-key.entity.js';
import { CreatedApiKey, NewApiKey } from './api-keys.dto.js';
import { ApiKeysService } from './api-keys.service.js';
import { Access } from '../platform/http/caller.js';

@ApiTags('tenants')
@Controller('tenants/:tenant_id/api-keys')
export class ApiKeysController {
  constructor(private readonly keys: ApiKeysService) {}

  // Not repeatable by an idempotency key: the answer holds a secret, which nothing may store.
  @Post()
  @Header('cache-control', 'no-store')
  @Access('operator')
  @ApiCreatedResponse({ type: CreatedApiKey, description: 'The key is in this answer and never again' })
  create(@IdParam('tenant_id') tenantId: string, @Body() body: NewApiKey): Promise<CreatedApiKey> {
    return this.keys.create(tenantId, body);
  }

  @Get()
  @Access('operator')
  @ApiPage(ApiKey)
  list(@IdParam('tenant_id') tenantId: string, @Query() query: PageQuery): Promise<Page<ApiKey>> {
    return this.keys.list(tenantId, query);
  }

  @Delete(':id')
  @HttpCode(204)
  @Access('operator')
  @ApiNoContentResponse({ description: 'It no longer works' })
  revoke(@IdParam('tenant_id') tenantId: string, @IdParam() id: string): Promise<void> {
    return this.keys.revoke(tenantId, id);
  }
}
