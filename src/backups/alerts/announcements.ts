import { Inject, Injectable, Logger } from '@nestjs/common';
import { BACKUP_VERDICTS, type BackupVerdict, type FailingVerdict } from '../../contracts/backups.js';
import type { BackupFacts } from './backup-data.js';
import { type EndedIncident, Incidents, type Incident } from '../../notifications/alerts/incidents.js';
import { Clock } from '../../platform/clock/clock.js';
import { Database } from '../../platform/database/database.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { tenantToday } from '../../tenants/tenant-today.js';
import {
  JOBS_FAILING,
  JOBS_UNANNOUNCED,
  LOCK_JOB,
  MARK_ANNOUNCED,
  MARK_JOBLESS,
  NEWEST_ENTRY,
} from './announcements.sql.js';
import { backupFacts } from './backup-facts.js';

/** `source_type` of what is wrong with a job: a good backup ends all of it. */
const BACKUP_JOB = 'backup_job';
const HOUR_MS = 60 * 60_000;
/** Jobs read at once. */
const BATCH = 100;

export interface AnnouncementCounts extends Record<string, number> {
  /** Incidents that were announced, for the first time or again. */
  alerts: number;
  /** Jobs that have recovered from one. */
  recovered: number;
  /** Jobs that could not be announced, because of a fault: the next call tries again. */
  not_announced: number;
}

export interface ReminderCounts extends Record<string, number> {
  reminded: number;
  not_announced: number;
}

/** The newest entry that has a verdict: it is the status of its job. */
interface NewestEntry {
  id: string;
  effective_at: Date;
  announced: boolean;
}

/** Announces failed backups and their recovery; each job in a transaction, so that one can't stop the others. */
@Injectable()
export class BackupAnnouncements {
  private readonly logger = new Logger('Backups');

