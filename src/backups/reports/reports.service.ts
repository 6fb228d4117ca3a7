import { Inject, Injectable } from '@nestjs/common';
import type { AgentStatus, BackupWarning } from '../../contracts/backups.js';
import { Clock } from '../../platform/clock/clock.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { Problem } from '../../platform/errors/problem.js';
import { type ExpectedHours, nearestExpected } from '../jobs/expected-times.js';
import { lockJobs } from '../jobs/job-lock.js';
import type { ReadReport } from './read-status-report.js';
import { contentHash, contentOf, type ReportContent, unknownContent } from './report-content.js';

/** A recorded report: its entries wait for a scan to evaluate them. */
export interface AcceptedReport {
  id: string;
  /** False: the same report is known, and nothing was added. */
  created: boolean;
  /** Unknown fields, and the faults of databases. */
  warnings: string[];
}

/** How a report was received. */
export type ReportSource = { source: 'api' } | { source: 'file'; file_name: string };

/** An invalid report. */
export interface RejectedReport {
  agent_id: string;
  /** Null if it came over REST. */
  file_name: string | null;
  /** Identifies the report if it comes again. */
  sha256: string;
  reason: string;
}

/** How long after its report the file of an unexpected database may arrive, in ms. */
const UNEXPECTED_WAIT_MS = 24 * 3_600_000;

interface JobHours extends ExpectedHours {
  id: string;
  database_name: string;
  grace_minutes: number;
}

/** One row of backup_entries, as JSON for PostgreSQL. */
interface NewEntry extends Record<string, unknown> {
  database_name: string;
  status?: AgentStatus;
  /** Why it cannot be evaluated. */
  fault?: string;
  warnings: BackupWarning[];
  job_id: string | null;
  expected_on: string | null;
  expected_at: Date | null;
  wait_until: Date;
}

/** Records reports and their entries, the same way for files and REST. */
@Injectable()
export class Reports {
  constructor(@Inject(Clock) private readonly clock: Clock) {}

  /**
   * Accepts a report over REST, from an agent's key or an admin.
   * @param agentId the key's agent; null for an admin, who may report for any of the tenant's.
   * @throws Problem forbidden for another agent.
   */
  async receive(tx: TenantTransaction, report: ReadReport, agentId: string | null): Promise<AcceptedReport> {
    if (agentId !== null && report.head.agent_id !== agentId) {
      throw new Problem('forbidden', `this key can report only for ${agentId}`);
    }
    return this.accept(tx, report, { source: 'api' });
  }

  /** Records a report once, with an entry for each database. */
  async accept(tx: TenantTransaction, report: ReadReport, from: ReportSource): Promise<AcceptedReport> {
    const content = contentOf(report);
    const { warnings } = report;
    await lockJobs(tx, 'shared');
    const content_sha256 = contentHash(content);
    const created = await tx.one<{ id: string }>(ACCEPT, [
      tx.tenant_id,
      JSON.stringify({
        agent_id: content.agent_id,
        source: from.source,
        file_name: from.source === 'file' ? from.file_name : null,
        content_sha256,
        content: { ...content, unknown: unknownContent(report) },
        warnings,
        operation_timestamp_utc: content.operation_timestamp_utc,
      }),
      JSON.stringify(await this.entriesOf(tx, content, report)),
      this.clock.now(),
    ]);
    if (created !== null) return { id: created.id, created: true, warnings };
    // A second statement, because another transaction may have committed since the first one began.
    const known = await tx.one<{ id: string }>(
      `SELECT id FROM backup_reports WHERE tenant_id = $1 AND agent_id = $2 AND content_sha256 = $3`,
      [tx.tenant_id, content.agent_id, content_sha256],
    );
    if (known === null) throw new Error('the report was not written');
    return { id: known.id, created: false, warnings };
  }

  /** Records an invalid report. Repeating it adds nothing. */
  async reject(
    tx: TenantTransaction,
    { agent_id, file_name, sha256, reason }: RejectedReport,
  ): Promise<void> {
    await tx.execute(
      `INSERT INTO backup_reports (tenant_id, agent_id, source, file_name, content_sha256, state, reason, received_at)
       VALUES ($1, $2, CASE WHEN $3::text IS NULL THEN 'api' ELSE 'file' END, $3, $4, 'rejected', $5, $6)
       ON CONFLICT (tenant_id, agent_id, content_sha256) DO NOTHING`,
      [tx.tenant_id, agent_id, file_name, sha256, reason, this.clock.now()],
    );
  }

  /**
   * The id of the last report that the agent sent and that was accepted; null where none was. What is rejected again
   * after it is a new fault.
   */
  async lastAccepted(tx: TenantTransaction, agentId: string): Promise<string | null> {
    const last = await tx.one<{ id: string }>(
      `SELECT id FROM backup_reports WHERE tenant_id = $1 AND agent_id = $2 AND state = 'accepted'
       ORDER BY id DESC LIMIT 1`,
      [tx.tenant_id, agentId],
    );
    return last?.id ?? null;
  }

