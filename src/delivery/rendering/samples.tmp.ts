/* eslint-disable */
import type { RenderInput } from './template-store.js';
const line = (title: string, client: string | null, due: string, left: number) => ({
  title,
  client_name: client,
  due_on: due,
  days_left: left,
});
export const SAMPLES: Record<string, any> = {
  deadline: {
    kind: 'deadline_near',
    severity: 'warning',
    data: {
      deadline_id: 'x',
      title: 'TVA CA3',
      category: 'TVA',
      client_name: 'Boulangerie Martin',
      due_on: '2025-11-03',
      days_left: 3,
    },
  },
  deadline0: {
    kind: 'deadline_near',
    severity: 'critical',
    data: {
      deadline_id: 'x',
      title: 'DSN mensuelle',
      category: null,
      client_name: null,
      due_on: '2025-11-01',
      days_left: 0,
    },
  },
  deadlinelate: {
    kind: 'deadline_near',
    severity: 'critical',
    data: {
      deadline_id: 'x',
      title: 'TVA CA3',
      category: 'TVA',
      client_name: 'Boulangerie Martin & Fils',
      due_on: '2025-11-03',
      days_left: -2,
    },
  },
  documents: {
    kind: 'documents_missing',
    severity: 'warning',
    data: {
      document_id: 'x',
      title: 'Relevés bancaires d’octobre',
      client_name: 'SARL Dupont',
      due_on: '2025-11-03',
      days_late: 1,
    },
  },
  tasks: {
    kind: 'tasks_overdue',
    severity: 'warning',
    data: {
      task_id: 'x',
      title: 'Réviser le bilan',
      client_name: 'Garage Leroy',
      due_on: '2025-11-03',
      days_late: 12,
    },
  },
  weekly: {
    kind: 'weekly_summary',
    severity: 'info',
    data: {
      week_of: '2025-11-03',
      deadlines: [
        line('TVA CA3', 'Boulangerie Martin', '2025-11-03', 0),
        line('DSN mensuelle', 'Garage Leroy', '2025-11-05', 2),
        line('Acompte IS', 'SARL Dupont', '2025-10-31', -3),
      ],
      documents: [line('Relevés bancaires d’octobre', 'SARL Dupont', '2025-10-20', -14)],
      tasks: [],
      totals: { deadlines: 23, documents: 1, tasks: 0 },
    },
  },
  weeklyempty: {
    kind: 'weekly_summary',
    severity: 'info',
    data: {
      week_of: '2025-12-01',
      deadlines: [],
      documents: [],
      tasks: [],
      totals: { deadlines: 0, documents: 0, tasks: 0 },
    },
  },
  welcome: {
    kind: 'welcome',
    severity: 'info',
    data: {
      link_id: 'x',
      link_url: 'https://vigie.example.fr/app/password?token=8f3b1c0e7a2d4965b1f0c3a8e7d6',
      expires_at: '2025-11-04T13:05:00Z',
    },
  },
  test: { kind: 'test', severity: 'info', data: { requested_by: 'claire@cabinet-durand.fr' } },
  event: {
    kind: 'other',
    severity: 'critical',
    title: 'Sauvegarde corrompue : compta_2025',
    body: 'La sauvegarde de la base compta_2025 ne correspond pas à son empreinte.\nFichier : compta_2025.sql.gz\n\nVérifiez le poste AGENT-07 à Lyon, puis relancez la sauvegarde.',
    data: {},
  },
};
export function inputFor(name: string, locale: 'fr' | 'en'): RenderInput {
  const s = SAMPLES[name];
  return {
    kind: s.kind,
    locale,
    tenant: { name: 'Cabinet Durand & Associés', time_zone: 'Europe/Paris' },
    recipient: { name: 'Claire' },
    severity: s.severity,
    title: s.title ?? 'Titre',
    body: s.body ?? 'Corps',
    data: s.data,
    created_at: new Date('2025-10-31T08:00:00Z'),
    links: {
      inbox_url: 'https://vigie.example.fr/app/inbox?n=1',
      unsubscribe_url: 'https://vigie.example.fr/unsubscribe/abc',
    },
  };
}
