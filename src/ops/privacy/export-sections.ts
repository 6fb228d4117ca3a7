/** One kind of record in the export of a person. */
export interface Section {
  /** What the lines say they are. */
  record: string;
  table: string;
  /** The primary key after `tenant_id`, each column with its type. */
  key: Readonly<Record<string, 'uuid' | 'text' | 'integer'>>;
  /** SQL: the person's rows, by an index. `t` is the row, `a` what is asked. */
  where?: string;
  /** SQL: instead of an index, which rows of the table to keep; every row of the tenant is read once. */
  filter?: string;
  /** SQL: the record, as jsonb. */
  value: string;
}

/** All columns but these: secrets, fingerprints of secrets, and internal state. */
const without = (...columns: string[]) =>
  `to_jsonb(t) - ARRAY[${['tenant_id', ...columns].map((column) => `'${column}'`).join(', ')}]::text[]`;

const only = (...columns: string[]) =>
  `jsonb_build_object(${columns.map((column) => `'${column}', t.${column}`).join(', ')})`;

const nested = (name: string, table: string, condition: string, value = `to_jsonb(x) - 'tenant_id'`) => `
  jsonb_build_object('${name}', (
    SELECT coalesce(jsonb_agg(${value}), '[]') FROM ${table} x WHERE x.tenant_id = t.tenant_id AND ${condition}))`;

const named = (text: string) => `${text} ILIKE ANY (a.patterns)`;

const DELIVERY = `to_jsonb(x) - ARRAY['tenant_id', 'lease_token', 'lease_until', 'bundle_key']::text[]
  || jsonb_build_object('events', (
    SELECT coalesce(jsonb_agg(to_jsonb(e) - ARRAY['tenant_id', 'delivery_id']::text[] ORDER BY e.id), '[]')
    FROM delivery_events e WHERE e.tenant_id = x.tenant_id AND e.delivery_id = x.id))
  || jsonb_build_object('provider_events', (
    SELECT coalesce(jsonb_agg(to_jsonb(e) - ARRAY['tenant_id', 'delivery_id']::text[] ORDER BY e.at), '[]')
    FROM provider_events e WHERE e.tenant_id = x.tenant_id AND e.delivery_id = x.id))`;

const item = (record: string, table: string): Section => ({
  record,
  table,
  key: { id: 'uuid' },
  where: 't.responsible_id = a.user_id',
  value: only('id', 'title', 'due_on', 'status'),
});

const importLine = (record: string, table: string, key: Section['key'], text: string): Section => ({
  record,
  table,
  key: { import_id: 'uuid', ...key },
  filter: named(text),
  value: without(),
});

/**
 * Everything that the database keeps about a person, in the order of the export. Not in it: password hashes, tokens,
 * and the stored answers to their own requests, which end after a day.
 */
