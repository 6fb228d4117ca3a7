import { Module } from '@nestjs/common';
import { TemporaryHandlers } from './temporary-handlers.js';

/** Backups under surveillance: what is expected, what came, and what it is worth. */
@Module({ providers: [TemporaryHandlers] })
export class BackupsModule {}
