import { Controller, Get, Query, type StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import {
  Access,
  AdminOrOperator,
  type AnyCaller,
  Caller,
  CallerUserId,
  type TenantCaller,
} from '../../platform/http/caller.js';
import { IdParam } from '../../platform/http/id-param.js';
import { AdminTenant } from '../admin-tenant.js';
import { PersonExports } from './exports.service.js';
import { ndjson } from './ndjson.js';
import { AddressQuery } from './privacy.dto.js';
import { type Subject, Subjects } from './subject.js';

const LINES = {
  description:
    'One JSON object per line, its kind in `record`. The last line is `{"record":"end","counts":{…}}`; without it ' +
    'the export is incomplete.',
  content: { 'application/x-ndjson': { schema: { type: 'string' } } },
} as const;

/** Everything that Vigie keeps about one person. */
@Controller()
export class PersonExportController {
  constructor(
    private readonly tenants: AdminTenant,
    private readonly subjects: Subjects,
    private readonly exports: PersonExports,
  ) {}

  @Get('users/:id/export')
  @Access('admin', 'admin')
  @ApiOperation({ summary: 'Everything that is kept about a user' })
  @ApiOkResponse(LINES)
  async user(@Caller() { tenant_id }: TenantCaller, @IdParam() id: string): Promise<StreamableFile> {
    return this.stream(tenant_id, await this.subjects.ofUser(tenant_id, id));
  }

  @Get('me/export')
  @Access('self')
  @ApiOperation({ summary: 'Everything that is kept about you' })
  @ApiOkResponse(LINES)
  async me(@Caller() { tenant_id }: TenantCaller, @CallerUserId() id: string): Promise<StreamableFile> {
    return this.stream(tenant_id, await this.subjects.ofUser(tenant_id, id));
  }

  @Get('admin/privacy/export')
  @Access('admin_or_operator', 'admin')
  @ApiOperation({
    summary: 'Everything that is kept about the person with this address',
    description: 'If a user of the tenant has the address, it is the export of that user.',
  })
  @ApiOkResponse(LINES)
  async address(
    @AdminOrOperator() caller: AnyCaller,
    @Query() { tenant, address }: AddressQuery,
  ): Promise<StreamableFile> {
    const tenantId = await this.tenants.of(caller, tenant);
    return this.stream(tenantId, await this.subjects.ofAddress(tenantId, address));
  }

  private stream(tenantId: string, subject: Subject): StreamableFile {
    return ndjson((write) => this.exports.write(tenantId, subject, write));
  }
}
