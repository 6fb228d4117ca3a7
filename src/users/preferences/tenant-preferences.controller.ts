import { Body, Controller, Get, Put } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Access, Caller, type TenantCaller } from '../../platform/http/caller.js';
import { TenantPreferencesDocument, TenantPreferencesView } from './tenant-preferences.dto.js';
import { TenantPreferences } from './tenant-preferences.service.js';

@ApiTags('tenant')
@Controller('tenant/preferences')
export class TenantPreferencesController {
  constructor(private readonly preferences: TenantPreferences) {}

  @Get()
  @Access('admin', 'admin')
  @ApiOkResponse({ type: TenantPreferencesView })
  getTenantPreferences(@Caller() caller: TenantCaller): Promise<TenantPreferencesView> {
    return this.preferences.get(caller.tenant_id);
  }

  @Put()
  @Access('admin', 'admin')
  @ApiOkResponse({ type: TenantPreferencesView })
  replaceTenantPreferences(
    @Caller() caller: TenantCaller,
    @Body() body: TenantPreferencesDocument,
  ): Promise<TenantPreferencesView> {
    return this.preferences.replace(caller.tenant_id, body);
  }
}
