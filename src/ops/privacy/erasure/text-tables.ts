/** How a column is searched. `key`: a value that must stay unique is replaced as a whole. */
export type TextColumn = 'text' | 'jsonb' | 'json' | 'key';

/** A table whose texts may name a person. */
export interface TextTable {
  table: string;
  /** The primary key after `tenant_id`, each column with its type. */
  key: Readonly<Record<string, 'uuid' | 'text' | 'integer'>>;
  columns: Readonly<Record<string, TextColumn>>;
  /** Rows that one statement reads; fewer where they may be long. */
  page?: number;
}

/** Rows that one statement reads: most of them are only read. */
const PAGE = 2_000;

export function pageOf({ page = PAGE }: TextTable): number {
  return page;
}

const ID = { id: 'uuid' } as const;

const item = (table: string, more: TextTable['columns'] = {}): TextTable => ({
  table,
  key: ID,
  columns: { title: 'text', client_name: 'text', description: 'text', external_id: 'key', ...more },
});

/**
 * Where texts may name somebody, in the order in which they are searched: what others are made of comes first. A test
 * compares this list with the schema: a column is here, or has a reason why it names nobody.
 */
export const TEXT_TABLES: readonly TextTable[] = [
  item('deadlines', { category: 'text' }),
  item('document_requests'),
  item('tasks'),
  item('tickets', { reference: 'text' }),
  { table: 'reminders', key: ID, columns: { message: 'text' } },
  { table: 'backup_reports', key: ID, columns: { content: 'jsonb', reason: 'text' }, page: 50 },
  {
    table: 'backup_entries',
    key: ID,
    columns: {
      agent_transfer_error_message: 'text',
      logs_summary: 'text',
      error_msg: 'text',
      report_fault: 'text',
      detail: 'text',
    },
  },
  { table: 'backup_notes', key: ID, columns: { text: 'text' } },
  {
    table: 'tenant_templates',
    key: { kind: 'text', locale: 'text', part: 'text' },
    columns: { source: 'text', broken_reason: 'text' },
  },
  { table: 'api_keys', key: ID, columns: { name: 'text' } },
  {
    table: 'webhook_endpoints',
    key: ID,
    columns: { url_shown: 'text', description: 'text', last_error: 'text' },
  },
  { table: 'imports', key: ID, columns: { error: 'text' } },
  { table: 'import_rows', key: { import_id: 'uuid', line: 'integer' }, columns: { fields: 'jsonb' } },
  {
    table: 'import_faults',
    key: { import_id: 'uuid', line: 'integer', field: 'text' },
    columns: { detail: 'text' },
  },
  {
    table: 'import_changes',
    key: { import_id: 'uuid', place: 'integer' },
    columns: { title: 'text', before: 'jsonb', after: 'jsonb' },
  },
  { table: 'alerts', key: ID, columns: { data: 'jsonb', dedupe_key: 'key' } },
  { table: 'notifications', key: ID, columns: { data: 'jsonb', dedupe_key: 'key' } },
  {
    table: 'idempotency_keys',
    key: { principal: 'text', key: 'text' },
    columns: { key: 'key', response: 'json' },
    page: 500,
  },
  { table: 'job_runs', key: ID, columns: { error: 'text' } },
];

/** What a message leaves behind: searched once those that are being sent have their outcomes. */
export const OUTCOME_TABLES: readonly TextTable[] = [
  {
    table: 'deliveries',
    key: ID,
    columns: { error: 'text', provider_id: 'text', sent_subject: 'text', sent_text: 'text' },
    page: 500,
  },
  { table: 'delivery_events', key: { delivery_id: 'uuid', id: 'uuid' }, columns: { error: 'text' } },
  {
    table: 'provider_events',
    key: { delivery_id: 'uuid', provider: 'text', event_key: 'text' },
    columns: { detail: 'text', event_key: 'key' },
  },
  { table: 'webhook_attempts', key: ID, columns: { error: 'text', answer: 'text' } },
];
