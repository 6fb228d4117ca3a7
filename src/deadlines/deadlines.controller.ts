import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { ImportRoute } from '../imports/import-route.js';
import type { ImportView } from '../imports/imports.dto.js';
import { Imports } from '../imports/imports.service.js';
import { Access, Caller, type TenantCaller } from '../platform/http/caller.js';
import { ApiPage } from '../platform/http/api-page.js';
import type { Page } from '../platform/http/cursor.js';
import { Creating, type CreatingRequest, Idempotency } from '../platform/http/idempotency.js';
import { IdParam } from '../platform/http/id-param.js';
import { type Upload, UploadBody } from '../platform/http/uploads.js';
import { Deadline } from './deadline.entity.js';
import { NewDeadline, DeadlinePatch, DeadlineQuery } from './deadlines.dto.js';
import { DEADLINE_FILES } from './deadlines.import.js';
import { DeadlinesService } from './deadlines.service.js';

@ApiTags('deadlines')
@Controller('deadlines')
export class DeadlinesController {
  constructor(
    private readonly deadlines: DeadlinesService,
    private readonly idempotency: Idempotency,
    private readonly imports: Imports,
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

  @ImportRoute()
  import(
    @Caller() caller: TenantCaller,
    @Creating() request: CreatingRequest,
    @UploadBody() upload: Upload,
  ): Promise<ImportView> {
    return this.imports.receive(caller, request, upload, DEADLINE_FILES);
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
