import { Global, Module } from '@nestjs/common';
import { MetricsModule } from '../platform/metrics/metrics.module.js';
import { OverdueRuns } from './overdue-runs.js';
import { RunHandlers } from './run-handlers.js';
import { RunJobs } from './run-jobs.js';
import { RunLedger } from './run-ledger.js';
import { RunQueues } from './run-queues.js';
import { RunRecord } from './run-record.js';

/** The ledger of runs: modules register the handlers of jobs, and need not know the schedule. */
@Global()
@Module({
  imports: [MetricsModule],
  providers: [OverdueRuns, RunHandlers, RunJobs, RunLedger, RunQueues, RunRecord],
  exports: [RunHandlers, RunJobs, RunLedger, RunQueues],
})
export class RunsModule {}
