import { randomUUID } from 'node:crypto';
import type { World } from '../../test/support/world.js';

/** A job as the API takes it. */
export const JOB = {
  agent_id: 'paris-01',
  database_name: 'comptabilite',
  company_name: 'Boulangerie Martin',
  city: 'Paris',
  expected_time: '02:00',
};

/** Inserts a row past the API; its id. */
export async function insert(world: World, table: string, row: Record<string, unknown>): Promise<string> {
  const columns = Object.keys(row);
  const [created] = await world.sql<{ id: string }>(
    `INSERT INTO ${table} (${columns.join(', ')})
     VALUES (${columns.map((_column, at) => `$${at + 1}`).join(', ')}) RETURNING id`,
    Object.values(row),
  );
  return created!.id;
}

/** A report that a scan has taken. */
export function addReport(
  world: World,
  tenantId: string,
  fields: Record<string, unknown> = {},
): Promise<string> {
  return insert(world, 'backup_reports', {
    tenant_id: tenantId,
    agent_id: JOB.agent_id,
    source: 'file',
    file_name: 'STATUS.json',
    content_sha256: randomUUID(),
    state: 'accepted',
    operation_timestamp_utc: '2026-03-02T01:00:00Z',
    content: '{}',
    received_at: '2026-03-02T01:05:00Z',
    ...fields,
  });
}

/** An entry as a scan leaves it: of a report, evaluated five minutes later where it has a verdict. */
export async function addEntry(
  world: World,
  tenantId: string,
  fields: { effective_at: string; verdict: string | null } & Record<string, unknown>,
): Promise<string> {
  const { effective_at, verdict } = fields;
  const evaluated_at = verdict === null ? null : new Date(Date.parse(effective_at) + 300_000);
  const { agent_id } = { ...JOB, ...fields };
  return insert(world, 'backup_entries', {
    tenant_id: tenantId,
    report_id: await addReport(world, tenantId, { agent_id }),
    agent_id,
    database_name: JOB.database_name,
    company_name: JOB.company_name,
    city: JOB.city,
    wait_until: effective_at,
    evaluated_at,
    settled_at: evaluated_at,
    created_at: effective_at,
    ...fields,
  });
}
