import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { RunCounts } from '../contracts/jobs.js';
import { Clock } from '../platform/clock/clock.js';
import { civilDate } from '../platform/clock/civil-time.js';
import { Database, type TenantStatements } from '../platform/database/database.js';
import { type Run, RunHandlers } from '../platform/runs/run-handlers.js';
import { effectiveSettings, type TenantSettings } from '../tenants/tenant-settings.js';
import { Alerts } from './alerts.service.js';
import { WatchedKinds } from './watched.js';

/** The jobs `check-notifications` and `update-statuses`: all that is watched, for one tenant. */
@Injectable()
export class CheckJobs implements OnModuleInit {
  constructor(
    private readonly runs: RunHandlers,
    private readonly database: Database,
    private readonly watchedKinds: WatchedKinds,
    private readonly alerts: Alerts,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.runs.register('check-notifications', (run) => this.check(run));
    this.runs.register('update-statuses', (run) => this.updateStatuses(run));
  }

  /** A transaction a kind: inboxes are locked in user order within one, and none is held for long. */
  private async check(run: Run): Promise<RunCounts> {
    const totals: RunCounts = {};
    const { today, settings } = await this.tenantToday(this.database.single(run.tenant_id));
    for (const watched of this.watchedKinds.all()) {
      run.signal.throwIfAborted();
      const counts = await this.database.tenant(run.tenant_id, (tx) =>
        this.alerts.check(tx, watched, today, watched.stages(settings)),
      );
      for (const [name, count] of Object.entries(counts)) totals[name] = (totals[name] ?? 0) + count;
    }
    return totals;
  }

  private async updateStatuses(run: Run): Promise<RunCounts> {
    return this.database.tenant(run.tenant_id, async (tx) => {
      const { today } = await this.tenantToday(tx);
      const counts: RunCounts = {};
      for (const { source_type, overdueSql } of this.watchedKinds.all()) {
        if (overdueSql === undefined) continue;
        counts[source_type] = await tx.execute(overdueSql, [tx.tenant_id, today, this.clock.now()]);
      }
      return counts;
    });
  }

  private async tenantToday(
    tenantSql: TenantStatements,
  ): Promise<{ today: string; settings: TenantSettings }> {
    const tenant = await tenantSql.one<{ time_zone: string; settings: unknown }>(
      `SELECT time_zone, settings FROM tenants WHERE id = $1`,
      [tenantSql.tenant_id],
    );
    if (tenant === null) throw new Error('the tenant is no longer there');
    return {
      today: civilDate(this.clock.now(), tenant.time_zone),
      settings: effectiveSettings(tenant.settings),
    };
  }
}
