import { Inject, Injectable } from '@nestjs/common';
import { BackupSummaries } from '../backups/board/backup-summary.js';
import { DeliverySummaries } from '../notifications/deliveries/delivery-summary.js';
import { addDays } from '../platform/clock/civil-time.js';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import type { TenantTransaction } from '../platform/database/transaction.js';
import { Scheduler } from '../scheduler/scheduler.service.js';
import type { SchedulerStatus } from '../scheduler/scheduler.dto.js';
import { tenantToday } from '../tenants/tenant-today.js';
import { DOCUMENTS, SECTIONS } from './open-items.sql.js';
import type { AwaitedDocuments, NextRun, Overview, OverviewRun, OverviewSection } from './overview.dto.js';

/** "The next 7 days". */
const WEEK_DAYS = 7;
/** A date after all others: documents are awaited whenever they are due. */
const NO_LIMIT = '9999-12-31';

type SectionRow = OverviewSection & { section: 'late' | 'today' | 'week' };

/** What the first page of the console shows, by one statement for each set. */
@Injectable()
export class OverviewReader {
  constructor(
    private readonly database: Database,
    private readonly backups: BackupSummaries,
    private readonly messages: DeliverySummaries,
    private readonly scheduler: Scheduler,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** @param userId whose items and messages; null: those of everybody in the tenant. */
  async read(tenantId: string, userId: string | null): Promise<Overview> {
    const status = await this.scheduler.status(tenantId);
    return this.database.tenant(tenantId, async (tx) => {
      const checked_at = this.clock.now();
      const { today } = await tenantToday(tx, checked_at);
      const until = addDays(today, WEEK_DAYS);
      const sections = await tx.query<SectionRow>(SECTIONS, [tenantId, today, until, userId]);
      return {
        today,
        until,
        checked_at,
        scope: userId === null ? 'all' : 'own',
        late: sectionOf(sections, 'late'),
        due_today: sectionOf(sections, 'today'),
        week: sectionOf(sections, 'week'),
        documents: await this.documents(tx, today, userId),
        backups: await this.backups.of(tx),
        messages: await this.messages.of(tx, userId),
        runs: runsOf(status),
        next_runs: nextRunsOf(status),
      };
    });
  }

  private async documents(
    tx: TenantTransaction,
    today: string,
    userId: string | null,
  ): Promise<AwaitedDocuments> {
    const row = await tx.one<AwaitedDocuments>(DOCUMENTS, [tx.tenant_id, today, NO_LIMIT, userId]);
    const { lines = [], total = 0, late = 0 } = row ?? {};
    return { lines, total, late };
  }
}

function sectionOf(rows: readonly SectionRow[], section: SectionRow['section']): OverviewSection {
  const row = rows.find((one) => one.section === section);
  const { lines = [], total = 0, deadline = 0, document = 0, task = 0 } = row ?? {};
  return { lines, total, deadline, document, task };
}

function runsOf({ jobs }: SchedulerStatus): OverviewRun[] {
  return jobs
    .flatMap(({ last_run }) => last_run ?? [])
    .map(({ id, job, state, counts, due_at, finished_at }) => ({
      id,
      job,
      state,
      counts,
      due_at,
      finished_at,
    }))
    .sort((one, other) => other.due_at.getTime() - one.due_at.getTime());
}

function nextRunsOf({ enabled, jobs }: SchedulerStatus): NextRun[] {
  if (!enabled) return [];
  return jobs
    .flatMap(({ job, next }) => (next === null ? [] : { job, at: next.instant }))
    .sort((one, other) => one.at.getTime() - other.at.getTime());
}
