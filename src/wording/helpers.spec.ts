import path from 'node:path';
import { TEMPLATE_HELPERS } from './helpers.js';
import type { LocaleFormats } from './locale-formats.js';
import { readTemplateFiles } from './template-files.js';

let formats: Record<string, LocaleFormats>;
beforeAll(async () => {
  const { locales } = await readTemplateFiles(path.resolve('templates'));
  formats = Object.fromEntries([...locales].map(([locale, files]) => [locale, files.formats]));
});

const call = (helper: string, locale: string, ...args: unknown[]) => {
  const root = { today: '2026-03-01', tenant: { time_zone: 'Europe/Paris' } };
  return TEMPLATE_HELPERS[helper]?.(...args, { data: { formats: formats[locale], root } });
};

test.each([
  ['2026-03-01', 0],
  ['2026-03-02', 1],
  ['2026-02-28', -1],
  // Summer time starts in between: days are civil.
  ['2026-04-01', 31],
  ['2025-03-01', -365],
])('days until and since %s', (date, days) => {
  expect(call('days_until', 'fr', date)).toBe(days);
  expect(call('days_since', 'fr', date)).toBe(0 - days);
});

test.each([null, undefined, '', '2026-02-30', '1/3/2026', 5, {}])('%p is not a date', (value) => {
  expect(call('days_until', 'fr', value)).toBeNull();
  expect(call('days_since', 'fr', value)).toBeNull();
});

test.each([
  [0, '0 o', '0 B'],
  [999, '999 o', '999 B'],
  [1_000, '1 ko', '1 kB'],
  [1_550_000, '1,6 Mo', '1.6 MB'],
  [999_949_999, '999,9 Mo', '999.9 MB'],
  [999_950_000, '1 Go', '1 GB'],
  [1_500_000_000, '1,5 Go', '1.5 GB'],
  [2 ** 53, '9 Po', '9 PB'],
  [1e30, '1 000 000 000 000 Eo', '1,000,000,000,000 EB'],
])('%d bytes', (bytes, fr, en) => {
  const written = (locale: string) => String(call('bytes', locale, bytes)).replace(/[\u00a0\u202f]/g, ' ');
  expect([written('fr'), written('en')]).toEqual([fr, en]);
});

test.each([null, undefined, -1, NaN, Infinity, '12', {}])('%p is not a size', (value) => {
  expect(call('bytes', 'fr', value)).toBe('');
});

test('an instant is long, with its zone, or short', () => {
  const instant = '2026-03-01T00:30:00Z';
  expect(call('instant', 'fr', instant)).toBe('dimanche 1er mars 2026 à 1\u00a0h\u00a030 (Europe/Paris)');
  expect(call('instant', 'fr', instant, 'short')).toBe('dim. 1er mars 2026 à 1\u00a0h\u00a030');
  expect(call('instant', 'en', instant, 'short')).toBe('Sun 1 Mar 2026 at 01:30');
});

test.each([
  ['02:00', '2 h 00', '02:00'],
  ['14:05', '14 h 05', '14:05'],
  ['25:00', '25:00', '25:00'],
  ['', '', ''],
  [null, null, null],
])('the time of day %p', (value, fr, en) => {
  const written = (locale: string) => {
    const clock = call('clock', locale, value);
    return typeof clock === 'string' ? clock.replaceAll('\u00a0', ' ') : clock;
  };
  expect([written('fr'), written('en')]).toEqual([fr, en]);
});

test.each([
  ['MISSING', 'manquante'],
  ['NEW_CODE', 'NEW_CODE'],
  ['constructor', 'constructor'],
  ['hash', 'hash'],
  [null, ''],
  [7, ''],
])('M10: the words for the code %p', (code, words) => {
  const options = { hash: { MISSING: 'manquante' }, data: { formats: formats.fr } };
  expect(TEMPLATE_HELPERS.choose?.(code, options)).toBe(words);
});

test('T5: two days of one month are written with one month name', () => {
  expect(call('date', 'fr', '2026-03-01', 'number')).toBe('1er');
  expect(call('same_month', 'fr', '2026-03-01', '2026-03-08')).toBe(true);
  expect(call('same_month', 'fr', '2025-12-28', '2026-01-04')).toBe(false);
});
