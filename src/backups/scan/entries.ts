import { Inject, Injectable } from '@nestjs/common';
import type { AgentStatus, BackupReason, BackupVerdict, BackupWarning } from '../../contracts/backups.js';
import { Clock } from '../../platform/clock/clock.js';
import { Database } from '../../platform/database/database.js';
import type { UnsyncedFolders } from '../files/stored-file.js';
import { lockJobs } from '../jobs/job-lock.js';
import { REFRESH_JOBS } from '../jobs/job-status.sql.js';
import type { Scan } from './scan.js';
import { compareWithHistory } from './size-history.js';

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
  /** The identity of the staged file that it was last compared with. */
  staged_identity: string | null;
  verdict: BackupVerdict | null;
  reason: BackupReason | null;
}

/** What a scan found out about an entry. */
export interface Finding {
  verdict: BackupVerdict;
  reason: BackupReason | null;
  /** More about the reason, such as the error of the file system. */
  detail: string | null;
  /** Warnings from the file itself; those from its history are added when the finding is recorded. */
  warnings?: readonly BackupWarning[];
  server_hash_sha256?: string;
  server_size_bytes?: number;
  /** No later scan will change it. */
  settled: boolean;
  /** What to do with the staged file after the commit, and which file that is. */
  staged?: { action: 'delete' | 'quarantine'; identity: string };
  stored_path?: string;
  /** To fsync before the finding is recorded: the folders with the stored file's name. */
  published?: UnsyncedFolders;
}

/** A finding and the entry that it is about. */
export interface Verdict {
  entry: UnsettledEntry;
  finding: Finding;
}

/** A staged file with a verdict that is still to be removed or moved. */
export interface StagedAct {
  id: string;
  agent_id: string;
  staged_file_name: string;
  staged_action: 'delete' | 'quarantine';
  staged_identity: string;
}

/** Rows of one page. */
export const PAGE = 500;
/** How long a scan waits for a late file, in days. */
const GIVE_UP_DAYS = 7;
/** Verdicts that a later file may change. Read and store failures of the server are retried without end. */
const GIVEN_UP: readonly BackupReason[] = ['no_staged_file', 'hash_differs', 'target_taken'];

