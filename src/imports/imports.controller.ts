import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiPage } from '../platform/http/api-page.js';
import { Access, Caller, type TenantCaller } from '../platform/http/caller.js';
import type { Page } from '../platform/http/cursor.js';
import { IdParam } from '../platform/http/id-param.js';
import { PageQuery } from '../platform/http/page.dto.js';
import { ImportList } from './import-list.js';
import { ImportFault, ImportQuery, ImportView } from './imports.dto.js';

/** Shows the progress of imports and the faults of their lines. Each room receives its own files. */
@ApiTags('imports')
@Controller('imports')
export class ImportsController {
  constructor(private readonly imports: ImportList) {}

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
}
