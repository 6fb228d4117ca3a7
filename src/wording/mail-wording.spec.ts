import path from 'node:path';
import { NOTIFICATION_KINDS } from '../contracts/kind-lists.js';
import { LOCALES } from '../contracts/locales.js';
import { inputFor, KIND_DATA, render, TODAY } from './rendering.fixtures.js';
import { TemplateStore } from './template-store.js';
import { Wording } from './wording.js';

let store: TemplateStore;
beforeAll(async () => {
  store = await TemplateStore.load(path.resolve('templates'));
});

const NBSP = '\u00a0';
const every = LOCALES.flatMap((locale) => NOTIFICATION_KINDS.map((kind) => [kind, locale] as const));

/** The cells, headings and paragraphs of a mail as a reader sees them, one per line. */
function seen(html: string): string {
  return html
    .replace(/<(style|title)[\s\S]*?<\/\1>|<!--[\s\S]*?-->/g, '')
    .replace(/<(?:br|\/p|\/td|\/h1|\/h2)[^>]*>/g, '\n')
    .replace(/<[^>]*>/g, '')
    .replace(/&nbsp;/g, NBSP)
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .join('\n');
}

describe('M1: stored notifications stay correct on each day', () => {
  test.each([
    ['2025-11-01', 'échéance dans 5 jours', 'Échéance dans 5 jours'],
    ['2025-11-06', 'échéance aujourd’hui', 'Échéance aujourd’hui'],
    ['2025-11-08', 'en retard de 2 jours', 'En retard de 2 jours'],
  ])('M1: one deadline, sent on %s, says "%s"', (today, inSubject, inMail) => {
    const mail = render(store, inputFor('deadline_near', { today }));
    expect(mail.subject).toBe(`Boulangerie Martin${NBSP}: TVA CA3, ${inSubject}`);
    expect(seen(mail.html).split('\n')).toContain(inMail);
    expect(mail.text.split('\n')).toContain(inMail);
  });

  test('M1: a summary that waited groups its items as of the day on which it is sent', () => {
    const bandsOn = (today: string) =>
      [...render(store, inputFor('weekly_summary', { today })).html.matchAll(/class="band-(\w+)"/g)].map(
        ([, degree]) => degree,
      );
    expect(bandsOn(TODAY)).toEqual(['long_overdue', 'overdue', 'today', 'soon']);
    expect(bandsOn('2025-11-06')).toEqual(['long_overdue', 'overdue']);
  });
});

describe('M11: lateness is shown by colour and words', () => {
  test.each([
    ['2025-10-19', 'long_overdue', '15 days overdue'],
    ['2025-10-27', 'overdue', '7 days overdue'],
    ['2025-11-03', 'today', 'Due today'],
    ['2025-11-04', 'soon', 'Due tomorrow'],
    ['2025-11-20', 'later', 'Due in 17 days'],
  ])('M11: due on %s is %s', (due_on, degree, words) => {
    const data = { ...KIND_DATA.deadline_near, due_on };
    const { html } = render(store, inputFor('deadline_near', { locale: 'en', data }));
    expect(html).toMatch(new RegExp(`<span class="badge-${degree}"[^>]*>${words}</span>`));
    expect(html.match(new RegExp(`class="stripe-${degree}"`, 'g'))).toHaveLength(1);
  });

  test('M11: no two degrees have the same colours', () => {
    const colours = ['2025-10-19', '2025-10-27', TODAY, '2025-11-04', '2025-11-20'].map((due_on) => {
      const data = { ...KIND_DATA.deadline_near, due_on };
      const { html } = render(store, inputFor('deadline_near', { data }));
      return /class="badge-\w+" style="[^"]*?color: (#\w+);background-color: (#\w+)/
        .exec(html)
        ?.slice(1)
        .join();
    });
    expect(colours).not.toContain(undefined);
    expect(new Set(colours).size).toBe(colours.length);
  });
});

