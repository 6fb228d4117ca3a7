import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Access, Caller, type TenantCaller } from '../platform/http/caller.js';
import { ApiPage } from '../platform/http/api-page.js';
import type { Page } from '../platform/http/cursor.js';
import { Creating, type CreatingRequest, Idempotency } from '../platform/http/idempotency.js';
import { IdParam } from '../platform/http/id-param.js';
import { DocumentRequest } from './document-request.entity.js';
import { NewDocument, DocumentPatch, DocumentQuery } from './documents.dto.js';
import { DocumentsService } from './documents.service.js';

@ApiTags('documents')
@Controller('documents')
export class DocumentsController {
  constructor(
    private readonly documents: DocumentsService,
    private readonly idempotency: Idempotency,
  ) {}

  @Post()
  @Access('member', 'watched:write')
  @ApiCreatedResponse({ type: DocumentRequest })
  create(
    @Caller() caller: TenantCaller,
    @Creating() request: CreatingRequest,
    @Body() body: NewDocument,
  ): Promise<DocumentRequest> {
    return this.idempotency.create(caller, request, (tx) => this.documents.create(tx, body));
  }

  @Get()
  @Access('member', 'watched:read')
  @ApiPage(DocumentRequest)
  list(@Caller() caller: TenantCaller, @Query() query: DocumentQuery): Promise<Page<DocumentRequest>> {
    return this.documents.list(caller.tenant_id, query, { status: query.status });
  }

  @Get(':id')
  @Access('member', 'watched:read')
  @ApiOkResponse({ type: DocumentRequest })
  get(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<DocumentRequest> {
    return this.documents.get(caller.tenant_id, id);
  }

  @Patch(':id')
  @Access('member', 'watched:write')
  @ApiOkResponse({ type: DocumentRequest })
  update(
    @Caller() caller: TenantCaller,
    @IdParam() id: string,
    @Body() patch: DocumentPatch,
  ): Promise<DocumentRequest> {
    return this.documents.update(caller.tenant_id, id, patch);
  }

  @Delete(':id')
  @HttpCode(204)
  @Access('member', 'watched:write')
  @ApiNoContentResponse()
  remove(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<void> {
    return this.documents.remove(caller.tenant_id, id);
  }

  @Post(':id/receive')
  @HttpCode(200)
  @Access('member', 'watched:write')
  @ApiOkResponse({ type: DocumentRequest, description: 'Received; once more changes nothing' })
  receive(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<DocumentRequest> {
    return this.documents.end(caller.tenant_id, id);
  }

  @Post(':id/reopen')
  @HttpCode(200)
  @Access('member', 'watched:write')
  @ApiOkResponse({ type: DocumentRequest, description: 'Open again; once more changes nothing' })
  reopen(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<DocumentRequest> {
    return this.documents.reopen(caller.tenant_id, id);
  }
}
