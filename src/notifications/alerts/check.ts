import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { RunCounts } from '../../contracts/jobs.js';
import { Clock } from '../../platform/clock/clock.js';
import { Database } from '../../platform/database/database.js';
import { type RehearsedRun, type Run, RunHandlers, type StatusChange } from '../../runs/run-handlers.js';
import { tenantToday } from '../../tenants/tenant-today.js';
import { Alerts } from './alerts.service.js';
import { SnoozeEnds } from './snooze-ends.js';
import { WatchedKinds } from './watched.js';

/** Changed items of one type in a preview. */
const MAX_CHANGES = 200;

/** The jobs `check-notifications` and `update-statuses`: check all watched kinds for one tenant. */
@Injectable()
export class CheckJobs implements OnModuleInit {
  constructor(
    private readonly runs: RunHandlers,
    private readonly database: Database,
    private readonly watchedKinds: WatchedKinds,
    private readonly alerts: Alerts,
    private readonly snoozeEnds: SnoozeEnds,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.runs.register('check-notifications', (run) => this.check(run));
    this.runs.register(
      'update-statuses',
      (run) => this.updateStatuses(run),
      (run) => this.rehearseStatuses(run),
    );
  }

  /**
   * All kinds in one transaction: the findings of a check leave as one message per person. No check finds reported
   * events, so those whose snooze has ended are announced here.
   */
  private check(run: Run): Promise<RunCounts> {
    return this.database.tenant(run.tenant_id, async (tx) => {
      const { today, settings } = await tenantToday(tx, run.date ?? this.clock.now());
      const kinds = this.watchedKinds.all().map((watched) => ({ watched, stages: watched.stages(settings) }));
      const counts = await this.alerts.check(tx, today, kinds);
      return { ...counts, ...(await this.snoozeEnds.announce(tx, ['event'])) };
    });
  }

  private async updateStatuses(run: Run): Promise<RunCounts> {
    return this.database.tenant(run.tenant_id, async (tx) => {
      const { today } = await tenantToday(tx, run.date ?? this.clock.now());
      const counts: RunCounts = {};
      for (const { source_type, overdueSql } of this.watchedKinds.all()) {
        if (overdueSql === undefined) continue;
        counts[source_type] = await tx.execute(overdueSql, [tx.tenant_id, today, this.clock.now()]);
      }
      return counts;
    });
  }

  /** The same statements, returning the items that they change. */
  private async rehearseStatuses(run: Run): Promise<RehearsedRun> {
    return this.database.tenant(run.tenant_id, async (tx) => {
      const { today } = await tenantToday(tx, run.date ?? this.clock.now());
      const counts: RunCounts = {};
      const changes: StatusChange[] = [];
      for (const { source_type, overdueSql } of this.watchedKinds.all()) {
        if (overdueSql === undefined) continue;
        const changed = await tx.query<StatusChange & { total: number }>(
          `WITH changed AS (${overdueSql} RETURNING id, title, client_name, due_on, responsible_id, status)
           SELECT $4::text AS source_type, changed.*, count(*) OVER () AS total
           FROM changed ORDER BY due_on, id LIMIT ${MAX_CHANGES}`,
          [tx.tenant_id, today, this.clock.now(), source_type],
        );
        counts[source_type] = changed[0]?.total ?? 0;
        changes.push(...changed.map(({ total: _total, ...change }) => change));
      }
      return { counts, changes };
    });
  }
}
