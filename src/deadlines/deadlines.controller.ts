import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Access, Caller, type TenantCaller } from '../platform/http/caller.js';
import { ApiPage } from '../platform/http/api-page.js';
import type { Page } from '../platform/http/cursor.js';
import { Creating, type CreatingRequest, Idempotency } from '../platform/http/idempotency.js';
import { IdParam } from '../platform/http/id-param.js';
import { Deadline } from './deadline.entity.js';
import { NewDeadline, DeadlinePatch, DeadlineQuery } from './deadlines.dto.js';
import { DeadlinesService } from './deadlines.service.js';

@ApiTags('deadlines')
@Controller('deadlines')
export class DeadlinesController {
  constructor(
    private readonly deadlines: DeadlinesService,
    private readonly idempotency: Idempotency,
  ) {}

  @Post()
  @Access('member', 'watched:write')
  @ApiCreatedResponse({ type: Deadline })
  create(
    @Caller() caller: TenantCaller,
    @Creating() request: CreatingRequest,
    @Body() body: NewDeadline,
  ): Promise<Deadline> {
    return this.idempotency.create(caller, request, (tx) => this.deadlines.create(tx, body));
  }

  @Get()
  @Access('member', 'watched:read')
  @ApiPage(Deadline)
  list(@Caller() caller: TenantCaller, @Query() query: DeadlineQuery): Promise<Page<Deadline>> {
    return this.deadlines.list(caller.tenant_id, query, { status: query.status, category: query.category });
  }

  @Get(':id')
  @Access('member', 'watched:read')
  @ApiOkResponse({ type: Deadline })
  get(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<Deadline> {
    return this.deadlines.get(caller.tenant_id, id);
  }

  @Patch(':id')
  @Access('member', 'watched:write')
  @ApiOkResponse({ type: Deadline })
  update(
    @Caller() caller: TenantCaller,
    @IdParam() id: string,
    @Body() patch: DeadlinePatch,
  ): Promise<Deadline> {
    return this.deadlines.update(caller.tenant_id, id, patch);
  }

  @Delete(':id')
  @HttpCode(204)
  @Access('member', 'watched:write')
  @ApiNoContentResponse()
  remove(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<void> {
    return this.deadlines.remove(caller.tenant_id, id);
  }

  @Post(':id/complete')
  @HttpCode(200)
  @Access('member', 'watched:write')
  @ApiOkResponse({ type: Deadline, description: 'Done; once more changes nothing' })
  complete(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<Deadline> {
    return this.deadlines.end(caller.tenant_id, id);
  }

  @Post(':id/reopen')
  @HttpCode(200)
  @Access('member', 'watched:write')
  @ApiOkResponse({ type: Deadline, description: 'Open again; once more changes nothing' })
  reopen(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<Deadline> {
    return this.deadlines.reopen(caller.tenant_id, id);
  }
}
