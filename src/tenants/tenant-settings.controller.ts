import { Body, Controller, Get, Put } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Access, Caller, type TenantCaller } from '../platform/http/caller.js';
import { TenantSettingsService } from './tenant-settings.service.js';
import { TenantSettingsDocument } from './tenants.dto.js';

@ApiTags('tenant')
@Controller('tenant/settings')
export class TenantSettingsController {
  constructor(private readonly settings: TenantSettingsService) {}

  @Get()
  @Access('admin', 'admin')
  @ApiOkResponse({ type: TenantSettingsDocument })
  get(@Caller() caller: TenantCaller): Promise<TenantSettingsDocument> {
    return this.settings.get(caller.tenant_id);
  }

  @Put()
  @Access('admin', 'admin')
  @ApiOkResponse({ type: TenantSettingsDocument })
  replace(
    @Caller() caller: TenantCaller,
    @Body() body: TenantSettingsDocument,
  ): Promise<TenantSettingsDocument> {
    return this.settings.replace(caller.tenant_id, body);
  }
}
