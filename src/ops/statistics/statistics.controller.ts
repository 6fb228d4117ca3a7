import { Controller, Get, Query } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Access, AdminOrOperator, type AnyCaller } from '../../platform/http/caller.js';
import { AdminTenant } from '../admin-tenant.js';
import { TenantQuery } from '../admin.dto.js';
import { DailyStatistics, DailyStatisticsQuery } from './daily-statistics.dto.js';
import { DailyStatisticsReader } from './daily-statistics.service.js';
import { ChannelQuota, ChannelStatistics, TenantStatistics } from './statistics.dto.js';
import { TenantStatisticsReader } from './statistics.service.js';

/** Statistics of a tenant's deliveries. */
@Controller('admin/statistics')
export class StatisticsController {
  constructor(
    private readonly statistics: TenantStatisticsReader,
    private readonly daily: DailyStatisticsReader,
    private readonly tenants: AdminTenant,
  ) {}

  @Get()
  @Access('admin_or_operator', 'admin')
  @ApiOperation({ summary: "Statistics of the tenant's deliveries" })
  @ApiExtraModels(ChannelQuota, ChannelStatistics)
  @ApiOkResponse({ type: TenantStatistics })
  async get(
    @AdminOrOperator() caller: AnyCaller,
    @Query() { tenant }: TenantQuery,
  ): Promise<TenantStatistics> {
    const tenantId = await this.tenants.of(caller, tenant);
    return this.statistics.of(tenantId, { acrossTenants: caller.kind === 'operator' });
  }

  @Get('days')
  @Access('admin_or_operator', 'admin')
  @ApiOperation({ summary: 'Outcomes of the deliveries by day, channel and kind, and how long they took' })
  @ApiOkResponse({ type: DailyStatistics })
  async days(
    @AdminOrOperator() caller: AnyCaller,
    @Query() { tenant, days }: DailyStatisticsQuery,
  ): Promise<DailyStatistics> {
    return this.daily.of(await this.tenants.of(caller, tenant), days);
  }
}
