import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { RunCounts } from '../../contracts/jobs.js';
import { Database } from '../../platform/database/database.js';
import { notFound } from '../../platform/errors/problem.js';
import { SnoozeEnds } from '../../notifications/alerts/snooze-ends.js';
import { type RehearsedRun, type Run, RunHandlers } from '../../runs/run-handlers.js';
import { BackupAnnouncements } from '../alerts/announcements.js';
import { RejectedReports } from '../alerts/rejected-reports.js';
import { BackupStore } from '../store/backup-store.js';
import { Entries } from './entries.js';
import { InboxFindings } from './inbox-findings.js';
import { ReportArchiver } from './report-archiver.js';
import { ReportCollector } from './report-collector.js';
import { EntryEvaluator } from './entry-evaluator.js';
import { MissingBackups } from './missing-backups.js';
import { Retention } from '../store/retention.js';
import { Scan } from './scan.js';
import { StagedActs } from './staged-acts.js';

/** The kinds of this room's incidents. */
const BACKUP_INCIDENTS = [
  'backup_alert',
  'backup_agent_silent',
  'backup_report_rejected',
  'backup_damaged',
] as const;

/**
 * The jobs `scan-backups` and `check-backups`; only one of them runs at a time for a tenant. Every step is repeatable:
 * what a killed scan committed stays valid, and the next scan does the rest.
 */
@Injectable()
export class ScanJobs implements OnModuleInit {
  constructor(
    private readonly runs: RunHandlers,
    private readonly database: Database,
    private readonly store: BackupStore,
    private readonly collector: ReportCollector,
    private readonly entries: Entries,
    private readonly evaluator: EntryEvaluator,
    private readonly missing: MissingBackups,
    private readonly stagedActs: StagedActs,
    private readonly archiver: ReportArchiver,
    private readonly announcements: BackupAnnouncements,
    private readonly rejected: RejectedReports,
    private readonly snoozeEnds: SnoozeEnds,
    private readonly retention: Retention,
  ) {}

  onModuleInit(): void {
    this.runs.register(
      'scan-backups',
      (run) => this.scan(run),
      (run) => this.rehearse(run, false),
    );
    this.runs.register(
      'check-backups',
      (run) => this.check(run),
      (run) => this.rehearse(run, true),
    );
  }

  private async scan(run: Run): Promise<RunCounts> {
    const scan = await this.begin(run);
    await this.perform(scan);
    scan.throwIfFailed();
    return scan.counts;
  }

  /** Once a day: a scan that also sends reminders and applies retention. */
  private async check(run: Run): Promise<RunCounts> {
    const scan = await this.begin(run);
    await this.perform(scan);
    await this.remind(scan);
    await scan.step('retention', async () => scan.add(await this.retention.apply(scan, run.signal)));
    scan.throwIfFailed();
    return scan.counts;
  }

  private async remind(scan: Scan): Promise<void> {
    await scan.step('remind', async () =>
      scan.add(await this.announcements.remindAll(scan.tenant_id, scan.signal)),
    );
  }

  /** The same steps without files, as if no report or file had arrived. */
  private async rehearse(run: Run, reminds: boolean): Promise<RehearsedRun> {
    const scan = await this.begin(run);
    await scan.step('evaluate', () => this.entries.settleWithoutFile(scan));
    await this.findMissing(scan, new InboxFindings());
    await this.announce(scan);
    if (reminds) await this.remind(scan);
    scan.throwIfFailed();
    return { counts: scan.counts };
  }

  /** Skips failing steps: one bad report must not silence a tenant. */
  private async perform(scan: Scan): Promise<void> {
    const findings = new InboxFindings();
    await scan.step('store', () => this.store.prepare());
    await scan.step('collect', () => this.readInbox(scan, findings));
    await this.findMissing(scan, findings);
    await scan.step('staged files', () => this.stagedActs.actAll(scan));
    await this.announce(scan);
  }

  private async findMissing(scan: Scan, findings: InboxFindings): Promise<void> {
    await scan.step('missing', () => this.missing.find(scan, findings));
  }

  private async announce(scan: Scan): Promise<void> {
    await scan.step('announce rejected', async () => scan.add(await this.rejected.announce(scan.tenant_id)));
    await scan.step('announce', async () =>
      scan.add(await this.announcements.announceNew(scan.tenant_id, scan.signal)),
    );
    // After recoveries: what is good again is not announced.
    await scan.step('announce snoozed', async () =>
      scan.add(
        await this.database.tenant(scan.tenant_id, (tx) => this.snoozeEnds.announce(tx, BACKUP_INCIDENTS)),
      ),
    );
  }

  /** Reads the inbox batch by batch, from the reports to the archive, so that memory does not grow with the inbox. */
  private async readInbox(scan: Scan, findings: InboxFindings): Promise<void> {
    const evaluated = new Set<string>();
    const evaluate = async (agents: readonly string[]) => {
      await this.entries.settleWithoutFile(scan);
      if (agents.length > 0) await this.evaluator.evaluate(scan, agents);
      for (const agent of agents) evaluated.add(agent);
    };
    for await (const { agents, files } of this.collector.collect(scan, findings)) {
      await scan.step('evaluate', () => evaluate(agents));
      await scan.step('archive', () => this.archiver.archive(scan, files));
    }
    // Agents that report over REST, or whose folder was removed.
    const others = (await this.entries.agents(scan.tenant_id)).filter((agent) => !evaluated.has(agent));
    await scan.step('evaluate', () => evaluate(others));
  }

  private async begin(run: Run): Promise<Scan> {
    const tenant = await this.database
      .single(run.tenant_id)
      .one<{ slug: string; time_zone: string }>(`SELECT slug, time_zone FROM tenants WHERE id = $1`, [
        run.tenant_id,
      ]);
    if (tenant === null) throw notFound();
    return new Scan(run.tenant_id, tenant.slug, tenant.time_zone, run.signal, (counts) =>
      run.progress(counts),
    );
  }
}
