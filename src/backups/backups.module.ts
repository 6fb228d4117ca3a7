import { Module } from '@nestjs/common';
import { ImportsModule } from '../imports/imports.module.js';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { TenantsModule } from '../tenants/tenants.module.js';
import { BackupAnnouncements } from './alerts/announcements.js';
import { RejectedReports } from './alerts/rejected-reports.js';
import { SilentAgents } from './alerts/silent-agents.js';
import { ReportArchiver } from './scan/report-archiver.js';
import { BackupBoardController } from './board/backup-board.controller.js';
import { BackupBarsReader } from './board/backup-bars.service.js';
import { BackupBoards } from './board/backup-board.service.js';
import { BackupForecast } from './board/backup-forecast.js';
import { BackupSummaries } from './board/backup-summary.js';
import { BackupJobsController } from './jobs/backup-jobs.controller.js';
import { BackupJobs } from './jobs/backup-jobs.service.js';
import { BackupRecordsController } from './board/backup-records.controller.js';
import { BackupRecords } from './board/backup-records.service.js';
import { BackupNotesController } from './notes/notes.controller.js';
import { BackupNotes } from './notes/notes.service.js';
import { ReportCollector } from './scan/report-collector.js';
import { InboxRetention } from './files/inbox-retention.js';
import { Entries } from './scan/entries.js';
import { EntryEvaluator } from './scan/entry-evaluator.js';
import { FileVerifier } from './scan/file-verifier.js';
import { MissingBackups } from './scan/missing-backups.js';
import { StoreWriter } from './scan/store-writer.js';
import { ReportsController } from './reports/reports.controller.js';
import { Reports } from './reports/reports.service.js';
import { BackupStore } from './store/backup-store.js';
import { Retention } from './store/retention.js';
import { ScanJobs } from './scan/scan-jobs.js';
import { StagedActs } from './scan/staged-acts.js';
import { Verification } from './store/verification.js';

/** Backup surveillance: expected backups, reports, verdicts and the store. */
@Module({
  imports: [ImportsModule, NotificationsModule, TenantsModule],
  controllers: [
    BackupBoardController,
    BackupJobsController,
    BackupNotesController,
    BackupRecordsController,
    ReportsController,
  ],
  providers: [
    // REST services.
    BackupJobs,
    BackupBarsReader,
    BackupBoards,
    BackupNotes,
    BackupRecords,
    BackupForecast,
    BackupSummaries,
    Reports,
    // The phases of a scan.
    ScanJobs,
    ReportCollector,
    EntryEvaluator,
    FileVerifier,
    StoreWriter,
    MissingBackups,
    Entries,
    StagedActs,
    ReportArchiver,
    BackupAnnouncements,
    RejectedReports,
    SilentAgents,
    // The store, and the cleanup of the inbox.
    InboxRetention,
    BackupStore,
    Retention,
    Verification,
  ],
  exports: [BackupForecast, BackupSummaries, InboxRetention, Verification],
})
export class BackupsModule {}
