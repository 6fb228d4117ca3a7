import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { NOTIFICATION_KINDS } from '../contracts/kind-lists.js';
import { type Locale, LOCALES } from '../contracts/locales.js';
import { group, inputFor, KIND_DATA, render, TODAY } from './rendering.fixtures.js';
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
    const mail = render(store, inputFor(kind, { locale }));
    for (const part of [mail.subject, mail.html, mail.text]) {
      expect(part).not.toMatch(/\{\{|\}\}|undefined|null|\[object|NaN|hbsx/);
    }
    expect(mail.subject).not.toBe('');
    expect(mail.html).toMatch(new RegExp(`^<!DOCTYPE html><html (dir="ltr" )?lang="${locale}"`));
    expect(mail.html).toMatch(/<h1 [^>]*>[^<]+<\/h1>/);
    expect(mail.html).toContain('@media (prefers-color-scheme: dark)');
    expect(mail.html).toContain('href="https://vigie.example.fr/unsubscribe/abc"');
    expect(mail.text).not.toMatch(/<[a-z/!]|&[a-z]+;/i);
    expect(mail.text).not.toMatch(/\n{3}|[ \t]\n/);
    expect(mail.text).toContain('https://vigie.example.fr/unsubscribe/abc');
  });

  test('renders with the minimum of data', () => {
    const mail = render(
      store,
      inputFor(kind, {
        locale,
        data: {},
        recipient: { name: null },
        item_url: null,
        links: { unsubscribe_url: null },
      }),
    );
    expect(mail.subject).not.toBe('');
    expect(mail.html + mail.text).not.toMatch(/undefined|null|\[object|NaN|href=/);
  });

  test('loads nothing from other origins and has its styles inlined', () => {
    const { html } = render(store, inputFor(kind, { locale }));
    expect(html).not.toMatch(/<(img|script|link|iframe|form)\b|url\(|@import/i);
    expect(html).toMatch(/<td class="card"[^>]* style="[^"]*background-color/);
    // One block for screens and one for Outlook: the inlined rules are gone.
    expect(html.match(/<style/g)).toHaveLength(2);
  });
});

describe('the subject says the fact', () => {
  const subjectOf = (kind: keyof typeof KIND_DATA, locale: Locale, data: object): string => {
    const { subject } = render(store, inputFor(kind, { locale, data: { ...KIND_DATA[kind], ...data } }));
    return subject.replaceAll(NBSP, '~');
  };

  test.each([
    ['2025-11-10', 'fr', 'Boulangerie Martin~: TVA CA3, échéance dans 7 jours'],
    ['2025-11-04', 'fr', 'Boulangerie Martin~: TVA CA3, échéance demain'],
    ['2025-11-03', 'fr', 'Boulangerie Martin~: TVA CA3, échéance aujourd’hui'],
    ['2025-11-02', 'fr', 'Boulangerie Martin~: TVA CA3, en retard de 1 jour'],
    ['2025-11-01', 'fr', 'Boulangerie Martin~: TVA CA3, en retard de 2 jours'],
    ['2025-11-06', 'en', 'Boulangerie Martin: TVA CA3, due in 3 days'],
    ['2025-11-03', 'en', 'Boulangerie Martin: TVA CA3, due today'],
    ['2025-11-02', 'en', 'Boulangerie Martin: TVA CA3, 1 day overdue'],
    ['2025-09-24', 'en', 'Boulangerie Martin: TVA CA3, 40 days overdue'],
  ] as const)('M11: the client comes first: deadline of %s in %s', (due_on, locale, subject) => {
    expect(subjectOf('deadline_near', locale, { due_on })).toBe(subject);
  });

  test.each([
    ['documents_missing', 'fr', '2025-11-02', 'Relevés bancaires, en retard de 1 jour'],
    ['documents_missing', 'fr', '2025-11-04', 'Relevés bancaires, document attendu demain'],
    ['documents_missing', 'en', '2025-10-22', 'Relevés bancaires, 12 days overdue'],
    ['tasks_overdue', 'fr', '2025-11-01', 'Réviser le bilan, en retard de 2 jours'],
    ['tasks_overdue', 'en', '2025-11-02', 'Réviser le bilan, 1 day overdue'],
  ] as const)('%s in %s, of %s, without a client', (kind, locale, due_on, subject) => {
    expect(subjectOf(kind, locale, { due_on, client_name: null })).toBe(subject);
  });

  test.each([
    [
      { deadlines: 23, documents: 1, tasks: 2, late: 4, upcoming: 22 },
      '4 en retard - Semaine du 3 au 10 novembre~: 23 échéances, 1 document, 2 tâches',
    ],
    [{ deadlines: 0, documents: 0, tasks: 1, late: 0, upcoming: 1 }, 'Semaine du 3 au 10 novembre~: 1 tâche'],
    [
      { deadlines: 0, documents: 0, tasks: 0, late: 0, upcoming: 0 },
      'Semaine du 3 au 10 novembre~: rien à signaler',
    ],
  ])('M11, T5: the weekly summary of %j says how many are late, and its period', (totals, subject) => {
    expect(subjectOf('weekly_summary', 'fr', { totals, late: [], upcoming: [] })).toBe(subject);
  });

  test.each([
    ['fr', '2025-12-28', '2026-01-04', 'Semaine du 28 décembre au 4 janvier'],
    ['fr', '2026-01-01', '2026-01-08', 'Semaine du 1er au 8 janvier'],
    ['en', '2025-12-28', '2026-01-04', 'Week of 28 December – 4 January'],
    ['en', '2025-11-03', '2025-11-10', 'Week of 3–10 November'],
  ] as const)('T5: a summary in %s names the period from %s to %s', (locale, from, to, named) => {
    expect(subjectOf('weekly_summary', locale, { period: { from, to } })).toContain(named);
  });

  test('an event has its own title', () => {
    expect(render(store, inputFor('event', {})).subject).toBe('Sauvegarde corrompue');
  });

  test('is one line of at most 200 characters, not escaped and not cut within a character', () => {
    const subjectFor = (title: string): string =>
      render(store, inputFor('event', { data: { ...KIND_DATA.event, title } })).subject;
    expect(subjectFor('A & B <"c">\r\nBcc: x@example.fr\u0000\u2028 \t d\u202e')).toBe(
      'A & B <"c"> Bcc: x@example.fr d',
    );
    expect(subjectFor(`${'é'.repeat(198)}😀😀`)).toBe(`${'é'.repeat(198)}…`);
    expect(subjectFor('x'.repeat(100_000))).toHaveLength(200);
    expect(subjectFor('\r\n\u0000')).toBe('Vigie');
  });
});

