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
import { Task } from './task.entity.js';
import { NewTask, TaskPatch, TaskQuery } from './tasks.dto.js';
import { TASK_FILES } from './tasks.import.js';
import { TasksService } from './tasks.service.js';

@ApiTags('tasks')
@Controller('tasks')
export class TasksController {
  constructor(
    private readonly tasks: TasksService,
    private readonly idempotency: Idempotency,
    private readonly imports: Imports,
  ) {}

  @Post()
  @Access('member', 'watched:write')
  @ApiCreatedResponse({ type: Task })
  create(
    @Caller() caller: TenantCaller,
    @Creating() request: CreatingRequest,
    @Body() body: NewTask,
  ): Promise<Task> {
    return this.idempotency.create(caller, request, (tx) => this.tasks.create(tx, body));
  }

  @ImportRoute()
  import(
    @Caller() caller: TenantCaller,
    @Creating() request: CreatingRequest,
    @UploadBody() upload: Upload,
  ): Promise<ImportView> {
    return this.imports.receive(caller, request, upload, TASK_FILES);
  }

  @Get()
  @Access('member', 'watched:read')
  @ApiPage(Task)
  list(@Caller() caller: TenantCaller, @Query() query: TaskQuery): Promise<Page<Task>> {
    return this.tasks.list(caller.tenant_id, query, { status: query.status });
  }

  @Get(':id')
  @Access('member', 'watched:read')
  @ApiOkResponse({ type: Task })
  get(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<Task> {
    return this.tasks.get(caller.tenant_id, id);
  }

  @Patch(':id')
  @Access('member', 'watched:write')
  @ApiOkResponse({ type: Task })
  update(@Caller() caller: TenantCaller, @IdParam() id: string, @Body() patch: TaskPatch): Promise<Task> {
    return this.tasks.update(caller.tenant_id, id, patch);
  }

  @Delete(':id')
  @HttpCode(204)
  @Access('member', 'watched:write')
  @ApiNoContentResponse()
  remove(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<void> {
    return this.tasks.remove(caller.tenant_id, id);
  }

  @Post(':id/complete')
  @HttpCode(200)
  @Access('member', 'watched:write')
  @ApiOkResponse({ type: Task, description: 'Done; once more changes nothing' })
  complete(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<Task> {
    return this.tasks.end(caller.tenant_id, id);
  }

  @Post(':id/reopen')
  @HttpCode(200)
  @Access('member', 'watched:write')
  @ApiOkResponse({ type: Task, description: 'Open again; once more changes nothing' })
  reopen(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<Task> {
    return this.tasks.reopen(caller.tenant_id, id);
  }
}