  private async entriesOf(
    tx: TenantTransaction,
    content: ReportContent,
    { databases }: ReadReport,
  ): Promise<NewEntry[]> {
    const [jobs, tenant] = await Promise.all([
      tx.query<JobHours>(
        `SELECT id, database_name, expected_time, days_of_week, grace_minutes FROM backup_jobs
         WHERE tenant_id = $1 AND agent_id = $2 AND database_name = ANY ($3)`,
        [tx.tenant_id, content.agent_id, Object.keys(content.databases)],
      ),
      tx.one<{ time_zone: string }>(`SELECT time_zone FROM tenants WHERE id = $1`, [tx.tenant_id]),
    ]);
    const zone = tenant?.time_zone ?? 'UTC';
    const byName = new Map(jobs.map((job) => [job.database_name, job]));
    const hasUnknown = (name: string) => Object.keys(databases.get(name)?.unknown ?? {}).length > 0;
    const reported = new Date(content.operation_timestamp_utc);
    return Object.entries(content.databases).map(([database_name, valid]) => {
      const job = byName.get(database_name);
      const expected = job === undefined ? null : nearestExpected(job, zone, reported);
      const wait_until =
        job === undefined || expected === null
          ? new Date(reported.getTime() + UNEXPECTED_WAIT_MS)
          : new Date(expected.expected_at.getTime() + job.grace_minutes * 60_000);
      return {
        ...valid,
        database_name,
        warnings: hasUnknown(database_name) ? ['unknown_fields'] : [],
        job_id: job?.id ?? null,
        expected_on: expected?.expected_on ?? null,
        expected_at: expected?.expected_at ?? null,
        wait_until,
      };
    });
  }
}

// $1 tenant id, $2 the report, $3 its entries, $4 now. A known report adds nothing.
const ACCEPT = `
  WITH report AS (
    SELECT * FROM jsonb_to_record($2::jsonb) AS r (agent_id text, source text, file_name text, content_sha256 text,
                                                   content jsonb, warnings text[], operation_timestamp_utc timestamptz)
  ),
  created AS (
    INSERT INTO backup_reports (tenant_id, agent_id, source, file_name, content_sha256, state, content, warnings,
                                operation_timestamp_utc, received_at)
    SELECT $1, agent_id, source, file_name, content_sha256, 'accepted', content, warnings, operation_timestamp_utc,
           $4::timestamptz
    FROM report
    ON CONFLICT (tenant_id, agent_id, content_sha256) DO NOTHING
    RETURNING id
  ),
  entries AS (
    INSERT INTO backup_entries (tenant_id, report_id, job_id, agent_id, database_name, company_name, city,
      neighborhood, expected_on, expected_at, effective_at, wait_until, operation_timestamp_utc, status, hash_sha256,
      size_bytes, compress_size_pre_compress, compress_size_post_compress, agent_transfer_process_status,
      agent_transfer_process_start_time_utc, agent_transfer_process_timestamp_utc, agent_transfer_error_message,
      staged_file_name, logs_summary, error_msg, report_fault, warnings, created_at)
    SELECT $1, c.id, e.job_id, r.agent_id, e.database_name, r.content ->> 'company_name', r.content ->> 'city',
      r.content ->> 'neighborhood', e.expected_on, e.expected_at,
      -- A report ends the MISSING entry of its day: it must be the newer one.
      greatest(r.operation_timestamp_utc,
               (SELECT m.effective_at FROM backup_entries m
                WHERE m.tenant_id = $1 AND m.job_id = e.job_id AND m.expected_on = e.expected_on
                  AND m.report_id IS NULL)),
      e.wait_until,
      r.operation_timestamp_utc, e.status, e.hash_sha256, e.size_bytes, e.compress_size_pre_compress,
      e.compress_size_post_compress, e.agent_transfer_process_status, e.agent_transfer_process_start_time_utc,
      e.agent_transfer_process_timestamp_utc, e.agent_transfer_error_message, e.staged_file_name, e.logs_summary,
      e.error_msg, e.fault, e.warnings, $4::timestamptz
    FROM created c CROSS JOIN report r
    CROSS JOIN jsonb_to_recordset($3::jsonb) AS e (job_id uuid, database_name text, expected_on date,
      expected_at timestamptz, wait_until timestamptz, status text, hash_sha256 text, size_bytes bigint,
      compress_size_pre_compress bigint, compress_size_post_compress bigint, agent_transfer_process_status text,
      agent_transfer_process_start_time_utc timestamptz, agent_transfer_process_timestamp_utc timestamptz,
      agent_transfer_error_message text, staged_file_name text, logs_summary text, error_msg text, fault text,
      warnings text[])
  )
  SELECT id FROM created`;
