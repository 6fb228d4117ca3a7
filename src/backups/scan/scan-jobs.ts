import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { RunCounts } from '../../contracts/jobs.js';
import { Database } from '../../platform/database/database.js';
import { notFound } from '../../platform/errors/problem.js';
import { type Run, RunHandlers } from '../../runs/run-handlers.js';
import { BackupAnnouncements } from '../alerts/announcements.js';
import { Archiving } from './archiving.js';
import { Collecting } from './collecting.js';
import { Evaluating } from './evaluating.js';
import { Missing } from './missing.js';
import { Retention } from '../store/retention.js';
import { Scan } from './scan.js';
import { StagedActs } from './staged-acts.js';

/**
 * The jobs `scan-backups` and `check-backups`, one of them at a time for a tenant. Every step can be repeated: what a
 * killed scan has committed stands, what it has not is done by the next.
 */
@Injectable()
export class ScanJobs implements OnModuleInit {
  constructor(
    private readonly runs: RunHandlers,
    private readonly database: Database,
    private readonly collecting: Collecting,
    private readonly evaluating: Evaluating,
    private readonly missing: Missing,
    private readonly stagedActs: StagedActs,
    private readonly archiving: Archiving,
    private readonly announcements: BackupAnnouncements,
    private readonly retention: Retention,
  ) {}

  onModuleInit(): void {
    this.runs.register('scan-backups', async (run) => (await this.scan(run)).counts);
    this.runs.register('check-backups', (run) => this.check(run));
  }

  private async scan(run: Run): Promise<Scan> {
    const scan = await this.begin(run);
    const collected = await this.collecting.collect(scan);
    await this.evaluating.evaluate(scan);
    await this.missing.find(scan, collected);
    await this.stagedActs.actAll(scan);
    await this.archiving.archive(scan, collected.files);
    scan.add(await this.announcements.tellNew(scan.tenant_id, scan.signal));
    return scan;
  }

  /** Once a day: what stays wrong is told again, and what need not be kept goes. */
  private async check(run: Run): Promise<RunCounts> {
    const scan = await this.scan(run);
    scan.add(await this.announcements.remindAll(run.tenant_id, run.signal));
    await this.retention.apply(scan);
    return scan.counts;
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
