import { Inject, Injectable, Logger } from '@nestjs/common';
import { BACKUP_VERDICTS, type BackupVerdict, type Doubt, doubtOf, DOUBTS } from '../../contracts/backups.js';
import type { BackupFacts } from './backup-data.js';
import { type EndedIncident, Incidents, type Incident } from '../../notifications/alerts/incidents.js';
import { Clock } from '../../platform/clock/clock.js';
import { Database } from '../../platform/database/database.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { tenantToday } from '../../tenants/tenant-today.js';
import {
  JOBS_FAILING,
  JOBS_UNANNOUNCED,
  LOCK_JOBS,
  MARK_ANNOUNCED,
  MARK_JOBLESS,
  NEWEST_ENTRIES,
} from './announcements.sql.js';
import { backupFacts } from './backup-facts.js';
import { SilentAgents } from './silent-agents.js';

/** `source_type` of a job's incidents: a good backup resolves all of them. */
const BACKUP_JOB = 'backup_job';
const HOUR_MS = 60 * 60_000;
/** Jobs announced together: as many as fit in one message. */
const BATCH = 250;

export interface AnnouncementCounts extends Record<string, number> {
  /** Incidents that were announced, for the first time or again. */
  alerts: number;
  /** Jobs that recovered from one. */
  recovered: number;
  /** Jobs whose announcement failed: the next call retries them. */
  not_announced: number;
}

export interface ReminderCounts extends Record<string, number> {
  reminded: number;
  not_announced: number;
}

/** The newest entry that has a verdict: it is the status of its job. */
interface NewestEntry {
  job_id: string;
  id: string;
  effective_at: Date;
  announced: boolean;
}

type JobFacts = BackupFacts & { job_id: string };
type Announced = Pick<AnnouncementCounts, 'alerts' | 'recovered'>;
/** Handles some jobs. `repeat` is the tenant's time between two reminders, in ms. */
type Act<Done> = (tx: TenantTransaction, jobIds: readonly string[], repeat: number) => Promise<Done>;

/**
 * Announces failed backups and their recovery. The announcements of a scan share a transaction, so that they leave as
 * one message. If it fails, each job gets its own transaction, so that no job blocks the others.
 */
@Injectable()
export class BackupAnnouncements {
  private readonly logger = new Logger('Backups');

