import { TEMPLATE_HELPERS } from './helpers.js';

const call = (helper: string, locale: string, ...args: unknown[]) =>
  TEMPLATE_HELPERS[helper]?.(...args, { data: { root: { locale, tenant: { time_zone: 'Europe/Paris' } } } });

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

test.each([null, undefined, -1, NaN, Infinity, '12', {}])('%p is no size', (value) => {
  expect(call('bytes', 'fr', value)).toBe('');
});

test('an instant is long, with its zone, or short', () => {
  const instant = '2026-03-01T00:30:00Z';
  expect(call('instant', 'fr', instant)).toBe('dimanche 1er mars 2026 à 1\u00a0h\u00a030 (Europe/Paris)');
  expect(call('instant', 'fr', instant, 'short')).toBe('dim. 1er mars 2026 à 1\u00a0h\u00a030');
  expect(call('instant', 'en', instant, 'short')).toBe('Sun 1 Mar 2026 at 01:30');
});