  constructor(
    private readonly database: Database,
    private readonly incidents: Incidents,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * Announces what was evaluated and not yet announced: the newest entry of each job, for that is its status; older
   * ones are skipped. A failing verdict raises the job's incident; the first good backup after one ends it and
   * is announced; any other announces nothing.
   */
  async announceNew(tenantId: string, signal: AbortSignal): Promise<AnnouncementCounts> {
    const counts = { alerts: 0, recovered: 0, not_announced: 0 };
    // A database without a job has no recipients.
    await this.database.single(tenantId).query(MARK_JOBLESS, [tenantId, this.clock.now()]);
    const outcomes = this.eachJob(tenantId, JOBS_UNANNOUNCED, signal, (tx, jobId, repeat) =>
      this.announce(tx, jobId, repeat),
    );
    for await (const outcome of outcomes) if (outcome !== null) counts[outcome] += 1;
    return counts;
  }

  /** Announces again jobs that are still failing, where the last announcement was `repeat_after_hours` ago. */
  async remindAll(tenantId: string, signal: AbortSignal): Promise<ReminderCounts> {
    const counts = { reminded: 0, not_announced: 0 };
    const outcomes = this.eachJob(tenantId, JOBS_FAILING, signal, (tx, jobId, repeat) =>
      this.remind(tx, jobId, repeat),
    );
    for await (const outcome of outcomes) if (outcome !== null) counts[outcome] += 1;
    return counts;
  }

  private async announce(
    tx: TenantTransaction,
    jobId: string,
    repeat: number,
  ): Promise<'alerts' | 'recovered' | null> {
    const newest = await newestEntry(tx, jobId);
    if (newest === null) return null;
    await tx.execute(MARK_ANNOUNCED, [tx.tenant_id, jobId, newest.effective_at, newest.id, this.clock.now()]);
    if (newest.announced) return null;
    const facts = (await backupFacts(tx, [newest.id])).get(newest.id);
    if (facts === undefined) throw new Error('the newest entry of a job has no facts');
    if (!isFailing(facts)) return (await this.recover(tx, jobId, facts)) ? 'recovered' : null;
    const { opened, notified } = await this.incidents.raise(tx, incidentOf(jobId, facts, repeat));
    return opened || notified > 0 ? 'alerts' : null;
  }

  private async remind(tx: TenantTransaction, jobId: string, repeat: number): Promise<'reminded' | null> {
    const newest = await newestEntry(tx, jobId);
    // What is not announced yet is left to `announceNew`.
    if (!newest?.announced) return null;
    const facts = (await backupFacts(tx, [newest.id])).get(newest.id);
    if (facts === undefined || !isFailing(facts)) return null;
    return (await this.incidents.remind(tx, incidentOf(jobId, facts, repeat))) > 0 ? 'reminded' : null;
  }

  /** @returns whether there was anything to recover from. */
  private async recover(tx: TenantTransaction, jobId: string, facts: BackupFacts): Promise<boolean> {
    const ended = await this.incidents.end(tx, BACKUP_JOB, jobId);
    const [first] = ended;
    if (first === undefined) return false;
    const failed = ended.flatMap(({ dedupe_key }) =>
      BACKUP_VERDICTS.filter((verdict) => dedupe_key === keyOf(jobId, verdict)),
    );
    await this.incidents.announce(tx, {
      kind: 'backup_recovered',
      dedupe_key: `backup-recovered:${facts.entry_id}`,
      severity: 'info',
      data: { ...facts, failed, failed_since: failedSince(first) },
    });
    return true;
  }

  /**
   * Does something about every job that a statement lists, each in a transaction of its own; one that fails is
   * logged, and the others go on.
   * @param listed parameters: $1 tenant id, $2 the id to go on after, $3 how many
   * @param act `repeat` is the tenant's time between two reminders, in ms.
   */
  private async *eachJob<Outcome>(
    tenantId: string,
    listed: string,
    signal: AbortSignal,
    act: (tx: TenantTransaction, jobId: string, repeat: number) => Promise<Outcome>,
  ): AsyncGenerator<Outcome | 'not_announced'> {
    const single = this.database.single(tenantId);
    const { settings } = await tenantToday(single, this.clock.now());
    const repeat = settings.backups.repeat_after_hours * HOUR_MS;
    let after: string | null = null;
    do {
      const jobs: { job_id: string }[] = await single.query(listed, [tenantId, after, BATCH]);
      for (const { job_id } of jobs) {
        signal.throwIfAborted();
        yield await this.database
          .tenant(tenantId, (tx) => act(tx, job_id, repeat))
          .catch((err: unknown) => {
            this.logger.error({
              event: 'backup_not_announced',
              tenant_id: tenantId,
              backup_job_id: job_id,
              err,
            });
            return 'not_announced' as const;
          });
      }
      after = jobs.length < BATCH ? null : (jobs.at(-1)?.job_id ?? null);
    } while (after !== null);
  }
}

/** With the job's row locked: a verdict that is being written waits, or is seen. Null once the job is deleted. */
async function newestEntry(tx: TenantTransaction, jobId: string): Promise<NewestEntry | null> {
  // One message: the second begins, with a view of its own, when the first has the lock.
  const [, newest] = await Promise.all([
    tx.query(LOCK_JOB, [tx.tenant_id, jobId]),
    tx.one<NewestEntry>(NEWEST_ENTRY, [tx.tenant_id, jobId]),
  ]);
  return newest;
}

function isFailing(facts: BackupFacts): facts is BackupFacts & { verdict: FailingVerdict } {
  return facts.verdict !== 'SUCCESS';
}

/** As the alert said it: since when the job had its verdict, not when somebody was first notified. */
function failedSince({ data, first_seen_at }: EndedIncident): string {
  return typeof data.status_since === 'string' ? data.status_since : first_seen_at.toISOString();
}

function keyOf(jobId: string, verdict: BackupVerdict): string {
  return `backup:${jobId}:${verdict}`;
}

function incidentOf(
  jobId: string,
  facts: BackupFacts & { verdict: FailingVerdict },
  repeat_after_ms: number,
): Incident<'backup_alert'> {
  return {
    kind: 'backup_alert',
    source_type: BACKUP_JOB,
    source_id: jobId,
    dedupe_key: keyOf(jobId, facts.verdict),
    severity: 'critical',
    data: facts,
    repeat_after_ms,
  };
}
