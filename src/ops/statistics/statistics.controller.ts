import { Controller, Get, Query } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Access, AdminOrOperator, type AnyCaller } from '../../platform/http/caller.js';
import { AdminTenant } from '../admin-tenant.js';
import { TenantQuery } from '../admin.dto.js';
import { ChannelStatistics, TenantStatistics } from './statistics.dto.js';
import { TenantStatisticsReader } from './statistics.service.js';

/** Statistics of a tenant's deliveries. */
@Controller('admin/statistics')
export class StatisticsController {
  constructor(
    private readonly statistics: TenantStatisticsReader,
    private readonly tenants: AdminTenant,
  ) {}

  @Get()
  @Access('admin_or_operator', 'admin')
  @ApiOperation({ summary: "Statistics of the tenant's deliveries" })
  @ApiExtraModels(ChannelStatistics)
  @ApiOkResponse({ type: TenantStatistics })
  async get(
    @AdminOrOperator() caller: AnyCaller,
    @Query() { tenant }: TenantQuery,
  ): Promise<TenantStatistics> {
    return this.statistics.of(await this.tenants.of(caller, tenant));
  }
}
