import { Module } from '@nestjs/common';
import { ImportsModule } from '../imports/imports.module.js';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { BackupJobsController } from './backup-jobs.controller.js';
import { BackupJobs } from './backup-jobs.service.js';
import { TemporaryHandlers } from './temporary-handlers.js';

/** Backups under surveillance: what is expected, what came, and what it is worth. */
@Module({
  imports: [ImportsModule, NotificationsModule],
  controllers: [BackupJobsController],
  providers: [BackupJobs, TemporaryHandlers],
})
export class BackupsModule {}
