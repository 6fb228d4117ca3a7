import { Module } from '@nestjs/common';
import { BackupForecast } from './backup-forecast.js';
import { TemporaryHandlers } from './temporary-handlers.js';

/** Backups under surveillance: what is expected, what came, and what it is worth. */
@Module({ providers: [BackupForecast, TemporaryHandlers], exports: [BackupForecast] })
export class BackupsModule {}
