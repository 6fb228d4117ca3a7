import { Module } from '@nestjs/common';
import { RunJobs } from '../runs/run-jobs.js';
import { RunLedger } from '../runs/run-ledger.js';
import { RunQueues } from '../runs/run-queues.js';
import { SchedulerPoller } from './scheduler.poller.js';
import { Scheduler } from './scheduler.service.js';

/** Only *when*: which slot of which tenant is owed, the ledger of runs, and handing them to the queues. */
@Module({
  providers: [RunJobs, RunLedger, RunQueues, Scheduler, SchedulerPoller],
  exports: [RunJobs, RunQueues, Scheduler],
})
export class SchedulerModule {}
