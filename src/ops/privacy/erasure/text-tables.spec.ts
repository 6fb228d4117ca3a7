import { createWorld, type World } from '../../../../test/support/world.js';
import { OUTCOME_TABLES, TEXT_TABLES } from './text-tables.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

/** Text columns that an erasure does not search, and why. */
const KEPT: Record<string, readonly string[]> = {
  'is deleted with the account, or is another person’s own account': [
    'users.email',
    'users.name',
    'users.phone',
    'users.locale',
    'users.time_zone',
    'users.role',
    'users.bundling',
    'users.password_hash',
    'preferences.kind',
    'preferences.channel',
    'quiet_hours.starts_at',
    'quiet_hours.ends_at',
    'quiet_hours.receiving_hours',
    'sessions.user_agent',
    'devices.platform',
    'devices.token',
    'devices.name',
  ],
  'has a step of its own': [
    'tenants.settings',
    'notifications.recipient',
    'deliveries.recipient',
    'deliveries.address',
    'stopped_addresses.address',
    'audit_log.ip',
    'erasures.subject',
  ],
  'is the tenant itself': ['tenants.slug', 'tenants.name', 'tenants.time_zone', 'tenants.locale'],
  'names a person by an id': [
    'notifications.created_by',
    'deliveries.direct_by',
    'idempotency_keys.principal',
    'imports.created_by',
    'job_runs.triggered_by',
    'tenant_templates.written_by',
    'audit_log.actor',
    'audit_log.targets',
    'erasures.requested_by',
  ],
  'names a machine, a database, a place or a file': [
    'api_keys.agent_id',
    ...['agent_id', 'database_name', 'company_name', 'city', 'neighborhood', 'expected_time'].map(
      (column) => `backup_jobs.${column}`,
    ),
    'backup_scans.ignored_folders',
    'backup_reports.agent_id',
    'backup_reports.file_name',
    ...['agent_id', 'database_name', 'company_name', 'city', 'neighborhood', 'staged_file_name'].map(
      (column) => `backup_entries.${column}`,
    ),
    'backup_entries.staged_identity',
    'backup_entries.stored_path',
    'archives.path',
    'erasures.unreadable_archives',
  ],
  'is a hash, or encrypted': [
    'backup_reports.content_sha256',
    'backup_entries.hash_sha256',
    'backup_entries.server_hash_sha256',
    'archives.sha256',
    'imports.content_sha256',
    'webhook_endpoints.url',
    'webhook_endpoints.secret',
    'webhook_endpoints.previous_secret',
  ],
};

/** Columns whose values the product chooses: names of kinds, states, reasons and the like. */
const CODES = new Set(
  `kind channel channels mode state state_reason status severity source_type audience reason defer_reason verdict
   stored_state staged_action source format encoding outcome field part locale provider event bounce platform currency
   local_time end_reason time_zone bundle_key traceparent job slot thing schema_version counts step position waiting_for
   actor_kind action changed request_id scopes warnings kinds remaining agent_transfer_process_status fault
   settings_version`.split(/\s+/),
);

it('every text column of a tenant is searched, or names nobody', async () => {
  const searched = new Set(
    [...TEXT_TABLES, ...OUTCOME_TABLES].flatMap(({ table, columns }) =>
      Object.keys(columns).map((column) => `${table}.${column}`),
    ),
  );
  const kept = Object.values(KEPT).flat();
  const rows = await world.sql<{ place: string; column: string }>(
    `SELECT c.table_name || '.' || c.column_name AS place, c.column_name AS column
     FROM information_schema.columns c
     WHERE c.table_schema = 'public' AND c.is_generated = 'NEVER' AND c.udt_name IN ('text', 'json', 'jsonb', '_text')
       AND (c.table_name = 'tenants' OR EXISTS (
         SELECT FROM information_schema.columns t
         WHERE t.table_schema = 'public' AND t.table_name = c.table_name AND t.column_name = 'tenant_id'))`,
  );
  const places = rows.map(({ place }) => place);
  expect([...searched].filter((place) => !places.includes(place))).toEqual([]);
  expect(
    rows
      .filter(({ place, column }) => !searched.has(place) && !kept.includes(place) && !CODES.has(column))
      .map(({ place }) => place)
      .sort(),
  ).toEqual([]);
  expect(kept.filter((place) => !places.includes(place) || searched.has(place))).toEqual([]);
});
