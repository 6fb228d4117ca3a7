import { Module } from '@nestjs/common';
import { RunLedger } from './run-ledger.js';
import { SchedulerPoller } from './scheduler.poller.js';
import { Scheduler } from './scheduler.service.js';

/** Only *when*: which slot of which tenant is owed, the ledger of runs, and handing them to the queues. */
@Module({ providers: [RunLedger, Scheduler, SchedulerPoller], exports: [Scheduler] })
export class SchedulerModule {}
