import { Module } from '@nestjs/common';
import { ImportsModule } from '../imports/imports.module.js';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { BackupAnnouncements } from './announcements.js';
import { Archiving } from './archiving.js';
import { BackupBoardController } from './backup-board.controller.js';
import { BackupBoards } from './backup-board.service.js';
import { BackupForecast } from './backup-forecast.js';
import { BackupJobsController } from './backup-jobs.controller.js';
import { BackupJobs } from './backup-jobs.service.js';
import { BackupRecordsController } from './backup-records.controller.js';
import { BackupRecords } from './backup-records.service.js';
import { Collecting } from './collecting.js';
import { Entries } from './entries.js';
import { Evaluating } from './evaluating.js';
import { Judging } from './judging.js';
import { Missing } from './missing.js';
import { Promoting } from './promoting.js';
import { ReportsController } from './reports.controller.js';
import { Reports } from './reports.service.js';
import { Retention } from './retention.js';
import { ScanJobs } from './scan-jobs.js';
import { StagedActs } from './staged-acts.js';
import { Verification } from './verification.js';

/** Backups under surveillance: what is expected, what came, and what it is worth. */
@Module({
  imports: [ImportsModule, NotificationsModule],
  controllers: [BackupBoardController, BackupJobsController, BackupRecordsController, ReportsController],
  providers: [
    // Read and written by people and programs.
    BackupJobs,
    BackupBoards,
    BackupRecords,
    BackupForecast,
    Reports,
    // The scan, by its phases.
    ScanJobs,
    Collecting,
    Evaluating,
    Judging,
    Promoting,
    Missing,
    Entries,
    StagedActs,
    Archiving,
    BackupAnnouncements,
    // What is stored.
    Retention,
    Verification,
  ],
  exports: [BackupForecast, Verification],
})
export class BackupsModule {}
