import type { NotificationData } from '../contracts/kinds.js';

type SummaryGroup = NotificationData['weekly_summary']['late'][number];
type SummaryLine = SummaryGroup['lines'][number];

/** A Monday. */
export const SAMPLE_DAY = '2025-11-03';

const SOUND = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const OTHER = '60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752';

const BACKUP: NotificationData['backup_alert'] = {
  job_id: '0199f3c4-0000-7000-8000-000000000006',
  entry_id: '0199f3c4-0000-7000-8000-000000000007',
  verdict: 'HASH_MISMATCH',
  reason: 'hash_differs',
  detail: null,
  warnings: [],
  doubt: null,
  agent_id: 'nantes-01',
  database_name: 'compta_prod',
  company_name: 'Boulangerie Martin',
  city: 'Nantes',
  neighborhood: 'Chantenay',
  expected_time: '02:00',
  expected_at: '2025-11-03T01:00:00.000Z',
  status_since: '2025-11-03T01:15:00.000Z',
  last_checked_at: '2025-11-03T01:15:00.000Z',
  last_success_at: '2025-11-02T01:04:10.000Z',
  last_failure_at: '2025-11-03T01:04:12.000Z',
  operation_timestamp_utc: '2025-11-03T01:04:12.000Z',
  staged_file_name: 'compta_prod_20251103.sql.gz',
  hash_sha256: SOUND,
  server_hash_sha256: OTHER,
  hashes_match: false,
  size_bytes: 1_507_328_512,
  server_size_bytes: 1_507_328_000,
  sizes_match: false,
  compress_size_pre_compress: 6_918_201_344,
  compress_size_post_compress: 1_507_328_512,
  agent_transfer_process_status: 'completed',
  agent_transfer_process_start_time_utc: '2025-11-03T01:04:15.000Z',
  agent_transfer_process_timestamp_utc: '2025-11-03T01:09:40.000Z',
  agent_transfer_error_message: 'rsync: connection unexpectedly closed (512 bytes)',
  error_msg: 'dump finished with warnings',
  logs_summary: 'dump: 214 tables, 1 warning\nupload: resumed twice',
};

/**
 * The data of one notification of each kind: a Monday of an accounting firm. Previews of tenants' templates show it, and
 * its fields are those that a template may name, so it has every field.
 */