describe('the content', () => {
  test('dates are written in the language, including the first of a month', () => {
    const data = { ...KIND_DATA.deadline_near, due_on: '2026-01-01' };
    expect(render(store, inputFor('deadline_near', { locale: 'fr', data })).text).toContain(
      'jeudi 1er janvier 2026',
    );
    expect(render(store, inputFor('deadline_near', { locale: 'en', data })).html).toContain(
      'Thursday, 1 January 2026',
    );
  });

  test('an invalid date is left unchanged', () => {
    const data = { ...KIND_DATA.deadline_near, due_on: '2025-02-30' };
    expect(render(store, inputFor('deadline_near', { data })).text).toContain('2025-02-30');
  });

  test('words are as of the day they are read', () => {
    const item = inputFor('deadline_near', { locale: 'en' });
    const titleOn = (today: string) => store.words({ ...item, id: null }, { ...item, today }).title;
    expect(titleOn('2025-11-05')).toBe('Boulangerie Martin: TVA CA3, due tomorrow');
    expect(titleOn('2025-11-08')).toBe('Boulangerie Martin: TVA CA3, 2 days overdue');
  });

  test('instants are in the time zone of the tenant, or UTC if that is unknown', () => {
    const textIn = (time_zone: string): string =>
      render(store, inputFor('welcome', { locale: 'en', tenant: { name: 'T', time_zone } })).text;
    expect(textIn('Europe/Paris')).toContain('Tuesday, 4 November 2025 at 14:05 (Europe/Paris)');
    expect(textIn('Nowhere/At all')).toContain('at 13:05 (UTC)');
  });

  test('the welcome has its link as a button and in the text', () => {
    const mail = render(store, inputFor('welcome', { locale: 'fr' }));
    expect(mail.html).toMatch(
      /<a class="button-link" href="https:\/\/vigie\.example\.fr\/password#token&#x3D;8f3b"/,
    );
    expect(mail.text).toContain('\nhttps://vigie.example.fr/password#token=8f3b\n');
  });

  test.each(['html', 'text'] as const)('weekly sections are hidden when empty (%s)', (part) => {
    const data = {
      ...KIND_DATA.weekly_summary,
      late: [],
      upcoming: [group(null, { list: 'tasks', title: 'Bilan', due_on: TODAY })],
      totals: { deadlines: 0, documents: 0, tasks: 2, late: 0, upcoming: 2 },
    };
    const rendered = render(store, inputFor('weekly_summary', { locale: 'fr', data }))[part];
    expect(rendered).toContain('Bilan');
    expect(rendered).toContain('Sans client');
    expect(rendered).toContain('… et 1 autre');
    expect(rendered).not.toContain('1 autres');
    expect(rendered).toContain('aujourd’hui');
    expect(rendered).not.toContain('En retard');
  });

  test('a body becomes paragraphs and lines', () => {
    const { html, text } = render(
      store,
      inputFor('event', { data: { title: 'x', body: 'one\r\ntwo\n \n\n\nthree <b>' } }),
    );
    expect(html).toMatch(/<p[^>]*>one<br>two<\/p>\s*<p[^>]*>three &lt;b&gt;<\/p>/);
    expect(text).toContain('\n> one\n> two\n>\n> three <b>\n');
  });

  test('fields of data are at top level, but do not hide the names of the notification', () => {
    const data = { ...KIND_DATA.deadline_near, tenant: 'x', links: { item_url: 'https://evil.example/' } };
    const { html } = render(store, inputFor('deadline_near', { data }));
    expect(html).toContain('Cabinet Durand');
    expect(html).not.toContain('evil');
  });

  test('a bundle lists the most overdue first, then by client, and counts', () => {
    const item = (changes: object) => {
      return { ...inputFor('deadline_near', { data: { ...KIND_DATA.deadline_near, ...changes } }), id: null };
    };
    const items = [
      item({ title: 'CFE', due_on: '2025-11-20' }),
      item({ title: 'TVA', client_name: 'Zoé', due_on: '2025-11-01' }),
      item({ title: 'IS', client_name: 'Ana', due_on: '2025-11-01' }),
      { ...inputFor('documents_missing'), id: null },
    ];
    const { subject, text } = store.bundleMail(items, inputFor('event'), { unsubscribe_url: null });
    expect(subject).toBe('3 en retard - 3 échéances, 1 document - Cabinet Durand');
    const order = ['IS', 'Relevés', 'TVA', 'CFE'].map((title) => text.indexOf(title));
    expect(order).toEqual([...order].sort((one, other) => one - other));
  });

  test('an unknown kind, even one named after a prototype, gets the event template', () => {
    const event = render(store, inputFor('event', {}));
    for (const kind of ['backup_corrupted', '__proto__', 'constructor', '../fr/test']) {
      expect(render(store, { ...inputFor('event', {}), kind })).toEqual(event);
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
