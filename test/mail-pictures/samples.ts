import type { NotificationKind } from '../../src/contracts/kinds.js';
import { KIND_DATA } from '../../src/wording/rendering.fixtures.js';
import type { Reader, WordedItem } from '../../src/wording/worded.js';

/** A sample mail: one item with its kind's templates, several with the bundle's. */
export interface Sample {
  name: string;
  items: readonly WordedItem[];
}

/** A Monday. */
const TODAY = '2025-11-03';
const DAY_MS = 24 * 60 * 60_000;

export const READER: Omit<Reader, 'locale'> = {
  today: TODAY,
  tenant: { name: 'Cabinet Horizon', time_zone: 'Europe/Paris' },
  recipient: { name: 'Claire' },
  own: null,
};

const CLIENTS = [
  'Boulangerie Martin',
  'SARL Dupont & Fils',
  'Garage Leroy',
  'Pharmacie du Marché',
  'Menuiserie Le Bihan',
  'SCI Les Tilleuls',
  'Restaurant L’Escale',
  'Atelier Nord',
  'Cabinet dentaire Roux',
  'Transports Kervella',
  'Librairie du Port',
  'Plomberie Garnier',
  'Hôtel des Dunes',
];
const OBLIGATIONS = ['TVA CA3', 'DSN mensuelle', 'Acompte d’IS', 'Solde de CFE'];
const DOCUMENTS = ['Relevés bancaires', 'Factures fournisseurs', 'Notes de frais'];
const TASKS = ['Réviser le bilan', 'Saisir les factures', 'Préparer le rendez-vous'];
const HAS_ALERT: readonly NotificationKind[] = [
  'deadline_near',
  'documents_missing',
  'tasks_overdue',
  'event',
  'backup_alert',
  'backup_damaged',
  'backup_agent_silent',
  'backup_report_rejected',
];
const ACT_URL = `https://vigie.cabinet-horizon.fr/alerts/act/${'x'.repeat(48)}.${'y'.repeat(43)}`;
const LONG = 'Déclaration_européenne_de_services_et_état_récapitulatif_'.repeat(3);