export const SAMPLES: { [Kind in keyof NotificationData]: Required<NotificationData[Kind]> } = {
  deadline_near: {
    deadline_id: '0199f3c4-0000-7000-8000-000000000001',
    title: 'TVA CA3',
    description: 'Régime réel normal, par EDI.',
    category: 'TVA',
    client_name: 'Boulangerie Martin',
    due_on: '2025-11-06',
  },
  documents_missing: {
    document_id: '0199f3c4-0000-7000-8000-000000000002',
    title: 'Relevés bancaires',
    client_name: 'SARL Dupont',
    description: null,
    due_on: '2025-10-31',
  },
  tasks_overdue: {
    task_id: '0199f3c4-0000-7000-8000-000000000003',
    title: 'Réviser le bilan',
    client_name: 'Garage Leroy',
    description: null,
    due_on: '2025-10-31',
  },
  reminder: {
    reminder_id: '0199f3c4-0000-7000-8000-000000000020',
    message: 'Tarif minoré jusqu’à l’échéance.',
    ticket_id: '0199f3c4-0000-7000-8000-000000000021',
    title: 'Stationnement, rue de Nantes',
    client_name: null,
    description: null,
    reference: '7512345678',
    amount_cents: 13_500,
    currency: 'EUR',
    due_on: '2025-11-06',
  },
  weekly_summary: {
    period: { from: SAMPLE_DAY, to: '2025-11-10' },
    late: [
      group('Boulangerie Martin', { list: 'documents', title: 'Relevés bancaires', due_on: '2025-10-20' }),
      group('Garage Leroy', { list: 'tasks', title: 'Réviser le bilan', due_on: '2025-11-02' }),
    ],
    upcoming: [
      group(
        'Boulangerie Martin',
        { list: 'deadlines', title: 'TVA CA3', due_on: SAMPLE_DAY },
        { list: 'deadlines', title: 'DSN mensuelle', due_on: '2025-11-05' },
      ),
    ],
    totals: { deadlines: 23, documents: 1, tasks: 1, late: 2, upcoming: 23 },
  },
  welcome: { link_id: '0199f3c4-0000-7000-8000-000000000004', expires_at: '2025-11-04T13:05:00Z' },
  password_reset: { link_id: '0199f3c4-0000-7000-8000-000000000005', expires_at: '2025-11-04T13:05:00Z' },
  password_changed: { changed_at: '2025-11-03T08:00:00Z' },
  email_changed: { changed_at: '2025-11-03T08:00:00Z', previous_email: 'claire@cabinet-durand.fr' },
  test: { requested_by: 'claire@cabinet-durand.fr' },
  event: {
    kind: 'backup.failed',
    title: 'Sauvegarde corrompue',
    body: 'La base compta ne correspond pas à son empreinte.\n\nRelancez la sauvegarde.',
  },
  backup_alert: BACKUP,
  backup_recovered: {
    ...BACKUP,
    verdict: 'SUCCESS',
    reason: null,
    server_hash_sha256: SOUND,
    hashes_match: true,
    server_size_bytes: BACKUP.size_bytes,
    sizes_match: true,
    agent_transfer_error_message: null,
    error_msg: null,
    failed: ['HASH_MISMATCH', 'MISSING'],
    failed_since: '2025-11-01T01:15:00.000Z',
  },
  backup_damaged: {
    ...BACKUP,
    verdict: 'SUCCESS',
    reason: null,
    server_hash_sha256: SOUND,
    hashes_match: true,
    stored_path:
      'cabinet-durand/Boulangerie Martin/Nantes/nantes-01/compta_prod/2025/11/compta_prod_20251103T010412Z.sql.gz',
    state: 'damaged',
    found_sha256: OTHER,
  },
  webhook_failing: {
    endpoint_id: '0199f3c4-0000-7000-8000-000000000020',
    address: 'hooks.example.com/vigie',
    host: 'hooks.example.com',
    failing_since: '2025-11-02T08:00:00.000Z',
    disabled_at: '2025-11-07T08:00:00.000Z',
    status: 500,
    fault: null,
  },
  webhook_disabled: {
    endpoint_id: '0199f3c4-0000-7000-8000-000000000020',
    address: 'hooks.example.com/vigie',
    host: 'hooks.example.com',
    reason: 'failing',
    failing_since: '2025-10-29T08:00:00.000Z',
    status: null,
    fault: 'timeout',
  },
  address_stopped: {
    stopped_address_id: '0199f3c4-0000-7000-8000-000000000021',
    channel: 'email',
    address: 'claire@cabinet-horizon.example',
    reason: 'hard_bounce',
    since: '2025-11-03T07:42:00.000Z',
    user_id: '0199f3c4-0000-7000-8000-000000000022',
  },
  backup_report_rejected: {
    agent_id: 'nantes-01',
    company_name: 'Boulangerie Martin',
    city: 'Nantes',
    report_id: '0199f3c4-0000-7000-8000-000000000008',
    file_name: '20251103_STATUS.json',
    reason: 'the file is not JSON, at position 412',
    received_at: '2025-11-03T01:15:00.000Z',
    rejected: 2,
  },
  backup_agent_silent: {
    agent_id: 'nantes-01',
    company_name: 'Boulangerie Martin',
    city: 'Nantes',
    since: '2025-11-03T01:00:00.000Z',
    missing: 203,
    databases: ['compta', 'crm', 'ged', 'paie'].map((database_name, index) => ({
      job_id: `0199f3c4-0000-7000-8000-00000000001${index}`,
      database_name,
      expected_at: '2025-11-03T01:00:00.000Z',
      last_success_at: index === 0 ? null : '2025-11-02T01:04:10.000Z',
    })),
  },
  backup_agent_back: {
    agent_id: 'nantes-01',
    company_name: 'Boulangerie Martin',
    city: 'Nantes',
    silent_since: '2025-11-03T01:00:00.000Z',
  },
  message: {
    kind: 'invoice.sent',
    title: 'Votre facture de novembre',
    body: 'Bonjour,\nvotre facture est prête.',
    data: { invoice: 'F-2025-118' },
    ticket_id: '0199f3c4-0000-7000-8000-000000000021',
  },
};

/** Lines with the reader as responsible, unless they say otherwise. */
export function group(
  client_name: string | null,
  ...lines: (Omit<SummaryLine, 'audience' | 'id'> & Partial<SummaryLine>)[]
): SummaryGroup {
  const id = '0199f3c4-0000-7000-8000-000000000007';
  return { client_name, lines: lines.map((line) => ({ id, audience: 'responsible', ...line })) };
}