/** Reads and decides the entries of a tenant. */
@Injectable()
export class Entries {
  constructor(
    private readonly database: Database,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** Settles entries that need no file: failures reported by the agent, and files that were awaited too long. */
  async settleWithoutFile(scan: Scan): Promise<void> {
    const { tenant_id } = scan;
    const now = this.clock.now();
    await this.database.single(tenant_id).query(GIVE_UP, [tenant_id, now, GIVE_UP_DAYS, GIVEN_UP]);
    for (;;) {
      scan.signal.throwIfAborted();
      const failed = await this.database.tenant(tenant_id, async (tx) => {
        await lockJobs(tx, 'shared');
        const found = await tx.query<{ job_id: string | null; verdict: BackupVerdict }>(AGENT_FAILED, [
          tenant_id,
          now,
          PAGE,
        ]);
        const jobs = [...new Set(found.flatMap(({ job_id }) => job_id ?? []))];
        if (jobs.length > 0) await tx.execute(REFRESH_JOBS, [tenant_id, jobs]);
        return found;
      });
      for (const { verdict } of failed) scan.decided(verdict);
      if (failed.length < PAGE) return;
    }
  }

  /** The unsettled entries of an agent, newest report first; at most 5,000, the next scan reads the rest. */
  async unsettled(tenantId: string, agentId: string): Promise<UnsettledEntry[]> {
    return this.database.single(tenantId).query<UnsettledEntry>(
      `SELECT id, job_id, agent_id, database_name, company_name, city, operation_timestamp_utc, wait_until, status,
              hash_sha256, size_bytes, staged_file_name, staged_identity, verdict, reason
       FROM backup_entries
       WHERE tenant_id = $1 AND agent_id = $2 AND settled_at IS NULL AND status = 'success' AND report_fault IS NULL
       -- Those without a verdict first: what waits for long must not keep others from their verdict.
       ORDER BY verdict IS NOT NULL, effective_at DESC, id DESC LIMIT $3`,
      [tenantId, agentId, MAX_UNSETTLED],
    );
  }

  /** The agents that have unsettled entries. */
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
   * Commits verdicts and the job statuses that follow from them. Recording the same finding again changes nothing, and
   * an entry that another scan has settled stays unchanged.
   * @returns the ids of the changed entries.
   */
  async record(tenantId: string, verdicts: readonly Verdict[]): Promise<Set<string>> {
    const now = this.clock.now();
    const ids = verdicts.map(({ entry }) => entry.id);
    const rows = verdicts.map(({ entry, finding: { staged, published: _published, ...found } }) => ({
      ...found,
      id: entry.id,
      staged_action: staged?.action,
      staged_identity: staged?.identity,
    }));
    return this.database.tenant(tenantId, async (tx) => {
      await lockJobs(tx, 'shared');
      // Serialize the entries of one job: each must see the newest one before it.
      await tx.query(LOCK_JOBS_OF_ENTRIES, [tenantId, ids]);
      await tx.query(LOCK_ENTRIES, [tenantId, ids]);
      const written = await tx.query<{ id: string; job_id: string | null }>(RECORD, [
        tenantId,
        JSON.stringify(rows),
        now,
      ]);
      const changed = new Set(written.map(({ id }) => id));
      const jobs = [...new Set(written.flatMap(({ job_id }) => job_id ?? []))];
      await compareWithHistory(
        tx,
        verdicts
          .filter(({ entry, finding }) => finding.verdict === 'SUCCESS' && changed.has(entry.id))
          .map(({ entry }) => entry.id),
        jobs,
      );
      if (jobs.length > 0) await tx.execute(REFRESH_JOBS, [tenantId, jobs]);
      return changed;
    });
  }

  /** A page of the staged files that this scan or an earlier one still has to remove or move. */
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

  /** Records that this file belongs to none of the entries: the next scan does not read it again for them. */
  async skipForFile(tenantId: string, ids: readonly string[], identity: string): Promise<void> {
    await this.database
      .single(tenantId)
      .query(
        `UPDATE backup_entries SET staged_identity = $3 WHERE tenant_id = $1 AND id = ANY ($2::uuid[])`,
        [tenantId, ids, identity],
      );
  }

  /** The reports among these whose entries all have a verdict. */
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

/** Unsettled entries of one agent that one scan decides; the next scan decides the rest. */
const MAX_UNSETTLED = 5_000;

/** Parameters: $1 tenant id, $2 now, $3 days, $4 reasons. Index: backup_entries_unsettled. */
const GIVE_UP = `
  UPDATE backup_entries SET settled_at = $2
  WHERE tenant_id = $1 AND settled_at IS NULL AND reason = ANY ($4)
    AND evaluated_at < $2::timestamptz - make_interval(days => $3)`;

/**
 * A page of the entries that the agent reports as failed, and of those with an invalid report. Parameters: $1 tenant
 * id, $2 now, $3 limit.
 */
const AGENT_FAILED = `
  UPDATE backup_entries
  SET verdict = CASE WHEN report_fault IS NOT NULL OR status = 'failed' THEN 'FAILED'
                     ELSE 'TRANSFER_INTEGRITY_FAILED' END,
      reason = CASE WHEN report_fault IS NOT NULL THEN 'report_invalid'
                    WHEN status = 'failed' THEN 'agent_failed' ELSE 'agent_transfer_failed' END,
      detail = coalesce(report_fault, CASE status WHEN 'failed' THEN error_msg ELSE agent_transfer_error_message END,
                        error_msg, agent_transfer_error_message),
      evaluated_at = $2, settled_at = $2, announced_at = CASE WHEN job_id IS NULL THEN $2::timestamptz END
  WHERE tenant_id = $1 AND id IN (
    SELECT id FROM backup_entries
    WHERE tenant_id = $1 AND settled_at IS NULL AND verdict IS NULL
      AND (status <> 'success' OR report_fault IS NOT NULL)
    ORDER BY id LIMIT $3 FOR UPDATE)
  RETURNING job_id, verdict`;

/** Parameters: $1 tenant id, $2 entry ids. Locks jobs before entries, as everywhere. */
const LOCK_JOBS_OF_ENTRIES = `
  SELECT 1 FROM backup_jobs
  WHERE tenant_id = $1 AND id IN (SELECT job_id FROM backup_entries WHERE tenant_id = $1 AND id = ANY ($2::uuid[]))
  ORDER BY id FOR UPDATE`;

const LOCK_ENTRIES = `
  SELECT 1 FROM backup_entries WHERE tenant_id = $1 AND id = ANY ($2::uuid[]) ORDER BY id FOR UPDATE`;

/** Parameters: $1 tenant id, $2 the findings, $3 now. */
const RECORD = `
  UPDATE backup_entries
  SET verdict = f.verdict, reason = f.reason, detail = f.detail,
      -- What the report shows stays.
      warnings = coalesce(f.warnings, '{}') || CASE WHEN 'unknown_fields' = ANY (backup_entries.warnings)
                                                    THEN '{unknown_fields}'::text[] ELSE '{}' END,
      server_hash_sha256 = coalesce(f.server_hash_sha256, backup_entries.server_hash_sha256),
      server_size_bytes = coalesce(f.server_size_bytes, backup_entries.server_size_bytes),
      evaluated_at = $3, settled_at = CASE WHEN f.settled THEN $3::timestamptz END,
      staged_action = f.staged_action, staged_identity = f.staged_identity,
      stored_path = coalesce(f.stored_path, backup_entries.stored_path),
      stored_state = CASE WHEN f.stored_path IS NULL THEN stored_state ELSE 'stored' END,
      -- Nobody expects a database without a job. The same verdict is announced only once.
      announced_at = CASE WHEN job_id IS NULL THEN $3::timestamptz
                          WHEN backup_entries.verdict IS NOT DISTINCT FROM f.verdict THEN announced_at END
  FROM jsonb_to_recordset($2::jsonb) AS f (id uuid, verdict text, reason text, detail text, warnings text[],
    server_hash_sha256 text, server_size_bytes bigint, settled boolean, staged_action text, staged_identity text,
    stored_path text)
  WHERE tenant_id = $1 AND backup_entries.id = f.id AND settled_at IS NULL
    AND (f.settled OR f.staged_action IS NOT NULL OR backup_entries.verdict IS DISTINCT FROM f.verdict
         OR backup_entries.reason IS DISTINCT FROM f.reason OR backup_entries.detail IS DISTINCT FROM f.detail)
  RETURNING backup_entries.id, job_id`;
