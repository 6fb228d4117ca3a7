import { Body, Controller, Delete, Get, Header, HttpCode, Post, Query } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { ApiPage } from '../../platform/http/api-page.js';
import { Access, Caller, type TenantCaller } from '../../platform/http/caller.js';
import type { Page } from '../../platform/http/cursor.js';
import { IdParam } from '../../platform/http/id-param.js';
import { PageQuery } from '../../platform/http/page.dto.js';
import { ApiKey } from './api-key.entity.js';
import { CreatedApiKey, KeyRotation, NewApiKey } from './api-keys.dto.js';
import { ApiKeysService } from './api-keys.service.js';

/**
 * The keys of a tenant's own programs, for its admins: people only, because a key that creates keys would survive its
 * own revocation.
 */
@ApiTags('tenant')
@Controller('tenant/api-keys')
export class TenantApiKeysController {
  constructor(private readonly keys: ApiKeysService) {}

  // No idempotency key: the response holds a secret, which must not be stored.
  @Post()
  @Header('cache-control', 'no-store')
  @Access('admin')
  @ApiOperation({ summary: 'Create an API key' })
  @ApiCreatedResponse({ type: CreatedApiKey, description: 'Only this answer contains the key' })
  createKey(@Caller() { tenant_id }: TenantCaller, @Body() body: NewApiKey): Promise<CreatedApiKey> {
    return this.keys.create(tenant_id, body);
  }

  @Get()
  @Access('admin')
  @ApiOperation({ summary: 'The API keys, newest first, including revoked ones' })
  @ApiPage(ApiKey)
  listKeys(@Caller() { tenant_id }: TenantCaller, @Query() query: PageQuery): Promise<Page<ApiKey>> {
    return this.keys.list(tenant_id, query);
  }

  // No idempotency key: each call is another rotation, and ends the secret before the last.
  @Post(':id/rotate')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @Access('admin')
  @ApiOperation({ summary: 'Give the key a new secret' })
  @ApiOkResponse({ type: CreatedApiKey, description: 'Only this answer contains the new secret' })
  rotateKey(
    @Caller() { tenant_id }: TenantCaller,
    @IdParam() id: string,
    @Body() { grace_hours }: KeyRotation,
  ): Promise<CreatedApiKey> {
    return this.keys.rotate(tenant_id, id, grace_hours ?? 24);
  }

  @Delete(':id')
  @HttpCode(204)
  @Access('admin')
  @ApiNoContentResponse({ description: 'The key is revoked' })
  revokeKey(@Caller() { tenant_id }: TenantCaller, @IdParam() id: string): Promise<void> {
    return this.keys.revoke(tenant_id, id);
  }
}
