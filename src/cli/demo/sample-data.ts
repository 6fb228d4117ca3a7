import { addDays } from '../../platform/clock/civil-time.js';

/** The fields to create a row, and the demo's expectation. */
export interface Sample {
  title: string;
  client_name: string;
  due_on: string;
  category?: string;
}

export interface SampleUser {
  name: string;
  email: string;
  role: 'admin' | 'member';
}

export interface SampleTenant {
  slug: string;
  name: string;
  kind: 'cabinet' | 'company';
  time_zone: string;
  locale: 'fr' | 'en';
  /** The first is the admin. */
  users: SampleUser[];
}

/** A tenant with dates to watch, distributed over the users who are not admins. */
export interface SampleMonth extends SampleTenant {
  deadlines(today: string): Sample[];
  documents(today: string): Sample[];
  tasks(today: string): Sample[];
}

const CLIENTS = [
  'Boulangerie Saint-Roch',
  'Garage de la Gare',
  'Pharmacie des Halles',
  'Menuiserie du Pilat',
  'Librairie Le Passage',
];

/** The first such day of a month on or after `today`: the next date of a monthly duty. */
function nextDay(today: string, day: number): string {
  const thisMonth = `${today.slice(0, 8)}${String(day).padStart(2, '0')}`;
  if (thisMonth >= today) return thisMonth;
  const [year = 0, month = 0] = today.split('-').map(Number);
  return month === 12
    ? `${year + 1}-01-${String(day).padStart(2, '0')}`
    : `${year}-${String(month + 1).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}

/** The first of these dates of the year (MM-DD) on or after `today`. */
function nextDate(today: string, dates: readonly string[]): string {
  const year = Number(today.slice(0, 4));
  const all = [year, year + 1].flatMap((y) => dates.map((date) => `${y}-${date}`)).sort();
  return all.find((date) => date >= today) ?? today;
}

/**
 * A firm's month, from the calendar that impots.gouv.fr and net-entreprises.fr publish: TVA CA3 between the 15th and
 * the 24th, DSN on the 5th or 15th, IS instalments on 15 March, June, September and December, CFE on 15 December; and a
 * few due around today, so that there is something to see on any day.
 */
const cabinet: SampleMonth = {
  slug: 'cabinet-horizon',
  name: 'Cabinet Horizon',
  kind: 'cabinet',
  time_zone: 'Europe/Paris',
  locale: 'fr',
  users: [
    { name: 'Direction', email: 'direction@cabinet-horizon.example', role: 'admin' },
    { name: 'Pôle fiscal', email: 'fiscal@cabinet-horizon.example', role: 'member' },
    { name: 'Pôle social', email: 'social@cabinet-horizon.example', role: 'member' },
  ],
  deadlines: (today) => [
    ...CLIENTS.flatMap((client_name, position) => [
      {
        title: 'TVA CA3',
        category: 'tva',
        client_name,
        due_on: nextDay(today, [16, 19, 21, 23, 24][position] ?? 19),
      },
      {
        title: 'DSN mensuelle',
        category: 'dsn',
        client_name,
        due_on: nextDay(today, position % 2 === 0 ? 5 : 15),
      },
      {
        title: 'Acompte IS',
        category: 'is',
        client_name,
        due_on: nextDate(today, ['03-15', '06-15', '09-15', '12-15']),
      },
      { title: 'Solde de CFE', category: 'cfe', client_name, due_on: nextDate(today, ['12-15']) },
    ]),
    { title: 'Réponse à une demande de l’administration', client_name: CLIENTS[0] ?? '', due_on: today },
    { title: 'Déclaration DAS2 rectificative', client_name: CLIENTS[1] ?? '', due_on: addDays(today, 1) },
    { title: 'Dépôt des comptes annuels', client_name: CLIENTS[2] ?? '', due_on: addDays(today, 3) },
    { title: 'Taxe sur les salaires', client_name: CLIENTS[3] ?? '', due_on: addDays(today, 7) },
    { title: 'Régularisation de TVA', client_name: CLIENTS[4] ?? '', due_on: addDays(today, -2) },
  ],
  documents: (today) => [
    { title: 'Relevés bancaires', client_name: CLIENTS[0] ?? '', due_on: addDays(today, -4) },
    { title: 'Factures d’achat', client_name: CLIENTS[1] ?? '', due_on: today },
    { title: 'Bulletins de paie signés', client_name: CLIENTS[2] ?? '', due_on: addDays(today, -1) },
    { title: 'Journal de caisse', client_name: CLIENTS[3] ?? '', due_on: addDays(today, 6) },
  ],
  tasks: (today) => [
    { title: 'Rapprochement bancaire', client_name: CLIENTS[1] ?? '', due_on: addDays(today, -3) },
    { title: 'Lettrage des comptes clients', client_name: CLIENTS[4] ?? '', due_on: addDays(today, -1) },
    { title: 'Revue du dossier annuel', client_name: CLIENTS[2] ?? '', due_on: addDays(today, 10) },
  ],
};

const company: SampleMonth = {
  slug: 'atelier-nord',
  name: 'Atelier Nord',
  kind: 'company',
  time_zone: 'Europe/Brussels',
  locale: 'en',
  users: [
    { name: 'Head office', email: 'office@atelier-nord.example', role: 'admin' },
    { name: 'Operations', email: 'operations@atelier-nord.example', role: 'member' },
  ],
  deadlines: (today) => [
    { title: 'VAT return', category: 'vat', client_name: 'Atelier Nord', due_on: nextDay(today, 20) },
    { title: 'Insurance renewal', client_name: 'Atelier Nord', due_on: addDays(today, 5) },
    { title: 'Fire extinguisher inspection', client_name: 'Atelier Nord', due_on: addDays(today, 30) },
  ],
  documents: (today) => [
    { title: 'Supplier contract', client_name: 'Atelier Nord', due_on: addDays(today, -2) },
  ],
  tasks: (today) => [{ title: 'Stock count', client_name: 'Atelier Nord', due_on: addDays(today, -6) }],
};

/** Two tenants: a firm in French, a company in English. */
export const SAMPLE_MONTHS: readonly SampleMonth[] = [cabinet, company];

/** What another program reports. */
export const SAMPLE_EVENT = {
  kind: 'fire.alarm',
  title: 'Alarme incendie au local serveur',
  body: 'Bâtiment B, rez-de-chaussée.',
};

/** A fine, and the firm's own wording of its reminder. */
export const SAMPLE_TICKET = {
  fields: {
    title: 'Stationnement, rue de Nantes',
    reference: '7512345678',
    amount_cents: 13_500,
    currency: 'EUR',
  },
  template: 'À régler cette semaine : {{data.title}} (avis {{data.reference}})',
  subject: 'À régler cette semaine : Stationnement, rue de Nantes (avis 7512345678)',
};