/** The civil date so many days from today. */
function dateIn(days: number): string {
  return new Date(Date.parse(`${TODAY}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

function item(kind: NotificationKind, data: Record<string, unknown>, rest: Partial<WordedItem> = {}) {
  const worded: WordedItem = {
    id: null,
    kind,
    severity: 'warning',
    data: { ...KIND_DATA[kind], ...data },
    created_at: new Date(`${TODAY}T08:00:00Z`),
    audience: 'responsible',
    author_name: null,
    item_url: 'https://vigie.cabinet-horizon.fr/items/0199f3c4-0000-7000-8000-000000000001',
    act_url: HAS_ALERT.includes(kind) ? ACT_URL : null,
    ...rest,
  };
  return worded;
}

function of(list: readonly string[], index: number): string {
  return list[index % list.length] ?? '';
}

const deadline = (days: number, index = 0, rest: Partial<WordedItem> = {}) =>
  item(
    'deadline_near',
    { title: of(OBLIGATIONS, index), client_name: of(CLIENTS, index), due_on: dateIn(days), category: 'tva' },
    rest,
  );
const request = (days: number, index = 0, rest: Partial<WordedItem> = {}) =>
  item(
    'documents_missing',
    { title: of(DOCUMENTS, index), client_name: of(CLIENTS, index), due_on: dateIn(days) },
    rest,
  );
const task = (days: number, index = 0, rest: Partial<WordedItem> = {}) =>
  item(
    'tasks_overdue',
    { title: of(TASKS, index), client_name: of(CLIENTS, index + 3), due_on: dateIn(days) },
    rest,
  );

/** Most are due on one date of the calendar (VAT); some are late. */
const DEADLINE_DAYS = [3, 3, 3, 0, 3, 3, 10, 3, -2, 3, 1, 3, -16, 3, 3, 12];

/** One person's heavy day: so many deadlines, documents and tasks, from three weeks late to three weeks ahead. */
export function heavyDay(deadlines: number, documents: number, tasks: number): WordedItem[] {
  const from = (count: number, make: (index: number) => WordedItem) =>
    Array.from({ length: count }, (_none, index) => make(index));
  return [
    ...from(deadlines, (index) => deadline(DEADLINE_DAYS[index % DEADLINE_DAYS.length] ?? 0, index)),
    ...from(documents, (index) => request(-(index % 13), index)),
    ...from(tasks, (index) =>
      task(-1 - ((index * 4) % 20), index, index % 4 === 0 ? { audience: 'unassigned' } : {}),
    ),
  ];
}

/** One or several agents that are down, with all their databases. */
export function agentsDown(databases: number, agents: number): WordedItem[] {
  const verdicts = ['MISSING', 'MISSING', 'FAILED', 'HASH_MISMATCH', 'TRANSFER_INTEGRITY_FAILED'];
  return Array.from({ length: databases }, (_none, index) =>
    item(
      'backup_alert',
      {
        agent_id: `nantes-0${1 + (index % agents)}`,
        database_name: `compta_${of(CLIENTS, index)
          .toLowerCase()
          .replace(/[^a-z]+/g, '_')}_${index}`,
        verdict: of(verdicts, index),
        last_success_at: index % 7 === 3 ? null : '2025-11-02T01:04:10.000Z',
      },
      { severity: 'critical', audience: 'alert_recipient' },
    ),
  );
}

/** The fields of a report that never arrived. */
const NO_REPORT = {
  operation_timestamp_utc: null,
  staged_file_name: null,
  hash_sha256: null,
  server_hash_sha256: null,
  hashes_match: null,
  size_bytes: null,
  server_size_bytes: null,
  sizes_match: null,
  agent_transfer_error_message: null,
  error_msg: null,
  logs_summary: null,
};

const message = {
  title: 'Dossier Boulangerie Martin : pièces à reprendre',
  body:
    'Bonjour Claire,\n\nIl manque deux factures de septembre, elles sont là : ' +
    'https://drive.example.fr/dossiers/boulangerie-martin?mois=2025-09 (accès avec votre compte).\n\n' +
    'Tu peux les saisir avant jeudi ?\nMerci !',
};

export const SAMPLES: readonly Sample[] = [
  { name: 'deadline-15-days-late', items: [deadline(-15)] },
  { name: 'deadline-3-days-late', items: [deadline(-3, 1, { audience: 'unassigned' })] },
  { name: 'deadline-today', items: [deadline(0, 2)] },
  { name: 'deadline-tomorrow', items: [deadline(1, 3)] },
  {
    name: 'deadline-in-12-days',
    items: [
      item('deadline_near', {
        title: LONG,
        client_name: 'Société-Coopérative-Interdépartementale-de-Transformation-Laitière',
        description:
          'Voir la notice https://www.impots.gouv.fr/portail/formulaire/3310-ca3-sd et\ndemander le détail des acomptes.',
        category: 'Fiscal – régime réel normal',
        due_on: dateIn(12),
      }),
    ],
  },
  { name: 'document-late', items: [request(-9)] },
  { name: 'document-expected', items: [request(2, 0, { item_url: null })] },
  { name: 'task-late', items: [task(-2, 0, { audience: 'unassigned' })] },
  { name: 'reminder-of-a-ticket', items: [item('reminder', {}, { severity: 'info', audience: 'self' })] },
  {
    name: 'reminder-late',
    items: [
      item('reminder', { due_on: dateIn(-9), message: null }, { audience: 'unassigned', item_url: null }),
    ],
  },
  {
    name: 'reminder-alone',
    items: [
      item(
        'reminder',
        { ticket_id: null, title: null, due_on: null, reference: null, amount_cents: null },
        {
          severity: 'info',
          audience: 'self',
          item_url: null,
        },
      ),
    ],
  },
  { name: 'weekly-summary', items: [item('weekly_summary', {}, { severity: 'info', audience: 'self' })] },
  {
    name: 'weekly-summary-quiet',
    items: [
      item(
        'weekly_summary',
        { late: [], upcoming: [], totals: { deadlines: 0, documents: 0, tasks: 0, late: 0, upcoming: 0 } },
        { severity: 'info' },
      ),
    ],
  },
  { name: 'message', items: [item('message', message, { severity: 'info', author_name: 'Bruno Le Gall' })] },
  {
    name: 'message-hostile',
    items: [
      item(
        'message',
        {
          title: 'Vigie - choisissez un nouveau mot de passe',
          body: 'Votre mot de passe expire. Cliquez ici : https://vigie.example.evil/password\n\nשלום, זו הודעה.',
        },
        { severity: 'info', author_name: 'Jean Hôte' },
      ),
    ],
  },
  { name: 'event', items: [item('event', {}, { item_url: null, audience: 'addressed' })] },
  { name: 'welcome', items: [item('welcome', link(), { severity: 'info', item_url: null })] },
  { name: 'password-reset', items: [item('password_reset', link(), { severity: 'info', item_url: null })] },
  {
    name: 'password-changed',
    items: [item('password_changed', {}, { severity: 'info', item_url: null, audience: 'self' })],
  },
  {
    name: 'email-changed',
    items: [item('email_changed', {}, { severity: 'info', item_url: null, audience: 'self' })],
  },
  {
    name: 'address-stopped',
    items: [item('address_stopped', {}, { item_url: null, audience: 'alert_recipient' })],
  },
  {
    name: 'number-stopped',
    items: [
      item(
        'address_stopped',
        { channel: 'sms', address: '+33612345678', reason: 'stop' },
        { item_url: null, audience: 'alert_recipient' },
      ),
    ],
  },
  { name: 'test', items: [item('test', {}, { severity: 'info', item_url: null, audience: 'self' })] },
  { name: 'backup-alert', items: [backup('backup_alert', 'critical')] },
  {
    name: 'backup-missing',
    items: [
      item(
        'backup_alert',
        { verdict: 'MISSING', reason: 'no_report', ...NO_REPORT },
        { severity: 'critical', audience: 'unassigned', item_url: null },
      ),
    ],
  },
  { name: 'backup-recovered', items: [backup('backup_recovered', 'info')] },
  { name: 'backup-damaged', items: [backup('backup_damaged', 'critical')] },
  { name: 'backup-report-rejected', items: [item('backup_report_rejected', {}, { item_url: null })] },
  { name: 'backup-agent-silent', items: [item('backup_agent_silent', {}, { severity: 'critical' })] },
  { name: 'backup-agent-back', items: [item('backup_agent_back', {}, { severity: 'info' })] },
  { name: 'webhook-failing', items: [item('webhook_failing', {}, { item_url: null })] },
  { name: 'webhook-disabled', items: [item('webhook_disabled', {}, { item_url: null })] },
  { name: 'bundle-2', items: [deadline(-1), request(-4, 1)] },
  { name: 'bundle-3', items: [deadline(1), deadline(0, 8, { audience: 'unassigned' }), task(-16, 1)] },
  { name: 'bundle-61', items: heavyDay(40, 12, 9) },
  { name: 'bundle-200', items: heavyDay(140, 40, 20) },
  {
    name: 'bundle-mixed',
    items: [
      deadline(4),
      item('deadline_near', { title: LONG, client_name: null, due_on: dateIn(-30) }),
      backup('backup_recovered', 'info'),
      item('event', {}, { item_url: null }),
    ],
  },
  { name: 'bundle-agent-down', items: agentsDown(12, 1) },
  { name: 'bundle-200-databases', items: agentsDown(200, 3) },
];

function backup(kind: 'backup_alert' | 'backup_recovered' | 'backup_damaged', severity: 'info' | 'critical') {
  return item(kind, {}, { severity, audience: 'alert_recipient' });
}

function link() {
  return { link_url: 'https://vigie.cabinet-horizon.fr/password#token=8f3bQ7zK2mW9' };
}
