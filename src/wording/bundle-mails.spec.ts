import path from 'node:path';
import { agentsDown, heavyDay, READER } from '../../test/mail-pictures/samples.js';
import type { Locale } from '../contracts/locales.js';
import { inputFor, KIND_DATA } from './rendering.fixtures.js';
import { TemplateStore } from './template-store.js';
import type { WordedItem } from './worded.js';

let store: TemplateStore;
beforeAll(async () => {
  store = await TemplateStore.load(path.resolve('templates'));
});

const LINKS = { unsubscribe_url: null };
/** Bytes; Gmail clips longer mails. */
const GMAIL_CLIP = 102 * 1024;

const bundle = (items: readonly WordedItem[], locale: Locale = 'fr') =>
  store.bundleMail(items, { ...READER, locale }, LINKS);

function deadline(title: string, client_name: string | null, due_on: string, rest: Partial<WordedItem> = {}) {
  const data = { ...KIND_DATA.deadline_near, title, client_name, due_on };
  return { ...inputFor('deadline_near', { data }), id: null, ...rest };
}

describe('M3: the heavy day of one person is one mail', () => {
  test('M3: 40 deadlines, 12 documents and 9 tasks, each with its date, lateness and link', () => {
    const items = heavyDay(40, 12, 9).map((item, index) => ({
      ...item,
      item_url: `https://v.example.fr/${index}-`,
    }));
    const { subject, html, text } = bundle(items);
    expect(subject).toBe('24 en retard - 40 échéances, 12 documents, 9 tâches - Cabinet Horizon');
    expect(html).toContain('40 échéances, 12 documents, 9 tâches</h1>');
    for (const { item_url } of items) {
      expect(html.split(`href="${item_url}"`)).toHaveLength(2);
      expect(text.split(`${item_url}\n`)).toHaveLength(2);
    }
    expect(text.match(/^- .+ \((échéance|document|tâche), .+\), .+$/gm)).toHaveLength(61);
  });

  test('V16: each item has its own link to mark it as handled, once in each part', () => {
    const items = heavyDay(20, 10, 10).map((item, index) => ({
      ...item,
      act_url: `https://v.example.fr/a/${index}-`,
    }));
    for (const locale of ['fr', 'en'] as const) {
      const { html, text } = bundle(items, locale);
      const words = { fr: 'C’est traité', en: 'Mark as handled' }[locale];
      for (const { act_url } of items) {
        expect(html.split(`href="${act_url}"`)).toHaveLength(2);
        expect(text.split(`  ${words}${locale === 'fr' ? '\u00a0' : ''}: ${act_url}\n`)).toHaveLength(2);
      }
      expect(html.split(words)).toHaveLength(41);
    }
  });

  test('V16: an item without an alert has none, and a list of more than 100 has none', () => {
    const items = heavyDay(2, 0, 0).map((item) => ({ ...item, act_url: null }));
    expect(bundle(items).html + bundle(items).text).not.toContain('C’est traité');
    const long = heavyDay(60, 25, 16);
    expect(long.every(({ act_url }) => typeof act_url === 'string')).toBe(true);
    expect(bundle(long).html + bundle(long).text).not.toContain('C’est traité');
  });

  test('M3: items are listed by lateness, then by client', () => {
    const { text } = bundle([
      deadline('TVA CA3', 'Zoé', '2025-11-06'),
      deadline('CFE', 'Ana', '2025-11-06'),
      deadline('Liasse', 'Zoé', '2025-10-01'),
      deadline('DSN', 'Ana', '2025-11-05'),
      deadline('IS', 'Écurie du Lac', '2025-11-03', { audience: 'unassigned' }),
      deadline('Bilan', null, '2025-11-02'),
    ]);
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('  http'));
    expect(
      lines.slice(
        lines.findIndex((line) => line.startsWith('En retard de plus')),
        -2,
      ),
    ).toEqual([
      'En retard de plus d’une semaine (1)',
      'Zoé',
      '- Liasse (échéance, mer. 1er oct.), en retard de 33 jours',
      'En retard (1)',
      'Sans client',
      '- Bilan (échéance, dim. 2 nov.), en retard de 1 jour',
      'Aujourd’hui (1)',
      'Écurie du Lac',
      '- IS (échéance, lun. 3 nov.), aujourd’hui, sans\u00a0responsable',
      'Dans les 7 jours (3)',
      'Ana',
      '- DSN (échéance, mer. 5 nov.), dans 2 jours',
      '- CFE (échéance, jeu. 6 nov.), dans 3 jours',
      'Zoé',
      '- TVA CA3 (échéance, jeu. 6 nov.), dans 3 jours',
    ]);
  });

  test('M1: a bundle that waited is correct on the day it is sent', () => {
    const items = [deadline('TVA CA3', 'Ana', '2025-11-04'), deadline('IS', 'Ana', '2025-11-10')];
    const subjectOn = (today: string) =>
      store.bundleMail(items, { ...READER, today, locale: 'en' }, LINKS).subject;
    expect(subjectOn('2025-11-03')).toBe('2 deadlines - Cabinet Horizon');
    expect(subjectOn('2025-11-06')).toBe('1 overdue - 2 deadlines - Cabinet Horizon');
    expect(subjectOn('2025-11-12')).toBe('2 overdue - 2 deadlines - Cabinet Horizon');
  });

  test.each([
    ['100 items', heavyDay(60, 25, 15)],
    ['200 items', heavyDay(140, 40, 20)],
    ['200 databases', agentsDown(200, 3)],
  ])('M3: a mail of %s is not clipped by Gmail', (_count, items) => {
    for (const locale of ['fr', 'en'] as const) {
      expect(Buffer.byteLength(bundle(items, locale).html)).toBeLessThan(GMAIL_CLIP);
    }
  });
});

describe('M3: an agent that is down produces one mail', () => {
  test('M3: its subject says how many databases, and which agent', () => {
    expect(bundle(agentsDown(12, 1)).subject).toBe(
      'ALERTE SAUVEGARDE - 12 bases de données, agent nantes-01 (Nantes)',
    );
    expect(bundle(agentsDown(12, 3), 'en').subject).toBe('BACKUP ALERT - 12 databases, 3 agents');
  });

  test('M3, M10: each line has the database and its result in words, under its agent and city', () => {
    const { html, text } = bundle(agentsDown(12, 2));
    expect(text.match(/^nantes-0[12] - Boulangerie Martin, Nantes$/gm)).toHaveLength(2);
    expect(
      text.match(/^- compta_\w+, (manquante|en échec|fichier différent|transfert altéré), depuis le /gm),
    ).toHaveLength(12);
    expect(html + text).not.toMatch(/HASH_MISMATCH|MISSING|FAILED/);
  });

  test('M3: a recovery does not look like an alert', () => {
    const recovered = { ...inputFor('backup_recovered'), id: null };
    const { subject, html } = bundle([recovered, recovered]);
    expect(subject).toBe('SAUVEGARDES RÉTABLIES - 2 bases de données, agent nantes-01 (Nantes)');
    expect(html).not.toContain('class="stripe-critical"');
  });
});
