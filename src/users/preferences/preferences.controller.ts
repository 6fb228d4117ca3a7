import { Body, Controller, Get, Put } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, Caller, CallerUserId, type TenantCaller } from '../../platform/http/caller.js';
import { IdParam } from '../../platform/http/id-param.js';
import { Preferences, PreferencesView } from './preferences.dto.js';
import { PreferencesService } from './preferences.service.js';

/** What signed-in users want to receive. */
@ApiTags('me')
@Controller('preferences')
export class PreferencesController {
  constructor(private readonly preferences: PreferencesService) {}

  @Get()
  @Access('self')
  @ApiOkResponse({ type: PreferencesView })
  getPreferences(@Caller() caller: TenantCaller, @CallerUserId() userId: string): Promise<PreferencesView> {
    return this.preferences.get(caller.tenant_id, userId);
  }

  @Put()
  @Access('self')
  @ApiOkResponse({ type: PreferencesView })
  replacePreferences(
    @Caller() caller: TenantCaller,
    @CallerUserId() userId: string,
    @Body() body: Preferences,
  ): Promise<PreferencesView> {
    return this.preferences.replace(caller.tenant_id, userId, body);
  }
}

/** What a colleague wants to receive, for admins: the colleague may be on leave, or unable to sign in. */
@ApiTags('users')
@Controller('users/:id/preferences')
export class UserPreferencesController {
  constructor(private readonly preferences: PreferencesService) {}

  @Get()
  @Access('admin', 'users:read')
  @ApiOperation({ summary: 'What a user receives, by which channel, and when not' })
  @ApiOkResponse({ type: PreferencesView })
  getOfUser(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<PreferencesView> {
    return this.preferences.get(caller.tenant_id, id);
  }

  @Put()
  @Access('admin', 'users:write')
  @ApiOperation({ summary: 'Replace the preferences of a user' })
  @ApiOkResponse({ type: PreferencesView })
  replaceOfUser(
    @Caller() caller: TenantCaller,
    @IdParam() id: string,
    @Body() body: Preferences,
  ): Promise<PreferencesView> {
    return this.preferences.replace(caller.tenant_id, id, body);
  }
}
