import { Global, Module } from '@nestjs/common';
import { MetricsModule } from '../platform/metrics/metrics.module.js';
import { Heartbeat } from './heartbeat.js';
import { OverdueRuns } from './overdue-runs.js';
import { RunHandlers } from './run-handlers.js';
import { RunHistory } from './run-history.js';
import { RunJobs } from './run-jobs.js';
import { RunLedger } from './run-ledger.js';
import { RunQueues } from './run-queues.js';
import { RunRecord } from './run-record.js';
import { TenantRuns } from './tenant-runs.js';

/** The ledger of runs: modules register the handlers of jobs, and need not know the schedule. */
@Global()
@Module({
  imports: [MetricsModule],
  providers: [
    Heartbeat,
    OverdueRuns,
    RunHandlers,
    RunHistory,
    RunJobs,
    RunLedger,
    RunQueues,
    RunRecord,
    TenantRuns,
  ],
  exports: [RunHandlers, RunHistory, RunJobs, RunLedger, RunQueues, TenantRuns],
})
export class RunsModule {}
