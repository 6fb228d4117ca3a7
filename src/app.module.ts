import { type DynamicModule, Module, type OnModuleDestroy } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { ClsModule } from 'nestjs-cls';
import { AuthModule } from './auth/auth.module.js';
import { BackupsModule } from './backups/backups.module.js';
import { DeadlinesModule } from './deadlines/deadlines.module.js';
import { DocumentsModule } from './documents/documents.module.js';
import { TasksModule } from './tasks/tasks.module.js';
import { DigestModule } from './digest/digest.module.js';
import { DeliveryModule } from './delivery/delivery.module.js';
import { DirectSending } from './delivery/sending/direct-sending.js';
import { Presence } from './delivery/dispatch/presence.js';
import { ImportsModule } from './imports/imports.module.js';
import { NotificationsModule } from './notifications/notifications.module.js';
import { Health } from './ops/health/health.service.js';
import { OpsModule } from './ops/ops.module.js';
import { AuditModule } from './platform/audit/audit.module.js';
import type { Clock } from './platform/clock/clock.js';
import { ClockModule } from './platform/clock/clock.module.js';
import type { Config } from './platform/config/config.js';
import { ConfigModule } from './platform/config/config.module.js';
import { DatabaseModule } from './platform/database/database.module.js';
import { HttpModule } from './platform/http/http.module.js';
import { EncryptionModule } from './platform/encryption/encryption.module.js';
import { MetricsModule } from './platform/metrics/metrics.module.js';
import { OverviewModule } from './overview/overview.module.js';
import { QueuesModule } from './platform/queues/queues.module.js';
import { Workers } from './platform/queues/workers.js';
import { RemindersModule } from './reminders/reminders.module.js';
import { RunsModule } from './runs/runs.module.js';
import { RealtimeModule } from './realtime/realtime.module.js';
import { SchedulerModule } from './scheduler/scheduler.module.js';
import { TenantsModule } from './tenants/tenants.module.js';
import { UsersModule } from './users/users.module.js';

/** The rooms of Vigie. ARCHITECTURE.md says what each contains and which imports are allowed. */
@Module({})
export class AppModule implements OnModuleDestroy {
  constructor(
    private readonly health: Health,
    private readonly presence: Presence,
    private readonly workers: Workers,
    private readonly direct: DirectSending,
  ) {}

  /** Nest destroys the root module first, while mail transport, pools and sockets still exist. */
  async onModuleDestroy(): Promise<void> {
    this.health.stop();
    await this.presence.leave();
    await Promise.all([this.workers.drain(), this.direct.drain()]);
  }

  static forRoot(config: Config, clock: Clock): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(config),
        ClockModule.forRoot(clock),
        ClsModule.forRoot({ global: true, middleware: { mount: false } }),
        ScheduleModule.forRoot(),
        MetricsModule,
        EncryptionModule,
        DatabaseModule.forRoot(config),
        QueuesModule.forRoot(config),
        RunsModule,
        HttpModule,
        AuditModule,
        TenantsModule,
        UsersModule,
        AuthModule,
        DeliveryModule,
        NotificationsModule,
        ImportsModule,
        DeadlinesModule,
        DocumentsModule,
        TasksModule,
        RemindersModule,
        BackupsModule,
        DigestModule,
        SchedulerModule,
        OverviewModule,
        OpsModule,
        ...(config.roles.includes('web') ? [RealtimeModule] : []),
      ],
    };
  }
}
