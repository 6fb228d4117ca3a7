import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { LOCALES } from '../../contracts/locales.js';
import { HtmlPages } from './html-pages.js';
import { PAGES } from './page-files.js';

const NONCE = 'n0nce';
const every = LOCALES.flatMap((locale) => PAGES.map((page) => [page, locale] as const));

let directory: string;
let pages: HtmlPages;
beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'vigie-pages-'));
  await cp(path.resolve('templates'), directory, { recursive: true });
  pages = await HtmlPages.load(directory);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function fault(): Promise<string> {
  try {
    await HtmlPages.load(directory);
  } catch (error) {
    return (error as Error).message.slice(directory.length + 1);
  }
  return 'loaded';
}

describe.each(every)('%s in %s', (page, locale) => {
  test('H27: renders completely from its file and its words', () => {
    const html = pages.render(page, locale, NONCE);
    expect(html).toMatch(new RegExp(`^<!DOCTYPE html>\n<html lang="${locale}">`));
    expect(html).toMatch(/<title>[^<]+ - Vigie<\/title>/);
    expect(html).toMatch(/<h1[^>]*>[^<]+<\/h1>/);
    expect(html).not.toMatch(/\{\{|undefined|\[object|hbsx/);
  });

  test('H27: its style and script carry the nonce, and nothing else is inline or from another origin', () => {
    const html = pages.render(page, locale, NONCE);
    const code = html.match(/<(?:style|script)\b[^>]*>/g) ?? [];
    expect(code.length).toBe(page === 'password' ? 2 : 1);
    for (const tag of code) expect(tag).toMatch(/^<(style|script) nonce="n0nce">$/);
    const markup = html.replace(/<(style|script)\b[\s\S]*?<\/\1>/g, '');
    expect(markup).not.toMatch(/\s(?:style|on\w+|src)=|<(?:link|img|iframe)\b|href="http/);
  });
});

test('H27: a page differs between languages', () => {
  for (const page of PAGES) {
    const titles = LOCALES.map((locale) => /<h1[^>]*>([^<]+)/.exec(pages.render(page, locale, NONCE))?.[1]);
    expect(new Set(titles).size).toBe(LOCALES.length);
  }
  expect(pages.labelInEveryLocale('board_log_out')).toBe('Se déconnecter · Sign out');
});

test('H27: request data on a page is text, never markup', () => {
  const email = `"'><script>alert(1)</script>@example.com`;
  for (const html of [
    pages.render('login', 'fr', NONCE, { problem: 'wrong', email }),
    pages.render('signed_in', 'fr', NONCE, { email }),
  ]) {
    expect(html).not.toContain('<script');
    expect(html).toContain('&quot;&#x27;&gt;&lt;script&gt;');
  }
});

test.each([
  [{ seconds: 1, minutes: 0 }, 'dans 1 seconde.', 'in 1 second.'],
  [{ seconds: 59, minutes: 0 }, 'dans 59 secondes.', 'in 59 seconds.'],
  [{ seconds: 61, minutes: 2 }, 'dans 2 minutes.', 'in 2 minutes.'],
])('H27: too many attempts, %j', (wait, french, english) => {
  const shown = (locale: 'fr' | 'en') =>
    pages.render('login', locale, NONCE, { problem: 'too_many', ...wait });
  expect(shown('fr')).toContain(french);
  expect(shown('en')).toContain(english);
});

test('H27: the script of a page uses only words that the page provides', async () => {
  const script = await readFile(path.join(directory, 'pages/password.js'), 'utf8');
  const used = new Set([...script.matchAll(/\bwords\.(\w+)/g)].map(([, name]) => name));
  const handed = [...pages.render('password', 'fr', NONCE).matchAll(/\sdata-([\w-]+)="[^"]+"/g)].map(
    ([, name = '']) => name.replace(/-(\w)/g, (_dash, letter: string) => letter.toUpperCase()),
  );
  expect(used.size).toBeGreaterThan(10);
  expect([...used].sort()).toEqual(handed.sort());
});

test.each([
  'pages/layout.html.hbs',
  'pages/login.html.hbs',
  'pages/password.html.hbs',
  'pages/password.js',
  'pages/pages.css',
  'fr/pages.json',
  'en/pages.json',
])('H27: the start reports that %s is missing', async (file) => {
  await rm(path.join(directory, file));
  expect(await fault()).toBe(`${file}: is missing`);
});

test.each(['password_failed', 'login_wrong', 'signed_in_as', 'board_log_out'])(
  'H27: the start reports in which locale the word %s is missing',
  async (name) => {
    const file = path.join(directory, 'en/pages.json');
    const words = JSON.parse(await readFile(file, 'utf8')) as Record<string, string>;
    await writeFile(file, JSON.stringify({ ...words, [name]: '' }));
    expect(await fault()).toBe(`en/pages.json: "${name}" is missing`);
    await writeFile(file, JSON.stringify({ ...words, [name]: undefined }));
    expect(await fault()).toBe(`en/pages.json: "${name}" is missing`);
  },
);

test.each([
  ['pages/login.html.hbs', 'one\n{{#if email}}', ':2: Parse error'],
  ['pages/login.html.hbs', '\n<p>{{shout email}}</p>', ':2: there is no helper "shout"'],
  ['pages/login.html.hbs', '<p>{{email}}</p>', ': there is no part "title"'],
  ['pages/login.html.hbs', '{{#*inline "title"}}x{{/inline}}<p>{{{email}}}</p>', 'would not be escaped'],
  ['pages/login.html.hbs', '{{#*inline "title"}}x{{/inline}}<p id={{email}}>', 'in a quoted value'],
  ['pages/login.html.hbs', '{{#*inline "title"}}x{{/inline}}<a href="{{email}}">', 'write {{http_url …}}'],
  [
    'pages/login.html.hbs',
    '{{#*inline "title"}}x{{/inline}}<script>1</script>',
    'must not contain scripts or styles',
  ],
  ['pages/login.html.hbs', '{{#*inline "title"}}x{{/inline}}<p onclick="go()">', 'Content Security Policy'],
  [
    'pages/login.html.hbs',
    '{{#*inline "title"}}x{{/inline}}<p style="color: red">',
    'Content Security Policy',
  ],
  ['pages/password.js', 'const a = 1;\nconst b = "</script>";', ':2: must not contain'],
  ['pages/password.js', '/* {{nonce}} */', ':1: must not contain'],
  ['pages/passwords.js', '', ': is not the file of a page'],
  ['fr/pages.json', '{', ': '],
  ['fr/pages.json', '{"login_title": 1}', ': "login_title" is not a text'],
])('H27: the start refuses %s with %s', async (file, source, message) => {
  await writeFile(path.join(directory, file), source);
  const found = await fault();
  expect(found.slice(0, file.length)).toBe(file);
  expect(found).toContain(message);
});
