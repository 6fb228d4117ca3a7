import { Module } from '@nestjs/common';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { BackupAnnouncements } from './announcements.js';
import { Archiving } from './archiving.js';
import { BackupForecast } from './backup-forecast.js';
import { Collecting } from './collecting.js';
import { Entries } from './entries.js';
import { Evaluating } from './evaluating.js';
import { Judging } from './judging.js';
import { Missing } from './missing.js';
import { Promoting } from './promoting.js';
import { Reports } from './reports.service.js';
import { ReportsController } from './reports.controller.js';
import { Retention } from './retention.js';
import { Scans } from './scans.js';
import { StagedActs } from './staged-acts.js';

@Module({
  imports: [NotificationsModule],
  controllers: [ReportsController],
  providers: [
    Reports,
    Scans,
    Collecting,
    Evaluating,
    Judging,
    Promoting,
    Entries,
    StagedActs,
    Missing,
    Archiving,
    Retention,
    BackupAnnouncements,
    BackupForecast,
  ],
  exports: [BackupForecast],
})
export class BackupsModule {}
