import { Controller, Delete, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiPage } from '../platform/http/api-page.js';
import { Access, Caller, type TenantCaller } from '../platform/http/caller.js';
import type { Page } from '../platform/http/cursor.js';
import { IdParam } from '../platform/http/id-param.js';
import { PageQuery } from '../platform/http/page.dto.js';
import type { CountedPage } from '../platform/lists/counted-page.js';
import { ApiCountedPage } from '../platform/lists/list-query.js';
import { ImportList } from './import-list.js';
import { ImportChange, ImportChangeQuery, ImportFault, ImportQuery, ImportView } from './imports.dto.js';
import { Imports } from './imports.service.js';

/** Shows the progress of imports and the faults of their lines. Each room receives its own files. */
@ApiTags('imports')
@Controller('imports')
export class ImportsController {
  constructor(
    private readonly imports: ImportList,
    private readonly applying: Imports,
  ) {}

  @Get()
  @Access('member', 'watched:read')
  @ApiOperation({ summary: 'Imports, newest first, including running ones' })
  @ApiPage(ImportView)
  list(@Caller() caller: TenantCaller, @Query() query: ImportQuery): Promise<Page<ImportView>> {
    return this.imports.list(caller.tenant_id, query);
  }

  @Get(':id')
  @Access('member', 'watched:read')
  @ApiOperation({ summary: 'Progress and result of an import' })
  @ApiOkResponse({ type: ImportView })
  get(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<ImportView> {
    return this.imports.get(caller.tenant_id, id);
  }

  @Get(':id/changes')
  @Access('member', 'watched:read')
  @ApiOperation({
    summary: 'What a dry run found: items to create, to change, and missing ones',
    description: 'The first 10,000 changes are kept; the import counts all.',
  })
  @ApiCountedPage(ImportChange)
  changes(
    @Caller() caller: TenantCaller,
    @IdParam() id: string,
    @Query() query: ImportChangeQuery,
  ): Promise<CountedPage<ImportChange>> {
    return this.imports.changes(caller.tenant_id, id, query);
  }

  @Post(':id/apply')
  @HttpCode(200)
  @Access('member', 'watched:write')
  @ApiOperation({
    summary: 'Apply a dry run',
    description:
      'Repeating it changes nothing. If the items have changed so that it would create or update another number of ' +
      'items, nothing is applied (409 `count_changed`), and the dry run has the new changes.',
  })
  @ApiOkResponse({ type: ImportView })
  async apply(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<ImportView> {
    await this.checkCaller(caller, id);
    return this.applying.applyStaged(caller.tenant_id, id);
  }

  @Delete(':id')
  @HttpCode(204)
  @Access('member', 'watched:write')
  @ApiOperation({ summary: 'Discard a dry run' })
  @ApiNoContentResponse()
  async discard(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<void> {
    await this.checkCaller(caller, id);
    return this.imports.discard(caller.tenant_id, id);
  }

  @Get(':id/faults')
  @Access('member', 'watched:read')
  @ApiOperation({
    summary: 'The rejected lines, with reasons',
    description: 'The first 10,000 faults are kept; `rejected` counts all lines.',
  })
  @ApiPage(ImportFault)
  faults(
    @Caller() caller: TenantCaller,
    @IdParam() id: string,
    @Query() query: PageQuery,
  ): Promise<Page<ImportFault>> {
    return this.imports.faults(caller.tenant_id, id, query);
  }

  private async checkCaller(caller: TenantCaller, id: string): Promise<void> {
    const { kind } = await this.imports.get(caller.tenant_id, id);
    this.applying.checkCaller(caller, kind);
  }
}
