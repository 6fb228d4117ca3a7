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
