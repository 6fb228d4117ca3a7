import { Inject, Injectable } from '@nestjs/common';
import type { AgentStatus, BackupReason, BackupVerdict } from '../../contracts/backups.js';
import { Clock } from '../../platform/clock/clock.js';
import { Database } from '../../platform/database/database.js';
import { lockJobs } from '../jobs/job-lock.js';
import { REFRESH_JOBS } from '../jobs/job-status.sql.js';
import type { Scan } from './scan.js';

/** An entry whose verdict may still change. */
export interface UnsettledEntry {
  id: string;
  job_id: string | null;
  agent_id: string;
  database_name: string;
  company_name: string;
  city: string;
  operation_timestamp_utc: Date;
  wait_until: Date;
  status: AgentStatus;
  hash_sha256: string;
  size_bytes: number | null;
  staged_file_name: string;
  /** The file of that name that was last held against it. */
  staged_identity: string | null;
  verdict: BackupVerdict | null;
  reason: BackupReason | null;
}

/** What a scan found of an entry. */
export interface Finding {
  verdict: BackupVerdict;
  reason: BackupReason | null;
  /** In the system's words. */
  detail: string | null;
  warning?: 'size_differs' | null;
  server_hash_sha256?: string;
  server_size_bytes?: number;
  /** No later scan will change it. */
  settled: boolean;
  /** What is to be done with the staged copy once this is committed, and which file that is. */
  staged?: { action: 'delete' | 'quarantine'; identity: string };
  stored_path?: string;
}

/** A staged copy that has had its verdict, and is to go. */
export interface StagedAct {
  id: string;
  agent_id: string;
  staged_file_name: string;
  staged_action: 'delete' | 'quarantine';
  staged_identity: string;
}

/** Rows of one page. */
export const PAGE = 500;
/** A late file is waited for this long, in days. */
const GIVE_UP_DAYS = 7;
/** What may get well by another file. What the server could not read or store stays until it can. */
const GIVEN_UP: readonly BackupReason[] = ['no_staged_file', 'hash_differs', 'target_taken'];

