import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Locale, LOCALES } from '../contracts/locales.js';
import { type LocaleFormats, parseLocaleFormats, parseObject } from './locale-formats.js';
import { faultOf, TemplateError } from './template-error.js';

/** The parts of a kind's words; html and text are the mail's. */
export const TEMPLATE_PARTS = ['title', 'body', 'text', 'html'] as const;
export type TemplatePart = (typeof TEMPLATE_PARTS)[number];

/** One file as read; `file` is its name in error messages. */
export interface TemplateSource {
  file: string;
  source: string;
}

export interface KindSources {
  kind: string;
  locale: Locale;
  title: TemplateSource;
  /** Null for bundles: their items have bodies. */
  body: TemplateSource | null;
  html: TemplateSource;
  text: TemplateSource;
}

export interface LocaleFiles {
  formats: LocaleFormats;
  /** Labels that the base and any template may insert as `{{> strings.<name>}}`. */
  strings: Record<string, string>;
  /** Why a message was sent or not, by the codes of `contracts/reasons.ts`. */
  reasons: Record<string, string>;
}

export interface TemplateFiles {
  base: { html: TemplateSource; text: TemplateSource };
  /** Inlines that templates of several kinds insert. */
  parts: { html: TemplateSource; text: TemplateSource };
  locales: ReadonlyMap<Locale, LocaleFiles>;
  kinds: KindSources[];
}

/** The templates of a message that carries several notifications. */
export const BUNDLE = 'bundle';
const FILE_NAME = /^([a-z][a-z0-9_]*)\.(title|body|html|text)\.hbs$/;

/**
 * Reads a folder of templates, in every locale: those of `kinds` and any others found.
 * @throws TemplateError naming the file that is missing, misnamed or unreadable.
 */
export async function readTemplateFiles(
  directory: string,
  kinds: readonly string[] = [],
): Promise<TemplateFiles> {
  const all = new Set([BUNDLE, ...kinds]);
  for (const locale of LOCALES) {
    for (const kind of await kindsIn(path.join(directory, locale))) all.add(kind);
  }
  const sources: KindSources[] = [];
  for (const kind of [...all].sort()) {
    for (const locale of LOCALES) sources.push(await readKind(directory, kind, locale));
  }
  const locales = new Map<Locale, LocaleFiles>();
  for (const locale of LOCALES) locales.set(locale, await readLocale(directory, locale));
  const shared = async (name: string) => ({
    html: await readSource(path.join(directory, `${name}.html.hbs`)),
    text: await readSource(path.join(directory, `${name}.text.hbs`)),
  });
  return { base: await shared('base'), parts: await shared('parts'), locales, kinds: sources };
}

async function readKind(directory: string, kind: string, locale: Locale): Promise<KindSources> {
  const read = (part: string) => readSource(path.join(directory, locale, `${kind}.${part}.hbs`));
  const [title, body, html, text] = await Promise.all([
    read('title'),
    kind === BUNDLE ? null : read('body'),
    read('html'),
    read('text'),
  ]);
  return { kind, locale, title, body, html, text };
}

async function readLocale(directory: string, locale: Locale): Promise<LocaleFiles> {
  const formats = await readSource(path.join(directory, locale, 'locale.json'));
  const strings = await readSource(path.join(directory, locale, 'strings.json'));
  const reasons = await readSource(path.join(directory, locale, 'reasons.json'));
  return {
    formats: parseLocaleFormats(locale, formats),
    strings: parseStrings(strings),
    reasons: parseStrings(reasons),
  };
}

async function kindsIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw new TemplateError(folder, faultOf(error));
  });
  return names
    .filter((name) => name.endsWith('.hbs'))
    .map((name) => {
      const kind = FILE_NAME.exec(name)?.[1];
      // Otherwise a template with a misspelt name would silently never be used.
      if (kind === undefined) {
        throw new TemplateError(path.join(folder, name), 'is not named <kind>.(title|body|html|text).hbs');
      }
      return kind;
    });
}

/** @throws TemplateError for a file that is missing or unreadable. */
export async function readSource(file: string): Promise<TemplateSource> {
  try {
    return { file, source: await readFile(file, 'utf8') };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new TemplateError(file, 'is missing');
    throw new TemplateError(file, faultOf(error));
  }
}

/** @throws TemplateError when it is not a JSON object of texts. */
export function parseStrings({ file, source }: TemplateSource): Record<string, string> {
  const strings: Record<string, string> = {};
  for (const [name, value] of Object.entries(parseObject(source, file))) {
    if (typeof value !== 'string') throw new TemplateError(file, `"${name}" is not a text`);
    strings[name] = value;
  }
  return strings;
}
