import { Body, Controller, Get, Patch } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Access, Caller, CallerUserId, type TenantCaller } from '../platform/http/caller.js';
import { Me, MePatch } from './users.dto.js';
import { UsersService } from './users.service.js';

/** Routes for signed-in users about themselves. */
@ApiTags('me')
@Controller()
export class MeController {
  constructor(private readonly users: UsersService) {}

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
}