export const SECTIONS: readonly Section[] = [
  {
    record: 'account',
    table: 'users',
    key: { id: 'uuid' },
    where: 't.id = a.user_id',
    value: `${without('password_hash')}
      || jsonb_build_object('has_password', t.password_hash IS NOT NULL)
      || ${nested('preferences', 'preferences', 'x.user_id = t.id', `to_jsonb(x) - ARRAY['tenant_id', 'user_id']::text[]`)}
      || ${nested('quiet_hours', 'quiet_hours', 'x.user_id = t.id', `to_jsonb(x) - ARRAY['tenant_id', 'user_id']::text[]`)}`,
  },
  {
    record: 'session',
    table: 'sessions',
    key: { family: 'uuid' },
    where: 't.user_id = a.user_id',
    value: without('token_hash', 'previous_hash'),
  },
  {
    record: 'device',
    table: 'devices',
    key: { id: 'uuid' },
    where: 't.user_id = a.user_id',
    value: without('fingerprint', 'token'),
  },
  {
    record: 'notification',
    table: 'notifications',
    key: { id: 'uuid' },
    where: 't.recipient = ANY (a.recipients)',
    value: `${without()} || ${nested('deliveries', 'deliveries', 'x.notification_id = t.id', DELIVERY)}`,
  },
  {
    record: 'mention',
    table: 'notifications',
    key: { id: 'uuid' },
    filter: `NOT t.recipient = ANY (a.recipients)
      AND (${named('t.data::text')} OR t.created_by = 'user:' || a.user_id)`,
    value: only('id', 'kind', 'created_at'),
  },
  {
    record: 'stopped_address',
    table: 'stopped_addresses',
    key: { id: 'uuid' },
    where: 't.address = ANY (a.addresses)',
    value: without(),
  },
  {
    record: 'reminder',
    table: 'reminders',
    key: { id: 'uuid' },
    where: 't.user_id = a.user_id',
    value: without(),
  },
  item('deadline', 'deadlines'),
  item('document_request', 'document_requests'),
  item('task', 'tasks'),
  item('ticket', 'tickets'),
  {
    record: 'alert',
    table: 'alerts',
    key: { id: 'uuid' },
    filter: `a.user_id IN (t.acknowledged_by, t.resolved_by) OR ${named('t.data::text')}`,
    value: only('id', 'kind', 'first_seen_at', 'acknowledged_at', 'resolved_at'),
  },
  {
    record: 'backup_note',
    table: 'backup_notes',
    key: { id: 'uuid' },
    filter: `t.author_id = a.user_id OR ${named('t.text')}`,
    value: without(),
  },
  {
    record: 'import',
    table: 'imports',
    key: { id: 'uuid' },
    filter: `t.created_by = 'user:' || a.user_id`,
    value: only('id', 'kind', 'created_at', 'finished_at', 'lines'),
  },
  importLine('import_row', 'import_rows', { line: 'integer' }, 't.fields::text'),
  importLine('import_fault', 'import_faults', { line: 'integer', field: 'text' }, 't.detail'),
  importLine(
    'import_change',
    'import_changes',
    { place: 'integer' },
    `(t.title || t.before::text || t.after::text)`,
  ),
  {
    record: 'template',
    table: 'tenant_templates',
    key: { kind: 'text', locale: 'text', part: 'text' },
    filter: `t.written_by = 'user:' || a.user_id`,
    value: only('kind', 'locale', 'part', 'updated_at'),
  },
  {
    record: 'audit_entry',
    table: 'audit_log',
    key: { id: 'uuid' },
    filter: `t.actor = 'user:' || a.user_id OR strpos(t.targets::text, a.user_id::text) > 0`,
    value: without(),
  },
];

/** Rows of the person per statement. */
const OWN_ROWS = 100;
/** Rows read per statement where no index finds the person. */
const SCANNED_ROWS = 5_000;

export interface PageRow {
  /** The values of the row's key. */
  key: string[];
  /** Null: a row of somebody else. */
  record: Record<string, unknown> | null;
}

/** How many rows a page has, unless it is the last. */
export const pageSize = ({ filter }: Section): number => (filter === undefined ? OWN_ROWS : SCANNED_ROWS);

/** $1 tenant id, $2 user id or null, $3 addresses, $4 recipients, $5 patterns for ILIKE, $6 the last key or null */
export function pageSql(section: Section): string {
  const columns = Object.keys(section.key).map((column) => `t.${column}`);
  const after = Object.values(section.key).map((type, at) => `($6::text[])[${at + 1}]::${type}`);
  return `
  WITH a AS (
    SELECT $2::uuid AS user_id, $3::text[] AS addresses, $4::text[] AS recipients, $5::text[] AS patterns
  ), page AS MATERIALIZED (
    SELECT t.* FROM ${section.table} t, a
    WHERE t.tenant_id = $1 AND (${section.where ?? 'true'})
      AND ($6::text[] IS NULL OR (${columns.join(', ')}) > (${after.join(', ')}))
    ORDER BY ${columns.join(', ')} LIMIT ${pageSize(section)}
  )
  SELECT ARRAY[${columns.map((column) => `${column}::text`).join(', ')}] AS key,
         CASE WHEN ${section.filter ?? 'true'} THEN ${section.value} END AS record
  FROM page t, a ORDER BY ${columns.join(', ')}`;
}
