import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { AuditLog, type AuditRow } from '../../platform/audit/audit-log.js';
import { Access, AdminOrOperator, type AnyCaller } from '../../platform/http/caller.js';
import type { Page } from '../../platform/http/cursor.js';
import { AdminTenant } from '../admin-tenant.js';
import { AuditFilter, AuditPage } from './audit.dto.js';

/** The acts of admins and operators. */
@Controller('admin/audit')
export class AdminAuditController {
  constructor(
    private readonly log: AuditLog,
    private readonly tenants: AdminTenant,
  ) {}

  @Get()
  @Access('admin_or_operator', 'admin')
  @ApiOperation({
    summary: 'Actions and attempts of admins and operators, newest first',
    description:
      "A tenant's admins see their tenant's log: actions of its admins and keys, and actions of operators on " +
      'its data. Operators name a tenant, or see the log of the installation: their own sign-ins, tenants ' +
      'created, changed and deleted, and all else that concerns no single tenant.',
  })
  @ApiOkResponse({ type: AuditPage })
  async list(
    @AdminOrOperator() caller: AnyCaller,
    @Query() { tenant, since, until, ...query }: AuditFilter,
  ): Promise<Page<AuditRow>> {
    const ofInstallation = caller.kind === 'operator' && tenant === undefined;
    return this.log.list(ofInstallation ? null : await this.tenants.of(caller, tenant), {
      ...query,
      since: since === undefined ? undefined : new Date(since),
      until: until === undefined ? undefined : new Date(until),
    });
  }
}
