import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { BackupsModule } from '../backups/backups.module.js';
import { DeliveryModule } from '../delivery/delivery.module.js';
import { SchedulerModule } from '../scheduler/scheduler.module.js';
import { TenantsModule } from '../tenants/tenants.module.js';
import { WordingModule } from '../wording/wording.module.js';
import { AdminAuditController } from './audit/admin-audit.controller.js';
import { AdminInstallationController } from './health/admin-installation.controller.js';
import { AdminProcessController } from './scheduler/admin-process.controller.js';
import { AdminQueuesController } from './queues/admin-queues.controller.js';
import { AdminSchedulerController } from './scheduler/admin-scheduler.controller.js';
import { AdminTenant } from './admin-tenant.js';
import { BackupsScanController } from './scheduler/backups-scan.controller.js';
import { Cleanup } from './cleanup.js';
import { Connections } from './health/connections.service.js';
import { Gauges } from './health/gauges.js';
import { HealthController } from './health/health.controller.js';
import { Health } from './health/health.service.js';
import { MetricsController } from './health/metrics.controller.js';
import { StatisticsController } from './statistics/statistics.controller.js';
import { TenantStatisticsReader } from './statistics/statistics.service.js';
import { LoginPageController } from './login/login-page.controller.js';
import { QueueAdmin } from './queues/queue-admin.service.js';
import { Triggers } from './scheduler/triggers.service.js';

/** Views and actions for operators and admins. */
@Module({
  imports: [AuthModule, BackupsModule, DeliveryModule, SchedulerModule, TenantsModule, WordingModule],
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
