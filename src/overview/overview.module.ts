import { Module } from '@nestjs/common';
import { BackupsModule } from '../backups/backups.module.js';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { SchedulerModule } from '../scheduler/scheduler.module.js';
import { OverviewController } from './overview.controller.js';
import { OverviewReader } from './overview.service.js';

@Module({
  imports: [BackupsModule, NotificationsModule, SchedulerModule],
  controllers: [OverviewController],
  providers: [OverviewReader],
})
export class OverviewModule {}