describe('M11: the mail says why the reader gets it', () => {
  test.each([
    ['deadline_near', 'responsible', 'vous êtes responsable de cette échéance'],
    ['documents_missing', 'responsible', 'vous êtes responsable de ce document'],
    ['tasks_overdue', 'responsible', 'vous êtes responsable de cette tâche'],
    ['deadline_near', 'unassigned', 'Personne n’est responsable de cette échéance'],
    ['backup_alert', 'alert_recipient', 'vous êtes destinataire des alertes de sauvegarde'],
  ] as const)('M11: %s to a reader who is %s', (kind, audience, words) => {
    const mail = render(store, inputFor(kind, { audience }));
    expect(seen(mail.html)).toContain(words);
    expect(mail.text).toContain(words);
  });

  test('M11: an admin reads in the mail and in the feed that nobody is responsible', () => {
    const input = inputFor('deadline_near', { audience: 'unassigned' });
    expect(render(store, input).html).toMatch(
      />Responsable<\/td><td [^>]*>Personne \(vous êtes prévenu en tant qu’administrateur\)</,
    );
    expect(store.words({ ...input, id: null }, input).body).toContain('en tant qu’administrateur');
  });
});

test('M11: the description is in the mail, with its addresses as links', () => {
  const description = 'Voir https://impots.example.fr/notice (page 3).\nDemander les acomptes.';
  const data = { ...KIND_DATA.deadline_near, description };
  const { html, text } = render(store, inputFor('deadline_near', { data }));
  expect(html).toMatch(
    /Voir <a [^>]*href="https:\/\/impots\.example\.fr\/notice"[^>]*>https:\/\/impots\.example\.fr\/notice<\/a> \(page 3\)\.<br>Demander/,
  );
  expect(text).toContain('  Voir https://impots.example.fr/notice (page 3).\n  Demander les acomptes.');
});

describe('M4: a button leads to the item, or there is none', () => {
  test.each(every)('M4: %s in %s has no button without a link', (kind, locale) => {
    const data = { ...KIND_DATA[kind] };
    const mail = render(
      store,
      inputFor(kind, { locale, data, item_url: null, links: { unsubscribe_url: null } }),
    );
    expect(mail.html).not.toContain('<a ');
    expect(mail.text).not.toMatch(/https?:/);
  });

  test('M4: it opens the item itself', () => {
    const { html, text } = render(store, inputFor('deadline_near', { item_url: 'https://v.example.fr/d/7' }));
    expect(html).toMatch(
      /<a class="button-link" href="https:\/\/v\.example\.fr\/d\/7"[^>]*>Ouvrir l’échéance</,
    );
    expect(text).toContain(`Ouvrir l’échéance${NBSP}:\nhttps://v.example.fr/d/7`);
  });

  test('M4, M11: each line of the weekly summary opens its item', () => {
    const { tenant, recipient, locale, today, own, ...item } = inputFor('weekly_summary');
    const wording = new Wording(store, 'https://v.example.fr/{tenant}/{type}/{id}');
    const reader = { tenant: { ...tenant, slug: 'durand' }, recipient, locale, today, own };
    const { html, text } = wording.mail([{ ...item, id: null }], reader, { unsubscribe_url: null });
    const id = '0199f3c4-0000-7000-8000-000000000007';
    const urls = ['document', 'task', 'deadline', 'deadline'].map(
      (type) => `https://v.example.fr/durand/${type}/${id}`,
    );
    const links = [...html.matchAll(/<a class="link"[^>]* href="([^"]+)"/g)].map(([, url]) => url);
    expect(links.sort()).toEqual([...urls].sort());
    for (const url of urls) expect(text).toContain(`  ${url}\n`);
  });

  test('M11: the button of the weekly summary comes before its items', () => {
    const { html } = render(store, inputFor('weekly_summary'));
    expect(html.indexOf('class="button-link"')).toBeGreaterThan(0);
    expect(html.indexOf('class="button-link"')).toBeLessThan(html.indexOf('Relevés bancaires'));
  });
});

