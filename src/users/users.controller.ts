import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Access, Caller, type TenantCaller } from '../platform/http/caller.js';
import { ApiPage } from '../platform/http/api-page.js';
import type { Page } from '../platform/http/cursor.js';
import { Creating, type CreatingRequest, Idempotency } from '../platform/http/idempotency.js';
import { IdParam } from '../platform/http/id-param.js';
import { User } from './user.entity.js';
import { NewUser, UserPatch, UserQuery } from './users.dto.js';
import { UsersService } from './users.service.js';

@ApiTags('users')
@Controller('users')
export class UsersController {
  constructor(
    private readonly users: UsersService,
    private readonly idempotency: Idempotency,
  ) {}

  @Post()
  @Access('admin', 'users:write')
  @ApiCreatedResponse({
    type: User,
    description: 'A welcome mail with a link to set the password is queued',
  })
  create(
    @Caller() caller: TenantCaller,
    @Creating() request: CreatingRequest,
    @Body() body: NewUser,
  ): Promise<User> {
    return this.idempotency.create(caller, request, (tx) => this.users.create(tx, caller, body));
  }

  @Get()
  @Access('admin', 'users:read')
  @ApiPage(User)
  list(@Caller() caller: TenantCaller, @Query() query: UserQuery): Promise<Page<User>> {
    return this.users.list(caller.tenant_id, query);
  }

  @Get(':id')
  @Access('admin', 'users:read')
  @ApiOkResponse({ type: User })
  get(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<User> {
    return this.users.get(caller.tenant_id, id);
  }

  @Patch(':id')
  @Access('admin', 'users:write')
  @ApiOkResponse({ type: User })
  update(@Caller() caller: TenantCaller, @IdParam() id: string, @Body() patch: UserPatch): Promise<User> {
    return this.users.update(caller, id, patch);
  }

  @Delete(':id')
  @HttpCode(204)
  @Access('admin', 'users:write')
  @ApiNoContentResponse({ description: 'Their tokens no longer work' })
  remove(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<void> {
    return this.users.remove(caller, id);
  }
}
