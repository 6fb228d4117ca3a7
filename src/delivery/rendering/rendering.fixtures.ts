import type { NotificationData, NotificationKind, SummaryLine } from '../../contracts/notification-kinds.js';
import type { RenderInput } from './template-store.js';

/** Fixtures of the specs beside this file: a Monday of an accounting firm. */
export const KIND_DATA: NotificationData = {
  deadline_near: {
    deadline_id: '0199f3c4-0000-7000-8000-000000000001',
    title: 'TVA CA3',
    category: 'TVA',
    client_name: 'Boulangerie Martin',
    due_on: '2025-11-03',
    days_left: 3,
  },
  documents_missing: {
    document_id: '0199f3c4-0000-7000-8000-000000000002',
    title: 'Relevés bancaires',
    client_name: 'SARL Dupont',
    due_on: '2025-10-31',
    days_late: 3,
  },
  tasks_overdue: {
    task_id: '0199f3c4-0000-7000-8000-000000000003',
    title: 'Réviser le bilan',
    client_name: 'Garage Leroy',
    due_on: '2025-10-31',
    days_late: 3,
  },
  weekly_summary: {
    week_of: '2025-11-03',
    deadlines: [line('TVA CA3', 0), line('DSN mensuelle', 2)],
    documents: [line('Relevés bancaires', -14)],
    tasks: [line('Réviser le bilan', -1)],
    totals: { deadlines: 23, documents: 1, tasks: 1 },
  },
  welcome: { link_id: '0199f3c4-0000-7000-8000-000000000004', expires_at: '2025-11-04T13:05:00Z' },
  password_reset: { link_id: '0199f3c4-0000-7000-8000-000000000005', expires_at: '2025-11-04T13:05:00Z' },
  test: { requested_by: 'claire@cabinet-durand.fr' },
  event: { kind: 'backup.failed' },
  message: { kind: 'invoice.sent', data: { invoice: 'F-2025-118' } },
};

export function line(title: string, days_left: number): SummaryLine {
  return { title, client_name: 'Boulangerie Martin', due_on: '2025-11-03', days_left };
}

/** A complete input of a kind; `welcome` with the link that the caller makes when rendering. */
export function inputFor(kind: NotificationKind, changes: Partial<RenderInput>): RenderInput {
  return {
    kind,
    locale: 'fr',
    tenant: { name: 'Cabinet Durand', time_zone: 'Europe/Paris' },
    recipient: { name: 'Claire' },
    severity: 'warning',
    title: 'Sauvegarde corrompue',
    body: 'La base compta ne correspond pas à son empreinte.\n\nRelancez la sauvegarde.',
    data: {
      ...KIND_DATA[kind],
      ...(['welcome', 'password_reset'].includes(kind) && {
        link_url: 'https://vigie.example.fr/password?token=8f3b',
      }),
    },
    created_at: new Date('2025-11-03T08:00:00Z'),
    links: {
      inbox_url: 'https://vigie.example.fr/inbox',
      unsubscribe_url: 'https://vigie.example.fr/unsubscribe/abc',
    },
    ...changes,
  };
}
