import { Body, Controller, Get, Patch, Put } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Access, Caller, CallerUserId, type TenantCaller } from '../platform/http/caller.js';
import { Preferences, type PreferencesView } from './preferences.dto.js';
import { PreferencesService } from './preferences.service.js';
import { Me, MePatch } from './users.dto.js';
import { UsersService } from './users.service.js';

/** Routes for signed-in users about themselves. */
@ApiTags('me')
@Controller()
export class MeController {
  constructor(
    private readonly users: UsersService,
    private readonly preferences: PreferencesService,
  ) {}

  @Get('me')
  @Access('self')
  @ApiOkResponse({ type: Me })
  get(@Caller() caller: TenantCaller, @CallerUserId() userId: string): Promise<Me> {
    return this.users.me(caller.tenant_id, userId);
  }

  @Patch('me')
  @Access('self')
  @ApiOkResponse({ type: Me })
  async update(
    @Caller() caller: TenantCaller,
    @CallerUserId() userId: string,
    @Body() patch: MePatch,
  ): Promise<Me> {
    await this.users.update(caller, userId, patch);
    return this.users.me(caller.tenant_id, userId);
  }

  @Get('preferences')
  @Access('self')
  @ApiOkResponse({ type: Preferences })
  getPreferences(@Caller() caller: TenantCaller, @CallerUserId() userId: string): Promise<PreferencesView> {
    return this.preferences.get(caller.tenant_id, userId);
  }

  @Put('preferences')
  @Access('self')
  @ApiOkResponse({ type: Preferences })
  replacePreferences(
    @Caller() caller: TenantCaller,
    @CallerUserId() userId: string,
    @Body() body: Preferences,
  ): Promise<PreferencesView> {
    return this.preferences.replace(caller.tenant_id, userId, body);
  }
}
