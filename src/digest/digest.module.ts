import { Module } from '@nestjs/common';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { WeeklySummary } from './weekly-summary.js';

@Module({ imports: [NotificationsModule], providers: [WeeklySummary] })
export class DigestModule {}