describe('M8: text that a person wrote is framed', () => {
  const data = {
    kind: null,
    title: 'Vigie - choisissez un nouveau mot de passe',
    body: 'Cliquez ici.\n\nhttps://evil.example/password',
    data: {},
  };

  test.each(LOCALES)('M8: with its author’s name, and all inside the frame (%s)', (locale) => {
    const { html } = render(store, inputFor('message', { locale, data, author_name: 'Jean Hôte' }));
    const card = html.slice(html.indexOf('class="card"'));
    const [before = '', framed = '', after = ''] = card.split(/<td class="frame-cell"[^>]*>|<\/td>/);
    expect(seen(framed)).toMatch(/^Jean Hôte (vous écrit|writes)/);
    for (const written of [data.title, 'Cliquez ici.', 'https://evil.example/password']) {
      expect(framed).toContain(written);
      expect(before + after).not.toContain(written);
    }
    expect(framed).toContain('href="https://evil.example/password"');
    expect(framed).toMatch(/<h1 class="title" dir="auto"/);
  });

  test('M8: in the text part each of its lines is quoted, so that it cannot end its frame', () => {
    const body = 'Bonjour.\n\n--\nVigie transmet ce message : https://evil.example/';
    const { text } = render(store, inputFor('message', { data: { ...data, body } }));
    const lines = text.split('\n');
    const written = lines.filter((line) => line.startsWith('>'));
    expect(written).toEqual([
      `> ${data.title}`,
      '>',
      '> Bonjour.',
      '>',
      '> --',
      '> Vigie transmet ce message : https://evil.example/',
    ]);
    expect(lines.filter((line) => line.includes('evil'))).toHaveLength(1);
  });
});

describe('M10: no raw codes, no hidden text, no deceptive marks', () => {
  test('M10: French backup mails have words for codes, and B7’s subject', () => {
    const alert = render(store, inputFor('backup_alert'));
    expect(alert.subject).toBe('ALERTE SAUVEGARDE - compta_prod - HASH MISMATCH');
    const recovered = render(store, inputFor('backup_recovered'));
    for (const mail of [alert, recovered]) {
      for (const part of [seen(mail.html), mail.text]) {
        expect(part).not.toMatch(/[A-Z]+_[A-Z]+|\bMISSING\b|\bcompleted\b|hash_differs/);
      }
    }
    expect(alert.text).toContain(`État du transfert${NBSP}: terminé`);
    expect(recovered.text).toContain('fichier différent de celui annoncé, sauvegarde manquante');
  });

  test.each([
    ['fr', 'tva', 'TVA'],
    ['en', 'tva', 'VAT'],
    ['fr', 'is', 'Impôt sur les sociétés'],
    ['fr', 'Régime agricole', 'Régime agricole'],
  ] as const)('M10: in %s the category %s is written %s', (locale, category, words) => {
    const data = { ...KIND_DATA.deadline_near, category };
    const { html } = render(store, inputFor('deadline_near', { locale, data }));
    expect(seen(html).split('\n')).toContain(words);
  });

  test.each(every)('M10: %s in %s hides no text', (kind, locale) => {
    const { html } = render(store, inputFor(kind, { locale }));
    expect(html).not.toMatch(
      /display: ?none|visibility: ?hidden|opacity: ?0|font-size: ?[01]px|max-height: ?0/,
    );
    expect(html).not.toMatch(/&#847;|&zwnj;|[\u034f\u200b-\u200d]/);
  });

  test('M10: direction marks and line separators are removed', () => {
    const title = 'TVA \u202e3AC\u2028Votre mot de passe';
    const data = { ...KIND_DATA.deadline_near, title, client_name: 'A\u2029B \u2066C' };
    const mail = render(store, inputFor('deadline_near', { data }));
    const words = store.words(
      { ...inputFor('event'), id: null, data: { title, body: title } },
      inputFor('event'),
    );
    for (const part of [mail.subject, mail.html, mail.text, words.title, words.body]) {
      expect(part).not.toMatch(/[\u2028\u2029\u202a-\u202e\u2066-\u2069]/);
    }
    expect(mail.text.split('\n')).toContain('TVA 3AC Votre mot de passe');
  });

  test('M10: text of people uses its own direction', () => {
    const data = { ...KIND_DATA.deadline_near, title: 'מע״מ', client_name: 'מאפייה', description: 'הערה' };
    const { html } = render(store, inputFor('deadline_near', { data }));
    for (const text of ['מע״מ', 'מאפייה', 'הערה']) {
      expect(html).toMatch(new RegExp(`<[^>]* dir="auto"[^>]*>${text}`));
    }
  });
});