  constructor(
    private readonly database: Database,
    private readonly incidents: Incidents,
    private readonly silentAgents: SilentAgents,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * Announces new verdicts: only the newest entry of each job, because it is the job's status; older ones are skipped.
   * A failing verdict or a doubt raises the job's incident. The first good backup after an incident resolves it and is
   * announced. Other verdicts announce nothing.
   */
  async announceNew(tenantId: string, signal: AbortSignal): Promise<AnnouncementCounts> {
    const counts = { alerts: 0, recovered: 0, not_announced: 0 };
    // A database without a job has no recipients.
    await this.database.single(tenantId).query(MARK_JOBLESS, [tenantId, this.clock.now()]);
    const announce: Act<Announced> = (tx, jobIds, repeat) => this.announce(tx, jobIds, repeat);
    for await (const { done, failed } of this.batches(tenantId, JOBS_UNANNOUNCED, signal, announce)) {
      counts.alerts += done?.alerts ?? 0;
      counts.recovered += done?.recovered ?? 0;
      counts.not_announced += failed;
    }
    return counts;
  }

  /** Announces again jobs that are still failing, where the last announcement was `repeat_after_hours` ago. */
  async remindAll(tenantId: string, signal: AbortSignal): Promise<ReminderCounts> {
    const counts = { reminded: 0, not_announced: 0 };
    const remind: Act<number> = (tx, jobIds, repeat) => this.remind(tx, jobIds, repeat);
    for await (const { done, failed } of this.batches(tenantId, JOBS_FAILING, signal, remind)) {
      counts.reminded += done ?? 0;
      counts.not_announced += failed;
    }
    return counts;
  }

  private async announce(
    tx: TenantTransaction,
    jobIds: readonly string[],
    repeat: number,
  ): Promise<Announced> {
    const newest = await newestEntries(tx, jobIds);
    await tx.execute(MARK_ANNOUNCED, [
      tx.tenant_id,
      newest.map(({ job_id }) => job_id),
      newest.map(({ effective_at }) => effective_at),
      newest.map(({ id }) => id),
      this.clock.now(),
    ]);
    const unannounced = newest.filter(({ announced }) => !announced);
    const agents = await this.silentAgents.announce(tx, await factsOf(tx, unannounced), repeat);
    const facts = agents.others;
    const raised = await this.incidents.raise(tx, incidentsOf(facts, repeat));
    return {
      alerts: agents.alerts + raised.filter(({ opened, notified }) => opened || notified > 0).length,
      recovered:
        agents.recovered +
        (await this.recover(
          tx,
          facts.filter((one) => !isFailing(one)),
        )),
    };
  }

  private async remind(tx: TenantTransaction, jobIds: readonly string[], repeat: number): Promise<number> {
    const newest = await newestEntries(tx, jobIds);
    // `announceNew` handles entries that are not announced yet.
    const facts = await factsOf(
      tx,
      newest.filter(({ announced }) => announced),
    );
    const agents = await this.silentAgents.remind(tx, facts, repeat);
    return agents + (await this.incidents.remind(tx, incidentsOf(facts, repeat)));
  }

  /** @returns how many jobs had an open incident. */
  private async recover(tx: TenantTransaction, good: readonly JobFacts[]): Promise<number> {
    const ended = await this.incidents.end(
      tx,
      BACKUP_JOB,
      good.map(({ job_id }) => job_id),
    );
    const messages = good.flatMap(({ job_id, ...facts }) => {
      const own = ended.filter(({ source_id }) => source_id === job_id);
      const [first] = own;
      if (first === undefined) return [];
      const failed = own.flatMap(({ dedupe_key }) =>
        FAULTS.filter((fault) => dedupe_key === keyOf(job_id, fault)),
      );
      return [
        {
          kind: 'backup_recovered' as const,
          dedupe_key: `backup-recovered:${facts.entry_id}`,
          severity: 'info' as const,
          data: { job_id, ...facts, failed, failed_since: failedSince(first) },
        },
      ];
    });
    await this.incidents.announce(tx, messages);
    return messages.length;
  }

  /**
   * Handles all jobs that a statement lists, one transaction per batch. If a batch fails, each of its jobs is retried
   * in its own transaction; a failing job is logged, and the others continue.
   * @param listed parameters: $1 tenant id, $2 the last id of the previous page, $3 limit
   */
  private async *batches<Done>(
    tenantId: string,
    listed: string,
    signal: AbortSignal,
    act: Act<Done>,
  ): AsyncGenerator<{ done?: Done; failed: number }> {
    const single = this.database.single(tenantId);
    const { settings } = await tenantToday(single, this.clock.now());
    const repeat = settings.backups.repeat_after_hours * HOUR_MS;
    const attempt = (jobIds: readonly string[]) =>
      this.database.tenant(tenantId, (tx) => act(tx, jobIds, repeat)).then((done) => ({ done, failed: 0 }));
    let after: string | null = null;
    do {
      signal.throwIfAborted();
      const jobs: { job_id: string }[] = await single.query(listed, [tenantId, after, BATCH]);
      const ids = jobs.map(({ job_id }) => job_id);
      if (ids.length > 0) {
        const whole = await attempt(ids).catch((err: unknown) => {
          this.logger.warn({
            event: 'backup_batch_not_announced',
            tenant_id: tenantId,
            jobs: ids.length,
            err,
          });
          return null;
        });
        if (whole !== null) yield whole;
        else for (const id of ids) yield await this.alone(tenantId, id, signal, () => attempt([id]));
      }
      after = jobs.length < BATCH ? null : (ids.at(-1) ?? null);
    } while (after !== null);
  }

  private async alone<Done>(
    tenant_id: string,
    backup_job_id: string,
    signal: AbortSignal,
    attempt: () => Promise<{ done: Done; failed: number }>,
  ): Promise<{ done?: Done; failed: number }> {
    signal.throwIfAborted();
    return attempt().catch((err: unknown) => {
      this.logger.error({ event: 'backup_not_announced', tenant_id, backup_job_id, err });
      return { failed: 1 };
    });
  }
}

/** Locks the jobs first, to wait for a verdict that is being written. A deleted job has no entry. */
async function newestEntries(tx: TenantTransaction, jobIds: readonly string[]): Promise<NewestEntry[]> {
  // One round trip: the second query takes its snapshot after the first has the locks.
  const [, newest] = await Promise.all([
    tx.query(LOCK_JOBS, [tx.tenant_id, jobIds]),
    tx.query<NewestEntry>(NEWEST_ENTRIES, [tx.tenant_id, jobIds]),
  ]);
  return newest;
}

/** @param entries of jobs, with a verdict */
async function factsOf(tx: TenantTransaction, entries: readonly NewestEntry[]): Promise<JobFacts[]> {
  const known = await backupFacts(
    tx,
    entries.map(({ id }) => id),
  );
  return entries.map(({ job_id, id }) => {
    const facts = known.get(id);
    if (facts === undefined) throw new Error('the newest entry of a job has no facts');
    return { ...facts, job_id };
  });
}

function isFailing(facts: JobFacts): boolean {
  return facts.verdict !== 'SUCCESS' || doubtOf(facts) !== null;
}

/** As the alert said it: when the job got its verdict, not when somebody was first notified. */
function failedSince({ data, first_seen_at }: EndedIncident): string {
  return typeof data.status_since === 'string' ? data.status_since : first_seen_at.toISOString();
}

/** What a job has an incident of. */
type Fault = BackupVerdict | Doubt;
const FAULTS: readonly Fault[] = [...BACKUP_VERDICTS, ...DOUBTS];

function keyOf(jobId: string, fault: Fault): string {
  const isDoubt = (DOUBTS as readonly Fault[]).includes(fault);
  return `backup:${jobId}:${isDoubt ? `SUCCESS:${fault}` : fault}`;
}

/** Those of the jobs that are failing. */
function incidentsOf(jobs: readonly JobFacts[], repeat_after_ms: number): Incident<'backup_alert'>[] {
  return jobs.filter(isFailing).map((facts) => {
    const doubt = doubtOf(facts);
    return {
      kind: 'backup_alert',
      source_type: BACKUP_JOB,
      source_id: facts.job_id,
      dedupe_key: keyOf(facts.job_id, doubt ?? facts.verdict),
      severity: 'critical',
      data: { ...facts, doubt },
      repeat_after_ms,
    };
  });
}
