import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { BackupsModule } from '../backups/backups.module.js';
import { DeliveryModule } from '../delivery/delivery.module.js';
import { SchedulerModule } from '../scheduler/scheduler.module.js';
import { TenantsModule } from '../tenants/tenants.module.js';
import { AdminAuditController } from './admin-audit.controller.js';
import { AdminInstallationController } from './admin-installation.controller.js';
import { AdminProcessController } from './admin-process.controller.js';
import { AdminQueuesController } from './admin-queues.controller.js';
import { AdminSchedulerController } from './admin-scheduler.controller.js';
import { AdminTenant } from './admin-tenant.js';
import { BackupsScanController } from './backups-scan.controller.js';
import { Cleanup } from './cleanup.js';
import { Connections } from './connections.service.js';
import { Gauges } from './gauges.js';
import { HealthController } from './health.controller.js';
import { Health } from './health.service.js';
import { MetricsController } from './metrics.controller.js';
import { StatisticsController } from './statistics.controller.js';
import { TenantStatisticsReader } from './statistics.service.js';
import { LoginPageController } from './login-page.controller.js';
import { QueueAdmin } from './queue-admin.service.js';
import { Triggers } from './triggers.service.js';

/** What those who run Vigie look at and do. */
@Module({
  imports: [AuthModule, BackupsModule, DeliveryModule, SchedulerModule, TenantsModule],
  controllers: [
    AdminAuditController,
    AdminInstallationController,
    AdminProcessController,
    AdminQueuesController,
    AdminSchedulerController,
    BackupsScanController,
    HealthController,
    LoginPageController,
    MetricsController,
    StatisticsController,
  ],
  providers: [
    AdminTenant,
    Cleanup,
    Connections,
    Gauges,
    Health,
    QueueAdmin,
    TenantStatisticsReader,
    Triggers,
  ],
  exports: [Health, QueueAdmin],
})
export class OpsModule {}
