import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type Run, RunHandlers } from '../platform/runs/run-handlers.js';
import { BackupAnnouncements } from './announcements.js';

/** Stands in for the scan. */
@Injectable()
export class TemporaryHandlers implements OnModuleInit {
  constructor(
    private readonly runs: RunHandlers,
    private readonly announcements: BackupAnnouncements,
  ) {}

  onModuleInit(): void {
    const tell = (run: Run) => this.announcements.tellNew(run.tenant_id, run.signal);
    this.runs.register('scan-backups', tell);
    this.runs.register('check-backups', async (run) => ({
      ...(await tell(run)),
      ...(await this.announcements.remindAll(run.tenant_id, run.signal)),
    }));
  }
}
