import { Injectable, type OnModuleInit } from '@nestjs/common';
import { RunHandlers } from '../platform/runs/run-handlers.js';

/** Stands in for the scan until it is there. */
@Injectable()
export class TemporaryHandlers implements OnModuleInit {
  constructor(private readonly runs: RunHandlers) {}

  onModuleInit(): void {
    this.runs.register('check-backups', () => Promise.resolve({}));
    this.runs.register('scan-backups', () => Promise.resolve({}));
  }
}
