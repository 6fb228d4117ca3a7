import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { BackupsModule } from '../backups/backups.module.js';
import { DeliveryModule } from '../delivery/delivery.module.js';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { SchedulerModule } from '../scheduler/scheduler.module.js';
import { TenantsModule } from '../tenants/tenants.module.js';
import { UsersModule } from '../users/users.module.js';
import { WordingModule } from '../wording/wording.module.js';
import { AdminAuditController } from './audit/admin-audit.controller.js';
import { AdminInstallationController } from './health/admin-installation.controller.js';
import { AdminProcessController } from './scheduler/admin-process.controller.js';
import { AdminQueuesController } from './queues/admin-queues.controller.js';
import { AdminSchedulerController } from './scheduler/admin-scheduler.controller.js';
import { ActivityController } from './activity/activity.controller.js';
import { ActivityReader } from './activity/activity.service.js';
import { TimelineReader } from './activity/timeline.service.js';
import { AdminTenant } from './admin-tenant.js';
import { BackupsScanController } from './scheduler/backups-scan.controller.js';
import { ArchiveCatalog } from './archives/archive-catalog.js';
import { ArchiveRecords } from './archives/archive-records.js';
import { Archiving } from './archives/archiving.js';
import { Chunks } from './archives/chunks.js';
import { Pace } from './archives/pace.js';
import { Restoring } from './archives/restoring.js';
import { Rewriting } from './archives/rewriting.js';
import { Retention } from './archives/retention.js';
import { Sealing } from './archives/sealing.js';
import { Cleanup } from './cleanup.js';
import { DeadLettersController } from './dead-letters/dead-letters.controller.js';
import { Connections } from './health/connections.service.js';
import { Gauges } from './health/gauges.js';
import { HealthController } from './health/health.controller.js';
import { Health } from './health/health.service.js';
import { MetricsController } from './health/metrics.controller.js';
import { StatisticsController } from './statistics/statistics.controller.js';
import { DailyStatisticsReader } from './statistics/daily-statistics.service.js';
import { TenantStatisticsReader } from './statistics/statistics.service.js';
import { LoginPageController } from './login/login-page.controller.js';
import { ArchiveErasure } from './privacy/erasure/archive-erasure.js';
import { ErasureController } from './privacy/erasure/erasure.controller.js';
import { Erasures } from './privacy/erasure/erasures.service.js';
import { ErasureSteps } from './privacy/erasure/erasure-steps.js';
import { ErasureWork } from './privacy/erasure/erasure-work.js';
import { PersonExportController } from './privacy/person-export.controller.js';
import { PersonExports } from './privacy/exports.service.js';
import { Subjects } from './privacy/subject.js';
import { QueueAdmin } from './queues/queue-admin.service.js';
import { PreviewEntries } from './preview/preview-entries.js';
import { Previews } from './preview/previews.service.js';
import { LIMITS, PREVIEW_LIMITS, RehearsedDay } from './preview/rehearsed-day.js';
import { TenantList } from './tenants/tenant-list.service.js';
import { TenantListController } from './tenants/tenant-list.controller.js';
import { Triggers } from './scheduler/triggers.service.js';
import { Absences } from './trace/absence.js';
import { FindFacts } from './trace/find-facts.js';
import { Recipients } from './trace/recipients.js';
import { WhyController } from './trace/why.controller.js';
import { Whys } from './trace/why.service.js';

/** Views and actions for operators and admins. */
@Module({
  imports: [
    AuthModule,
    BackupsModule,
    DeliveryModule,
    NotificationsModule,
    SchedulerModule,
    TenantsModule,
    UsersModule,
    WordingModule,
  ],
  controllers: [
    ActivityController,
    AdminAuditController,
    AdminInstallationController,
    AdminProcessController,
    AdminQueuesController,
    AdminSchedulerController,
    BackupsScanController,
    DeadLettersController,
    ErasureController,
    HealthController,
    LoginPageController,
    MetricsController,
    PersonExportController,
    StatisticsController,
    TenantListController,
    WhyController,
  ],
  providers: [
    Absences,
    ActivityReader,
    AdminTenant,
    ArchiveCatalog,
    ArchiveErasure,
    ArchiveRecords,
    Archiving,
    Chunks,
    Cleanup,
    Connections,
    DailyStatisticsReader,
    Erasures,
    ErasureSteps,
    ErasureWork,
    FindFacts,
    Gauges,
    Health,
    Pace,
    PersonExports,
    PreviewEntries,
    Previews,
    { provide: PREVIEW_LIMITS, useValue: LIMITS },
    RehearsedDay,
    QueueAdmin,
    Recipients,
    Restoring,
    Retention,
    Rewriting,
    Sealing,
    Subjects,
    TenantList,
    TenantStatisticsReader,
    TimelineReader,
    Triggers,
    Whys,
  ],
  exports: [ArchiveCatalog, Erasures, Health, PersonExports, Previews, QueueAdmin, Restoring, Subjects, Whys],
})
export class OpsModule {}
