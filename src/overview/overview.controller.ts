import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, Caller, type TenantCaller } from '../platform/http/caller.js';
import { Overview } from './overview.dto.js';
import { OverviewReader } from './overview.service.js';

/** The first page of the console. */
@ApiTags('overview')
@Controller('overview')
export class OverviewController {
  constructor(private readonly overview: OverviewReader) {}

  @Get()
  @Access('self')
  @ApiOperation({
    summary: 'What is late, due, awaited and not backed up, and what Vigie did about it',
    description: 'Members get their own items; admins all of the tenant.',
  })
  @ApiOkResponse({ type: Overview })
  get(@Caller() { tenant_id, user_id, role }: TenantCaller): Promise<Overview> {
    return this.overview.read(tenant_id, role === 'admin' ? null : user_id);
  }
}
