import { join } from 'node:path';
import { NOTIFICATION_KINDS } from '../../src/contracts/kind-lists.js';
import { LOCALES } from '../../src/contracts/locales.js';
import { inputFor, render } from '../../src/wording/rendering.fixtures.js';
import { BUNDLE } from '../../src/wording/template-files.js';
import { TemplateStore } from '../../src/wording/template-store.js';
import { filesUnder, ROOT } from './sources.js';

let store: TemplateStore;

beforeAll(async () => {
  store = await TemplateStore.load(join(ROOT, 'templates'));
});

const every = NOTIFICATION_KINDS.flatMap((kind) => LOCALES.map((locale) => [kind, locale] as const));

it.each(every)('%s renders in %s', (kind, locale) => {
  const { subject, html, text } = render(store, inputFor(kind, { locale }));
  for (const part of [subject, html, text]) {
    expect(part.trim()).not.toBe('');
    expect(part).not.toMatch(/\{\{|\}\}|undefined|\[object|NaN|Invalid Date/);
  }
  expect(html).toContain(`lang="${locale}"`);
});

it('has a template for each kind, and none for an unknown kind', () => {
  expect(store.kinds()).toEqual([...NOTIFICATION_KINDS].sort());
  const files = filesUnder('templates')
    .filter((path) => !path.startsWith('templates/pages/'))
    .flatMap((path) => /^templates\/(\w+)\/(\w+)\.\w+\.hbs$/.exec(path)?.slice(1, 3) ?? []);
  expect(new Set(files)).toEqual(new Set([...LOCALES, ...NOTIFICATION_KINDS, BUNDLE]));
});

it.each(NOTIFICATION_KINDS)('%s has a different text in each language', (kind) => {
  const texts = LOCALES.map((locale) => render(store, inputFor(kind, { locale })).text);
  expect(new Set(texts).size).toBe(LOCALES.length);
});
