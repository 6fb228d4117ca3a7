import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Cast, Person } from '../../../../test/support/cast.js';
import { insertRow } from '../../../../test/support/rows.js';
import type { World } from '../../../../test/support/world.js';
import { CASES } from '../../../../test/rules/victims.js';
import { type ArchiveStage, NOW } from '../../archives/archives.fixture.js';
import { addCanary, addMessage, EMAIL, insert, NAME, OLD, PHONE } from '../privacy.fixture.js';
import { OUTCOME_TABLES, TEXT_TABLES } from './text-tables.js';

/** What must not be left of the canary. */
export const TRACE = `${NAME}|${EMAIL}|${PHONE}`.replace(/[+.]/g, '\\$&');
const IN_TEXTS = `${NAME}, ${EMAIL}`;
/** Rows that may have a value. */
const ONLY: Record<string, string> = {
  'backup_reports.reason': `state = 'rejected'`,
  'backup_reports.content': `state = 'accepted'`,
};
const TABLES = [...TEXT_TABLES, ...OUTCOME_TABLES];

/** The canary of a tenant, named in every text column of every table, in rows of others, too. */
export async function addNamedEverywhere(world: World, cast: Cast): Promise<Person> {
  const { tenant_id, admin } = cast;
  const person = await addCanary(world, cast.tenant, admin);
  // Of somebody else, and archived: the cleanup keeps what names the canary there.
  await addMessage(world, tenant_id, `user:${admin.id}`, { user_id: admin.id, created_at: OLD });
  for (const { create } of Object.values(CASES)) await create(world, cast);
  await insert(world, 'tenant_templates', {
    tenant_id,
    kind: 'event',
    locale: 'fr',
    part: 'body',
    source: 'x',
    written_by: `user:${admin.id}`,
    updated_at: NOW,
  });
  await insertRow(world, 'backup_reports', {
    tenant_id,
    agent_id: 'paris-01',
    source: 'file',
    content_sha256: 'x',
    state: 'rejected',
    reason: 'x',
    received_at: NOW,
  });
  const [endpoint] = await world.sql<{ id: string }>(
    `SELECT id FROM webhook_endpoints WHERE tenant_id = $1 LIMIT 1`,
    [tenant_id],
  );
  await insertRow(world, 'webhook_attempts', {
    tenant_id,
    endpoint_id: endpoint!.id,
    delivered: false,
    duration_ms: 1,
    at: NOW,
  });
  return person;
}

/** Puts the canary into every text column that an erasure searches. */
export async function nameInEveryColumn(world: World, tenantId: string): Promise<void> {
  for (const { table, columns } of TABLES) {
    const values = Object.entries(columns).map(([column, type]) => {
      if (type === 'key') return `${column} = 'key:${EMAIL}:' || gen_random_uuid()`;
      const value =
        type === 'text'
          ? `'${IN_TEXTS}'`
          : `(coalesce(${column}::jsonb, '{}') || '{"note": "\\n${IN_TEXTS}"}')::${type}`;
      const only = ONLY[`${table}.${column}`];
      return `${column} = ${only === undefined ? value : `CASE WHEN ${only} THEN ${value} ELSE ${column} END`}`;
    });
    await world.sql(`UPDATE ${table} SET ${values.join(', ')} WHERE tenant_id = $1`, [tenantId]);
  }
}

/** The tables with rows that name the canary, or match this pattern: of this tenant, or of none. */
export async function tracesIn(
  world: Pick<World, 'sql'>,
  tenantId: string,
  trace = TRACE,
): Promise<string[]> {
  const found: string[] = [];
  for (const { table, tenant_column } of await tablesOf(world)) {
    const rows = await world.sql(
      `SELECT 1 FROM ${table} t WHERE to_jsonb(t)::text ~* $1 ${tenant_column === null ? '' : `AND ${tenant_column} = '${tenantId}'`} LIMIT 1`,
      [trace],
    );
    if (rows.length > 0) found.push(table);
  }
  return found;
}

/** Rows by table, and what they are: of one tenant. */
export async function rowsOf(
  world: World,
  tenantId: string,
): Promise<Record<string, { rows: number; content: string | null }>> {
  const found: Record<string, { rows: number; content: string | null }> = {};
  for (const { table, tenant_column } of await tablesOf(world)) {
    if (tenant_column === null) continue;
    const [row] = await world.sql<{ rows: number; content: string | null }>(
      `SELECT count(*)::integer AS rows, md5(string_agg(to_jsonb(t)::text, '' ORDER BY to_jsonb(t)::text)) AS content
       FROM ${table} t WHERE ${tenant_column} = $1`,
      [tenantId],
    );
    found[table] = row!;
  }
  return found;
}

/** Every table, with the column of its tenant. */
async function tablesOf(
  world: Pick<World, 'sql'>,
): Promise<{ table: string; tenant_column: string | null }[]> {
  return world.sql(
    `SELECT c.relname AS table,
            CASE WHEN c.relname = 'tenants' THEN 'id'
                 WHEN a.attname IS NOT NULL THEN 'tenant_id' END AS tenant_column
     FROM pg_class c
     LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1`,
  );
}

/** The archives of a tenant: their files, and how many rows name the canary, or match this pattern. */
export async function archivesOf(
  { data_dir }: Pick<ArchiveStage, 'data_dir'>,
  slug: string,
  trace = TRACE,
): Promise<{ files: string[]; rows: number; traces: number }> {
  const folder = join(data_dir, 'archives', slug);
  const files = (await readdir(folder, { recursive: true }).catch(() => []))
    .filter((name) => name.includes('/'))
    .sort();
  let rows = 0;
  let traces = 0;
  for (const file of files.filter((name) => name.endsWith('.gz'))) {
    const lines = gunzipSync(await readFile(join(folder, file)))
      .toString()
      .split('\n')
      .slice(0, -1);
    rows += lines.length;
    traces += lines.filter((line) => new RegExp(trace, 'i').test(line)).length;
  }
  return { files, rows, traces };
}
