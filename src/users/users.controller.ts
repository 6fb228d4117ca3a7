import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { Access, Caller, type TenantCaller } from '../platform/http/caller.js';
import { Creating, type CreatingRequest, Idempotency } from '../platform/http/idempotency.js';
import { IdParam } from '../platform/http/id-param.js';
import type { CountedPage } from '../platform/lists/counted-page.js';
import { ApiCountedPage } from '../platform/lists/list-query.js';
import { ListedUser, NewUser, UserName, UserNameQuery, UserPatch, UserQuery } from './users.dto.js';
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
    type: ListedUser,
    description: 'A welcome mail with a link to set the password is queued',
  })
  create(
    @Caller() caller: TenantCaller,
    @Creating() request: CreatingRequest,
    @Body() body: NewUser,
  ): Promise<ListedUser> {
    return this.idempotency.create(caller, request, (tx) => this.users.create(tx, caller, body));
  }

  @Get()
  @Access('admin', 'users:read')
  @ApiOperation({ summary: 'Search the users of the tenant, newest first by default' })
  @ApiCountedPage(ListedUser)
  list(@Caller() caller: TenantCaller, @Query() query: UserQuery): Promise<CountedPage<ListedUser>> {
    return this.users.list(caller.tenant_id, query);
  }

  @Get('names')
  @Access('member', 'users:read')
  @ApiOperation({ summary: 'The names of colleagues, to choose who is responsible' })
  @ApiCountedPage(UserName)
  names(@Caller() caller: TenantCaller, @Query() query: UserNameQuery): Promise<CountedPage<UserName>> {
    return this.users.names(caller.tenant_id, query);
  }

  @Get(':id')
  @Access('admin', 'users:read')
  @ApiOkResponse({ type: ListedUser })
  get(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<ListedUser> {
    return this.users.get(caller.tenant_id, id);
  }

  @Patch(':id')
  @Access('admin', 'users:write')
  @ApiOkResponse({ type: ListedUser })
  update(
    @Caller() caller: TenantCaller,
    @IdParam() id: string,
    @Body() patch: UserPatch,
  ): Promise<ListedUser> {
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
