import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { Database } from '../../platform/database/database.js';
import type { InboxFindings } from './inbox-findings.js';
import { expectedBetween, type ExpectedHours } from '../jobs/expected-times.js';
import { lockJobs } from '../jobs/job-lock.js';
import { REFRESH_JOBS } from '../jobs/job-status.sql.js';
import type { Scan } from './scan.js';

/** Jobs of one page. */
const PAGE = 500;
/** After a long downtime, expected times up to this long ago are still evaluated, in ms. */
const LOOK_BACK_MS = 35 * 86_400_000;

interface OwedJob extends ExpectedHours {
  id: string;
  agent_id: string;
  grace_minutes: number;
  expected_after: Date;
}

/** An expected time whose grace period is over, as JSON for PostgreSQL. */
interface Owed extends Record<string, unknown> {
  job_id: string;
  expected_on: string;
  expected_at: Date;
  wait_until: Date;
  /** Why the server could not read reports; null if it could. */
  detail: string | null;
}

/** Finds expected backups without a report at the end of their grace period. */
@Injectable()
export class MissingBackups {
  constructor(
    private readonly database: Database,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** Creates one entry for each expected time, then records when the tenant's jobs were checked. */
  async find(scan: Scan, findings: InboxFindings): Promise<void> {
    const now = this.clock.now();
    let after: string | null = null;
    for (;;) {
      scan.signal.throwIfAborted();
      const jobs = await this.jobsAfter(scan.tenant_id, after);
      const owed = jobs
        .filter(({ agent_id }) => !findings.isUnread(agent_id))
        .flatMap((job) => owedOf(job, scan.time_zone, now, findings.unreadableReason(job.agent_id)));
      if (owed.length > 0) {
        await scan.step('missing', async () => {
          const found = await this.decide(scan.tenant_id, owed, now);
          scan.decided('MISSING', found);
        });
      }
      after = jobs.at(-1)?.id ?? null;
      if (jobs.length < PAGE) break;
    }
    // Updates one row, instead of every job each 15 minutes.
    await this.database.single(scan.tenant_id).query(
      `INSERT INTO backup_scans (tenant_id, checked_at, ignored_folders) VALUES ($1, $2, $3)
       ON CONFLICT (tenant_id) DO UPDATE
         SET checked_at = excluded.checked_at, ignored_folders = excluded.ignored_folders`,
      [scan.tenant_id, now, findings.ignoredFolders],
    );
  }

  private async jobsAfter(tenantId: string, after: string | null): Promise<OwedJob[]> {
    return this.database.single(tenantId).query<OwedJob>(
      `SELECT id, agent_id, expected_time, days_of_week, grace_minutes, expected_after FROM backup_jobs
       WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3`,
      [tenantId, after, PAGE],
    );
  }

  private async decide(tenantId: string, owed: readonly Owed[], now: Date): Promise<number> {
    return this.database.tenant(tenantId, async (tx) => {
      // Block new reports meanwhile: they could be for a day that is being decided.
      await lockJobs(tx, 'exclusive');
      const missing = await tx.query<{ job_id: string }>(DECIDE, [tenantId, JSON.stringify(owed), now]);
      const jobs = [...new Set(missing.map(({ job_id }) => job_id))];
      if (jobs.length > 0) await tx.execute(REFRESH_JOBS, [tenantId, jobs]);
      return missing.length;
    });
  }
}

function owedOf(job: OwedJob, zone: string, now: Date, detail: string | null): Owed[] {
  const after = new Date(Math.max(job.expected_after.getTime(), now.getTime() - LOOK_BACK_MS));
  const grace = job.grace_minutes * 60_000;
  // A report in the last instant of the grace period is still in time.
  const until = new Date(now.getTime() - grace - 1);
  return expectedBetween(job, zone, after, until).map(({ expected_on, expected_at }) => ({
    job_id: job.id,
    expected_on,
    expected_at,
    wait_until: new Date(expected_at.getTime() + grace),
    detail,
  }));
}

/**
 * Skips a day that has an entry. A report rejected since half a day before the expected time is most likely the missing
 * one. Parameters: $1 tenant id, $2 the expected times, $3 now.
 */
const DECIDE = `
  WITH owed AS (
    SELECT * FROM jsonb_to_recordset($2::jsonb) AS o (job_id uuid, expected_on date, expected_at timestamptz,
                                                      wait_until timestamptz, detail text)
  ),
  missing AS (
    INSERT INTO backup_entries (tenant_id, job_id, agent_id, database_name, company_name, city, neighborhood,
      expected_on, expected_at, effective_at, wait_until, verdict, reason, detail, evaluated_at, settled_at, created_at)
    SELECT $1, j.id, j.agent_id, j.database_name, j.company_name, j.city, j.neighborhood, o.expected_on,
      o.expected_at, o.expected_at, o.wait_until, 'MISSING',
      CASE WHEN r.reason IS NULL THEN 'no_report' ELSE 'report_rejected' END, coalesce(r.reason, o.detail),
      $3::timestamptz, $3::timestamptz, $3::timestamptz
    FROM owed o
    -- Somebody may have changed its hours since it was read.
    JOIN backup_jobs j ON j.tenant_id = $1 AND j.id = o.job_id AND j.expected_after < o.expected_at
    LEFT JOIN LATERAL (
      SELECT coalesce(b.file_name || E'\\n', '') || b.reason AS reason FROM backup_reports b
      WHERE b.tenant_id = $1 AND b.agent_id = j.agent_id AND b.state = 'rejected'
        AND b.received_at > o.expected_at - interval '12 hours'
      ORDER BY b.received_at DESC LIMIT 1
    ) r ON true
    WHERE NOT EXISTS (SELECT FROM backup_entries e
                      WHERE e.tenant_id = $1 AND e.job_id = o.job_id AND e.expected_on = o.expected_on)
    ON CONFLICT DO NOTHING
    RETURNING job_id
  ),
  decided AS (
    UPDATE backup_jobs j SET expected_after = o.latest
    FROM (SELECT job_id, max(expected_at) AS latest FROM owed GROUP BY job_id) o
    WHERE j.tenant_id = $1 AND j.id = o.job_id AND j.expected_after < o.latest
  )
  SELECT job_id FROM missing`;
