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
import { DocumentRequest } from './document-request.entity.js';
import { NewDocument, DocumentPatch, DocumentQuery } from './documents.dto.js';
import { DOCUMENT_FILES } from './documents.import.js';
import { DocumentsService } from './documents.service.js';

@ApiTags('documents')
@Controller('documents')
export class DocumentsController {
  constructor(
    private readonly documents: DocumentsService,
    private readonly idempotency: Idempotency,
    private readonly imports: Imports,
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

  @ImportRoute()
  import(
    @Caller() caller: TenantCaller,
    @Creating() request: CreatingRequest,
    @UploadBody() upload: Upload,
  ): Promise<ImportView> {
    return this.imports.receive(caller, request, upload, DOCUMENT_FILES);
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
