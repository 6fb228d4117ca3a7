import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { type Locale, LOCALES } from '../../contracts/locales.js';
import { type LocaleFormats, parseLocaleFormats } from '../locale-formats.js';
import { faultOf, TemplateError } from '../template-error.js';
import { parseStrings, readSource, type TemplateSource } from '../template-files.js';

/** The pages of the server, each with its file in `templates/pages/`. */
export const PAGES = ['alert', 'login', 'password', 'signed_in', 'unsubscribe'] as const;
export type PageName = (typeof PAGES)[number];

export interface PageFile extends TemplateSource {
  /** The text of `<page>.js`; null when the page has no `{{> script}}`. */
  script: string | null;
}

export interface PageWords {
  /** The name of the words' file in error messages. */
  file: string;
  formats: LocaleFormats;
  strings: Record<string, string>;
}

export interface PageFiles {
  layout: TemplateSource;
  style: string;
  pages: ReadonlyMap<PageName, PageFile>;
  words: ReadonlyMap<Locale, PageWords>;
}

const LAYOUT = 'layout.html.hbs';
const STYLE = 'pages.css';

/**
 * Reads `pages/` and each locale's `pages.json`.
 * @throws TemplateError naming the file that is missing, misnamed or unreadable.
 */
export async function readPageFiles(directory: string): Promise<PageFiles> {
  const folder = path.join(directory, 'pages');
  await checkNames(folder);
  const pages = new Map<PageName, PageFile>();
  for (const page of PAGES) pages.set(page, await readPage(folder, page));
  const words = new Map<Locale, PageWords>();
  for (const locale of LOCALES) words.set(locale, await readWords(path.join(directory, locale), locale));
  return {
    layout: await readSource(path.join(folder, LAYOUT)),
    style: await readAsset(path.join(folder, STYLE)),
    pages,
    words,
  };
}

async function readPage(folder: string, page: PageName): Promise<PageFile> {
  const source = await readSource(path.join(folder, `${page}.html.hbs`));
  const hasScript = /\{\{>\s*script\s*\}\}/.test(source.source);
  return { ...source, script: hasScript ? await readAsset(path.join(folder, `${page}.js`)) : null };
}

async function readWords(folder: string, locale: Locale): Promise<PageWords> {
  const words = await readSource(path.join(folder, 'pages.json'));
  const formats = await readSource(path.join(folder, 'locale.json'));
  return {
    file: words.file,
    formats: parseLocaleFormats(locale, formats),
    strings: parseStrings(words),
  };
}

/** A style sheet or script is inserted unchanged: it must neither be parsed as Handlebars nor end its element. */
async function readAsset(file: string): Promise<string> {
  const { source } = await readSource(file);
  const line = source.split('\n').findIndex((text) => /\{\{|<\/|<!--/.test(text));
  if (line >= 0) throw new TemplateError(file, 'must not contain "{{", "</" or "<!--"', line + 1);
  return source;
}

/** Otherwise a file with a misspelt name would silently never be used. */
async function checkNames(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw new TemplateError(folder, faultOf(error));
  });
  const known = new Set([LAYOUT, STYLE, ...PAGES.flatMap((page) => [`${page}.html.hbs`, `${page}.js`])]);
  const unknown = names.find((name) => !known.has(name));
  if (unknown !== undefined) throw new TemplateError(path.join(folder, unknown), 'is not the file of a page');
}
