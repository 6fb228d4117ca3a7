import { Module } from '@nestjs/common';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { BackupAnnouncements } from './announcements.js';
import { TemporaryHandlers } from './temporary-handlers.js';

/** Backups under surveillance: what is expected, what agents reported, and what was found. */
@Module({
  imports: [NotificationsModule],
  providers: [BackupAnnouncements, TemporaryHandlers],
})
export class BackupsModule {}
