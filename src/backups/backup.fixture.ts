import type { World } from '../../test/support/world.js';
import type { BackupReason, BackupVerdict } from '../contracts/backups.js';

const HOUR_MS = 3_600_000;

/** A watched backup, put straight into its table. */
export async function addJob(world: World, tenantId: string, database: string): Promise<string> {
  const [row] = await world.sql<{ id: string }>(
    `INSERT INTO backup_jobs (tenant_id, agent_id, database_name, company_name, city, neighborhood, expected_time,
                              days_of_week, grace_minutes, expected_after, created_at, updated_at)
     VALUES ($1, 'nantes-01', $2, 'Boulangerie Martin', 'Nantes', 'Chantenay', '02:00', '{1,2,3,4,5,6,7}', 60,
             '2026-03-01', '2026-03-01', '2026-03-01') RETURNING id`,
    [tenantId, database],
  );
  return row!.id;
}

/** What a scan finds of a job at an instant, put straight into the tables: its report, its entry, its status. */
export async function addResult(
  world: World,
  tenantId: string,
  jobId: string | null,
  at: Date,
  found: {
    verdict: BackupVerdict;
    reason?: BackupReason;
    database?: string;
    values?: Record<string, unknown>;
  },
): Promise<string> {
  const { verdict, reason = null, database = 'compta', values = {} } = found;
  const row = {
    tenant_id: tenantId,
    job_id: jobId,
    agent_id: 'nantes-01',
    database_name: database,
    company_name: 'Boulangerie Martin',
    city: 'Nantes',
    effective_at: at,
    wait_until: at,
    operation_timestamp_utc: at,
    verdict,
    reason,
    evaluated_at: at,
    settled_at: at,
    created_at: at,
    ...values,
  };
  const [entry] = await world.sql<{ id: string }>(
    `WITH job AS (
       UPDATE backup_jobs
       SET status = $3, status_since = CASE WHEN status = $3 THEN status_since ELSE $4 END, last_checked_at = $4,
           last_success_at = CASE WHEN $3 = 'SUCCESS' THEN $4 ELSE last_success_at END,
           last_failure_at = CASE WHEN $3 = 'SUCCESS' THEN last_failure_at ELSE $4 END
       WHERE tenant_id = $1 AND id = $2 RETURNING agent_id, database_name
     ),
     report AS (
       INSERT INTO backup_reports (tenant_id, agent_id, source, content_sha256, state, operation_timestamp_utc,
                                   content, received_at)
       VALUES ($1, 'nantes-01', 'file', gen_random_uuid(), 'accepted', $4, '{}', $4) RETURNING id
     )
     INSERT INTO backup_entries (report_id, ${Object.keys(row).join(', ')})
     SELECT report.id, ${Object.keys(row)
       .map((column) => `e.${column}`)
       .join(', ')}
     FROM report, jsonb_populate_record(NULL::backup_entries,
       $5::jsonb || coalesce((SELECT to_jsonb(job) FROM job), '{}')) e
     RETURNING id`,
    [tenantId, jobId, verdict, at, JSON.stringify(row)],
  );
  return entry!.id;
}

export const hours = (count: number) => count * HOUR_MS;
