import { Injectable, Logger } from '@nestjs/common';
import { runDeclaration, type RunJob, SCHEDULED_JOBS, type ScheduledJob } from '../contracts/jobs.js';
import { Metrics } from '../platform/metrics/metrics.js';

/**
 * Runs of this process that exceeded their time limit and whose handler has not returned: something they wait for
 * hangs. Their leases expire, so that another process may retry; this process starts no more runs of these jobs for the
 * tenant.
 */
@Injectable()
export class OverdueRuns {
  private readonly logger = new Logger('Runs');
  /** By lease token. */
  private readonly runs = new Map<string, { tenant_id: string; job: ScheduledJob }>();

  constructor(private readonly metrics: Metrics) {}

  /** Operators see it in this log line and the gauge `vigie_runs_overdue`. */
  add(job: ScheduledJob, { tenant_id, run_id, lease_token }: RunJob): void {
    this.runs.set(lease_token, { tenant_id, job });
    this.measure();
    const { max_minutes } = runDeclaration(job);
    this.logger.error({ event: 'run_overdue', tenant_id, run_id, job, max_minutes });
  }

  remove({ lease_token }: RunJob): void {
    if (this.runs.delete(lease_token)) this.measure();
  }

  /** Whether a run of one of these jobs for this tenant is overdue here. */
  includes(tenantId: string, jobs: readonly ScheduledJob[]): boolean {
    for (const { tenant_id, job } of this.runs.values()) {
      if (tenant_id === tenantId && jobs.includes(job)) return true;
    }
    return false;
  }

  private measure(): void {
    const all = [...this.runs.values()];
    this.metrics.replace(
      'vigie_runs_overdue',
      SCHEDULED_JOBS.map((job) => [{ job }, all.filter((run) => run.job === job).length]),
    );
  }
}
