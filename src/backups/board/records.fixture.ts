import { randomUUID } from 'node:crypto';
import { insertRow, type Row } from '../../../test/support/rows.js';
import type { World } from '../../../test/support/world.js';
import type { BackupVerdict } from '../../contracts/backups.js';
import { EVERY_DAY } from '../jobs/backup-jobs.dto.js';
import { REFRESH_JOBS } from '../jobs/job-status.sql.js';

/*
 * Inserts backup rows directly into their tables, as the API and the scans would. Fields that a test does not set have
 * the values below.
 */

const DATABASE = {
  agent_id: 'paris-01',
  database_name: 'comptabilite',
  company_name: 'Boulangerie Martin',
  city: 'Paris',
};

/** A job as the API takes it. */
export const JOB = { ...DATABASE, expected_time: '02:00' };

/** A tenant's `schedule_from` that disables scheduled scans. */
export const NO_SLOTS = '9999-01-01T00:00:00Z';

/** Deletes all backups and their notifications. */
export async function forgetBackups(world: World): Promise<void> {
  const announced = ['deliveries', 'notifications', 'alerts'];
  for (const table of ['backup_reports', 'backup_entries', 'backup_jobs', ...announced]) {
    await world.sql(`DELETE FROM ${table}`);
  }
}

/** A daily job, expected since 1 March 2026, without a report. */
export function addJob(world: World, tenantId: string, fields: Row = {}): Promise<string> {
  const since = '2026-03-01T00:00:00Z';
  return insertRow(world, 'backup_jobs', {
    tenant_id: tenantId,
    ...JOB,
    days_of_week: EVERY_DAY,
    grace_minutes: 120,
    expected_after: since,
    created_at: since,
    updated_at: since,
    ...fields,
  });
}

/** A report that a scan has taken. */
export function addReport(world: World, tenantId: string, fields: Row = {}): Promise<string> {
  return insertRow(world, 'backup_reports', {
    tenant_id: tenantId,
    agent_id: JOB.agent_id,
    source: 'file',
    file_name: 'STATUS.json',
    content_sha256: randomUUID(),
    state: 'accepted',
    operation_timestamp_utc: '2026-03-02T01:00:00Z',
    content: {},
    received_at: '2026-03-02T01:05:00Z',
    ...fields,
  });
}

/** The fields of an entry; `report_id` null: without a report. */
export interface EntryFields extends Row {
  effective_at: string | Date;
  verdict: BackupVerdict | null;
  job_id?: string | null;
}

/**
 * An entry as a scan leaves it: part of a report, and evaluated five minutes later if it has a verdict. It takes agent,
 * database and place from its job.
 */
export async function addEntry(world: World, tenantId: string, fields: EntryFields): Promise<string> {
  const { effective_at, verdict, job_id = null, report_id } = fields;
  const [job] = await world.sql(
    `SELECT agent_id, database_name, company_name, city FROM backup_jobs WHERE id = $1`,
    [job_id],
  );
  const of = { ...DATABASE, ...job };
  const evaluated_at = verdict === null ? null : new Date(new Date(effective_at).getTime() + 300_000);
  const { agent_id } = { ...of, ...fields };
  return insertRow(world, 'backup_entries', {
    tenant_id: tenantId,
    ...of,
    wait_until: effective_at,
    evaluated_at,
    settled_at: evaluated_at,
    created_at: effective_at,
    ...fields,
    report_id: report_id === undefined ? await addReport(world, tenantId, { agent_id }) : report_id,
  });
}

/** Adds an entry and refreshes its job's status. */
export async function addResult(world: World, tenantId: string, fields: EntryFields): Promise<string> {
  const { job_id = null, effective_at } = fields;
  const entry = await addEntry(world, tenantId, { operation_timestamp_utc: effective_at, ...fields });
  await world.sql(REFRESH_JOBS, [tenantId, [job_id]]);
  return entry;
}

/** Adds many daily jobs with 30 results each until now, of which some failed or are missing. */
export async function addManyJobs(world: World, tenantId: string, jobs: number, now: string): Promise<void> {
  await world.sql(
    `INSERT INTO backup_jobs (tenant_id, agent_id, database_name, company_name, city, expected_time, days_of_week,
                              grace_minutes, expected_after, created_at, updated_at, status, last_success_at)
     SELECT $1, 'srv-' || n % 200, 'base_' || n, 'Company ' || n % 200, (ARRAY['Paris', 'Lyon', 'Lille'])[1 + n % 3],
            lpad((n % 6)::text, 2, '0') || ':15', '{1,2,3,4,5,6,7}', 120, now(), now(), now(), 'SUCCESS',
            $2::timestamptz - random() * interval '7 hours'
     FROM generate_series(1, $3) n`,
    [tenantId, now, jobs],
  );
  const reports: string[] = [];
  for (let day = 0; day < 30; day++) reports.push(await addReport(world, tenantId));
  await world.sql(
    `INSERT INTO backup_entries (tenant_id, job_id, report_id, agent_id, database_name, company_name, city,
                                 effective_at, wait_until, verdict, evaluated_at, settled_at, created_at,
                                 server_size_bytes)
     SELECT j.tenant_id, j.id, r.id, j.agent_id, j.database_name, 'Martin', 'Paris',
            $1::timestamptz - make_interval(days => r.day::int), $1,
            CASE WHEN random() < 0.04 THEN 'MISSING' WHEN random() < 0.03 THEN 'FAILED' ELSE 'SUCCESS' END, $1, $1, $1,
            (5e8 * (0.9 + random() / 5))::bigint
     FROM backup_jobs j, unnest($2::uuid[]) WITH ORDINALITY AS r (id, day)
     WHERE j.tenant_id = $3 AND j.database_name LIKE 'base\\_%'`,
    [now, reports, tenantId],
  );
  await world.sql('VACUUM ANALYZE backup_jobs, backup_entries');
}
