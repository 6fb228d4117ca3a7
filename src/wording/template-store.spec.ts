import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Locale, LOCALES, NOTIFICATION_KINDS } from '../contracts/notification-kinds.js';
import { inputFor, KIND_DATA, line } from './rendering.fixtures.js';
import { TemplateStore } from './template-store.js';

const TEMPLATES = path.resolve('templates');
const NBSP = '\u00a0';

let store: TemplateStore;
beforeAll(async () => {
  store = await TemplateStore.load(TEMPLATES);
});

const every = LOCALES.flatMap((locale) => NOTIFICATION_KINDS.map((kind) => ({ locale, kind })));

test('every kind that can be stored has a template', () => {
  expect(store.kinds()).toEqual([...NOTIFICATION_KINDS].sort());
});

describe.each(every)('$kind in $locale', ({ locale, kind }) => {
  test('renders complete', () => {
    const mail = store.render(inputFor(kind, { locale }));
    for (const part of [mail.subject, mail.html, mail.text]) {
      expect(part).not.toMatch(/\{\{|\}\}|undefined|null|\[object|NaN|hbsx/);
    }
    expect(mail.subject).not.toBe('');
    expect(mail.html).toMatch(new RegExp(`^<!DOCTYPE html><html (dir="ltr" )?lang="${locale}"`));
    expect(mail.html).toMatch(/<h1 [^>]*>[^<]+<\/h1>/);
    expect(mail.html).toMatch(/<div class="preheader"[^>]*>[^<]+/);
    expect(mail.html).toContain('@media (prefers-color-scheme: dark)');
    expect(mail.html).toContain('href="https://vigie.example.fr/unsubscribe/abc"');
    expect(mail.text).not.toMatch(/<[a-z/!]|&[a-z]+;/i);
    expect(mail.text).not.toMatch(/\n{3}|[ \t]\n/);
    expect(mail.text).toContain('https://vigie.example.fr/unsubscribe/abc');
  });

  test('renders with the least data there can be', () => {
    const mail = store.render(
      inputFor(kind, {
        locale,
        data: {},
        recipient: { name: null },
        links: { inbox_url: null, unsubscribe_url: null },
      }),
    );
    expect(mail.subject).not.toBe('');
    expect(mail.html + mail.text).not.toMatch(/undefined|null|\[object|NaN|href=/);
  });

  test('loads nothing from elsewhere and has its styles in place', () => {
    const { html } = store.render(inputFor(kind, { locale }));
    expect(html).not.toMatch(/<(img|script|link|iframe|form)\b|url\(|@import/i);
    expect(html).toMatch(/<td class="card"[^>]* style="[^"]*background-color/);
    // One block for screens and one for Outlook: the rules that were moved are gone.
    expect(html.match(/<style/g)).toHaveLength(2);
  });
});

describe('the subject says the fact', () => {
  const subjectOf = (kind: keyof typeof KIND_DATA, locale: Locale, data: object): string => {
    const { subject } = store.render(inputFor(kind, { locale, data: { ...KIND_DATA[kind], ...data } }));
    return subject.replaceAll(NBSP, '~');
  };

  test.each([
    [7, 'fr', 'Échéance dans 7 jours~: TVA CA3 - Boulangerie Martin'],
    [1, 'fr', 'Échéance demain~: TVA CA3 - Boulangerie Martin'],
    [0, 'fr', "Échéance aujourd'hui~: TVA CA3 - Boulangerie Martin"],
    [-1, 'fr', 'Échéance dépassée de 1 jour~: TVA CA3 - Boulangerie Martin'],
    [-2, 'fr', 'Échéance dépassée de 2 jours~: TVA CA3 - Boulangerie Martin'],
    [3, 'en', 'Due in 3 days: TVA CA3 - Boulangerie Martin'],
    [0, 'en', 'Due today: TVA CA3 - Boulangerie Martin'],
    [-1, 'en', 'Overdue by 1 day: TVA CA3 - Boulangerie Martin'],
    [-40, 'en', 'Overdue by 40 days: TVA CA3 - Boulangerie Martin'],
  ] as const)('deadline with %d days left in %s', (days_left, locale, subject) => {
    expect(subjectOf('deadline_near', locale, { days_left })).toBe(subject);
  });

  test.each([
    ['documents_missing', 'fr', 1, 'Document attendu depuis 1 jour~: Relevés bancaires'],
    ['documents_missing', 'en', 12, 'Document overdue by 12 days: Relevés bancaires'],
    ['tasks_overdue', 'fr', 2, 'Tâche en retard de 2 jours~: Réviser le bilan'],
    ['tasks_overdue', 'en', 1, 'Task overdue by 1 day: Réviser le bilan'],
  ] as const)('%s in %s, %d days late, without a client', (kind, locale, days_late, subject) => {
    expect(subjectOf(kind, locale, { days_late, client_name: null })).toBe(subject);
  });

  test.each([
    [{ deadlines: 23, documents: 1, tasks: 2 }, '23 échéances, 1 document et 2 tâches'],
    [{ deadlines: 0, documents: 0, tasks: 1 }, '1 tâche'],
    [{ deadlines: 0, documents: 0, tasks: 0 }, 'rien à signaler'],
  ])('weekly summary of %j', (totals, counts) => {
    expect(subjectOf('weekly_summary', 'fr', { totals })).toBe(`Semaine du 3 novembre~: ${counts}`);
  });

  test('an event has its own title', () => {
    expect(store.render(inputFor('event', {})).subject).toBe('Sauvegarde corrompue');
  });

  test('is one line of at most 200 characters, not escaped and not cut in a character', () => {
    const subjectFor = (title: string): string => store.render(inputFor('event', { title })).subject;
    expect(subjectFor('A & B <"c">\r\nBcc: x@example.fr\u0000\u2028 \t d\u202e')).toBe(
      'A & B <"c"> Bcc: x@example.fr d',
    );
    expect(subjectFor(`${'é'.repeat(198)}😀😀`)).toBe(`${'é'.repeat(198)}…`);
    expect(subjectFor('x'.repeat(100_000))).toHaveLength(200);
    expect(subjectFor('\r\n\u0000')).toBe('Vigie');
  });
});

describe('the content', () => {
  test('dates are written in the language, the first of a month too', () => {
    const data = { ...KIND_DATA.deadline_near, due_on: '2026-01-01' };
    expect(store.render(inputFor('deadline_near', { locale: 'fr', data })).text).toContain(
      'jeudi 1er janvier 2026',
    );
    expect(store.render(inputFor('deadline_near', { locale: 'en', data })).html).toContain(
      'Thursday, 1 January 2026',
    );
  });

  test('a date that is none stays as it came', () => {
    const data = { ...KIND_DATA.deadline_near, due_on: '2025-02-30' };
    expect(store.render(inputFor('deadline_near', { data })).text).toContain('2025-02-30');
  });

  test('instants are in the time zone of the tenant, or UTC if that is unknown', () => {
    const textIn = (time_zone: string): string =>
      store.render(inputFor('welcome', { locale: 'en', tenant: { name: 'T', time_zone } })).text;
    expect(textIn('Europe/Paris')).toContain('Tuesday, 4 November 2025 at 14:05 (Europe/Paris)');
    expect(textIn('Nowhere/At all')).toContain('at 13:05 (UTC)');
  });

  test('the welcome has its link as a button and in the text', () => {
    const mail = store.render(inputFor('welcome', { locale: 'fr' }));
    expect(mail.html).toMatch(
      /<a class="button-link" href="https:\/\/vigie\.example\.fr\/password\?token&#x3D;8f3b"/,
    );
    expect(mail.text).toContain('\nhttps://vigie.example.fr/password?token=8f3b\n');
  });

  test.each(['html', 'text'] as const)('weekly sections are hidden when empty (%s)', (part) => {
    const data = {
      week_of: '2025-11-03',
      deadlines: [line('TVA CA3', -1)],
      documents: [],
      tasks: [line('Bilan', 0)],
      totals: { deadlines: 2, documents: 0, tasks: 1 },
    };
    const rendered = store.render(inputFor('weekly_summary', { locale: 'fr', data }))[part];
    expect(rendered).toContain('TVA CA3');
    expect(rendered).toContain('en retard de 1 jour');
    expect(rendered).toContain('… et 1 autre');
    expect(rendered).not.toContain('1 autres');
    expect(rendered).toContain('aujourd’hui');
    expect(rendered).not.toContain('Documents attendus');
  });

  test('a body becomes paragraphs and lines', () => {
    const { html, text } = store.render(inputFor('event', { body: 'one\r\ntwo\n \n\n\nthree <b>' }));
    expect(html).toMatch(/<p[^>]*>one<br>two<\/p>\s*<p[^>]*>three &lt;b&gt;<\/p>/);
    expect(text).toContain('\none\ntwo\n\nthree <b>\n');
  });

  test('fields of data are at top level, but do not hide the names of the notification', () => {
    const data = { ...KIND_DATA.deadline_near, tenant: 'x', links: { inbox_url: 'https://evil.example/' } };
    const { html } = store.render(inputFor('deadline_near', { data }));
    expect(html).toContain('Cabinet Durand');
    expect(html).not.toContain('evil');
  });

  test('an unknown kind, even one named after a prototype, gets the event template', () => {
    const event = store.render(inputFor('event', {}));
    for (const kind of ['backup_corrupted', '__proto__', 'constructor', '../fr/test']) {
      expect(store.render({ ...inputFor('event', {}), kind })).toEqual(event);
    }
  });
});

test('French typography: no ordinary space before a double mark', async () => {
  const folder = path.join(TEMPLATES, 'fr');
  for (const name of await readdir(folder)) {
    const source = await readFile(path.join(folder, name), 'utf8');
    const written = source.replace(/\{\{[^}]*\}\}|<[^>]*>/g, '');
    expect({ name, faults: written.match(/.{0,20}( [:;!?»]|« |[a-zéà][!?»]).{0,5}/g) }).toEqual({
      name,
      faults: null,
    });
  }
});
