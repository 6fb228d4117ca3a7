import { Module } from '@nestjs/common';
import { ImportsModule } from '../imports/imports.module.js';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { BackupBoardController } from './backup-board.controller.js';
import { BackupBoards } from './backup-board.service.js';
import { BackupJobsController } from './backup-jobs.controller.js';
import { BackupJobs } from './backup-jobs.service.js';
import { BackupRecordsController } from './backup-records.controller.js';
import { BackupRecords } from './backup-records.service.js';
import { TemporaryHandlers } from './temporary-handlers.js';

/** Backups under surveillance: what is expected, what came, and what it is worth. */
@Module({
  imports: [ImportsModule, NotificationsModule],
  controllers: [BackupBoardController, BackupJobsController, BackupRecordsController],
  providers: [BackupBoards, BackupJobs, BackupRecords, TemporaryHandlers],
})
export class BackupsModule {}
