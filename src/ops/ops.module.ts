import { Module } from '@nestjs/common';
import { SchedulerModule } from '../scheduler/scheduler.module.js';
import { TenantsModule } from '../tenants/tenants.module.js';
import { AdminAuditController } from './admin-audit.controller.js';
import { AdminSchedulerController } from './admin-scheduler.controller.js';
import { AdminTenant } from './admin-tenant.js';
import { Cleanup } from './cleanup.js';
import { HealthController } from './health.controller.js';
import { Health } from './health.service.js';
import { StatisticsController } from './statistics.controller.js';
import { TenantStatisticsReader } from './statistics.service.js';
import { Triggers } from './triggers.service.js';

/** What those who run Vigie look at and do. */
@Module({
  imports: [SchedulerModule, TenantsModule],
  controllers: [AdminAuditController, AdminSchedulerController, HealthController, StatisticsController],
  providers: [AdminTenant, Cleanup, Health, TenantStatisticsReader, Triggers],
  exports: [Health],
})
export class OpsModule {}
