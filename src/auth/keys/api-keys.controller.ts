import { Body, Controller, Delete, Get, Header, HttpCode, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { ApiPage } from '../../platform/http/api-page.js';
import type { Page } from '../../platform/http/cursor.js';
import { IdParam } from '../../platform/http/id-param.js';
import { PageQuery } from '../../platform/http/page.dto.js';
import { ApiKey } from './api-key.entity.js';
import { CreatedApiKey, KeyRotation, NewApiKey } from './api-keys.dto.js';
import { ApiKeysService } from './api-keys.service.js';
import { Access } from '../../platform/http/caller.js';

@ApiTags('tenants')
@Controller('tenants/:tenant_id/api-keys')
export class ApiKeysController {
  constructor(private readonly keys: ApiKeysService) {}

  // No idempotency key: the response holds a secret, which must not be stored.
  @Post()
  @Header('cache-control', 'no-store')
  @Access('operator')
  @ApiCreatedResponse({ type: CreatedApiKey, description: 'Only this answer contains the key' })
  create(@IdParam('tenant_id') tenantId: string, @Body() body: NewApiKey): Promise<CreatedApiKey> {
    return this.keys.create(tenantId, body);
  }

  @Get()
  @Access('operator')
  @ApiPage(ApiKey)
  list(@IdParam('tenant_id') tenantId: string, @Query() query: PageQuery): Promise<Page<ApiKey>> {
    return this.keys.list(tenantId, query);
  }

  // No idempotency key: each call is another rotation, and ends the secret before the last.
  @Post(':id/rotate')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @Access('operator')
  @ApiOkResponse({ type: CreatedApiKey, description: 'Only this answer contains the new secret' })
  rotate(
    @IdParam('tenant_id') tenantId: string,
    @IdParam() id: string,
    @Body() { grace_hours }: KeyRotation,
  ): Promise<CreatedApiKey> {
    return this.keys.rotate(tenantId, id, grace_hours ?? 24);
  }

  @Delete(':id')
  @HttpCode(204)
  @Access('operator')
  @ApiNoContentResponse({ description: 'The key is revoked' })
  revoke(@IdParam('tenant_id') tenantId: string, @IdParam() id: string): Promise<void> {
    return this.keys.revoke(tenantId, id);
  }
}