/** The entries of a tenant, as a scan reads and decides them. */
@Injectable()
export class Entries {
  constructor(
    private readonly database: Database,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** What the agent itself says went wrong needs no file; what was waited for too long is not looked at again. */
  async settleWithoutFile(scan: Scan): Promise<void> {
    const { tenant_id } = scan;
    const failed = await this.database.tenant(tenant_id, async (tx) => {
      const now = this.clock.now();
      await lockJobs(tx, 'shared');
      await tx.execute(
        `UPDATE backup_entries SET settled_at = $2
         WHERE tenant_id = $1 AND settled_at IS NULL AND reason = ANY ($4)
           AND evaluated_at < $2::timestamptz - make_interval(days => $3)`,
        [tenant_id, now, GIVE_UP_DAYS, GIVEN_UP],
      );
      const found = await tx.query<{ job_id: string | null; verdict: BackupVerdict }>(
        `UPDATE backup_entries
         SET verdict = CASE status WHEN 'failed' THEN 'FAILED' ELSE 'TRANSFER_INTEGRITY_FAILED' END,
             reason = CASE status WHEN 'failed' THEN 'agent_failed' ELSE 'agent_transfer_failed' END,
             detail = coalesce(CASE status WHEN 'failed' THEN error_msg ELSE agent_transfer_error_message END,
                               error_msg, agent_transfer_error_message),
             evaluated_at = $2, settled_at = $2, announced_at = CASE WHEN job_id IS NULL THEN $2::timestamptz END
         WHERE tenant_id = $1 AND settled_at IS NULL AND verdict IS NULL AND status <> 'success'
         RETURNING job_id, verdict`,
        [tenant_id, now],
      );
      const jobs = [...new Set(found.flatMap(({ job_id }) => job_id ?? []))];
      if (jobs.length > 0) await tx.execute(REFRESH_JOBS, [tenant_id, jobs]);
      return found;
    });
    for (const { verdict } of failed) scan.decided(verdict);
  }

  /** Those of an agent, newest report first; up to a page. */
  async unsettled(tenantId: string, agentId: string): Promise<UnsettledEntry[]> {
    return this.database.single(tenantId).query<UnsettledEntry>(
      `SELECT id, job_id, agent_id, database_name, company_name, city, operation_timestamp_utc, wait_until, status,
              hash_sha256, size_bytes, staged_file_name, staged_identity, verdict, reason
       FROM backup_entries
       WHERE tenant_id = $1 AND agent_id = $2 AND settled_at IS NULL
       -- Those without a verdict first: what waits longer must not keep others from theirs.
       ORDER BY verdict IS NOT NULL, effective_at DESC, id DESC LIMIT $3`,
      [tenantId, agentId, MOST_UNSETTLED],
    );
  }

  /** Agents that have some. */
  async agents(tenantId: string): Promise<string[]> {
    const rows = await this.database
      .single(tenantId)
      .query<{ agent_id: string }>(
        `SELECT DISTINCT agent_id FROM backup_entries WHERE tenant_id = $1 AND settled_at IS NULL ORDER BY agent_id`,
        [tenantId],
      );
    return rows.map(({ agent_id }) => agent_id);
  }

  /**
   * Writes down what was found, and what the job's status is by it. The same finding again is no news; an entry
   * that another scan has settled stays as it is.
   * @returns whether the entry was still to be decided.
   */
  async record(tenantId: string, entry: UnsettledEntry, finding: Finding): Promise<boolean> {
    const now = this.clock.now();
    return this.database.tenant(tenantId, async (tx) => {
      // Entries of one job are decided one after the other: each sees what the one before has made newest.
      if (entry.job_id !== null) {
        await tx.query(`SELECT 1 FROM backup_jobs WHERE tenant_id = $1 AND id = $2 FOR UPDATE`, [
          tenantId,
          entry.job_id,
        ]);
      }
      const written = await tx.one<{ job_id: string | null }>(RECORD, [
        tenantId,
        entry.id,
        finding.verdict,
        finding.reason,
        finding.detail,
        finding.warning ?? null,
        finding.server_hash_sha256 ?? null,
        finding.server_size_bytes ?? null,
        finding.settled,
        finding.staged?.action ?? null,
        finding.staged?.identity ?? null,
        finding.stored_path ?? null,
        now,
      ]);
      // Not the entry's, as it was read: a new job may have taken it over.
      if (written?.job_id != null) await tx.execute(REFRESH_JOBS, [tenantId, [written.job_id]]);
      return written !== null;
    });
  }

  /** Staged copies that are still to go, of whichever scan. */
  async stagedActs(tenantId: string, after: string | null): Promise<StagedAct[]> {
    return this.database.single(tenantId).query<StagedAct>(
      `SELECT id, agent_id, staged_file_name, staged_action, staged_identity FROM backup_entries
       WHERE tenant_id = $1 AND staged_action IS NOT NULL AND ($2::uuid IS NULL OR id > $2)
       ORDER BY id LIMIT $3`,
      [tenantId, after, PAGE],
    );
  }

  async stagedDone(tenantId: string, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.database
      .single(tenantId)
      .query(
        `UPDATE backup_entries SET staged_action = NULL WHERE tenant_id = $1 AND id = ANY ($2::uuid[])`,
        [tenantId, ids],
      );
  }

  /** A file of that name is not theirs: it need not be read again. */
  async notTheirs(tenantId: string, ids: readonly string[], identity: string): Promise<void> {
    await this.database
      .single(tenantId)
      .query(
        `UPDATE backup_entries SET staged_identity = $3 WHERE tenant_id = $1 AND id = ANY ($2::uuid[])`,
        [tenantId, ids, identity],
      );
  }

  /** Of these reports, those all of whose entries have a verdict. */
  async decidedReports(tenantId: string, reportIds: readonly string[]): Promise<Set<string>> {
    const rows = await this.database.single(tenantId).query<{ id: string }>(
      `SELECT r.id FROM unnest($2::uuid[]) AS r (id)
       WHERE NOT EXISTS (SELECT FROM backup_entries e
                         WHERE e.tenant_id = $1 AND e.report_id = r.id AND e.verdict IS NULL)`,
      [tenantId, reportIds],
    );
    return new Set(rows.map(({ id }) => id));
  }
}

/** Unsettled entries of one agent that one scan decides; the others wait for the next. */
const MOST_UNSETTLED = 5_000;

const RECORD = `
  UPDATE backup_entries
  SET verdict = $3, reason = $4, detail = $5, warning = $6,
      server_hash_sha256 = coalesce($7, server_hash_sha256), server_size_bytes = coalesce($8, server_size_bytes),
      evaluated_at = $13, settled_at = CASE WHEN $9 THEN $13::timestamptz END,
      staged_action = $10, staged_identity = $11,
      stored_path = coalesce($12, stored_path),
      stored_state = CASE WHEN $12::text IS NULL THEN stored_state ELSE 'stored' END,
      -- Nobody expects a database without a job; and what has been told is not told again.
      announced_at = CASE WHEN job_id IS NULL THEN $13::timestamptz
                          WHEN verdict IS NOT DISTINCT FROM $3 THEN announced_at END
  WHERE tenant_id = $1 AND id = $2 AND settled_at IS NULL
    AND ($9 OR $10::text IS NOT NULL OR verdict IS DISTINCT FROM $3 OR reason IS DISTINCT FROM $4 OR detail IS DISTINCT FROM $5)
  RETURNING job_id`;
