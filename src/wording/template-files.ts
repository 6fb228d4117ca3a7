import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { LOCALES, type Locale } from '../contracts/notification-kinds.js';
import { faultOf, TemplateError } from './template-error.js';

/** One file as read; `file` is how faults name it. */
export interface TemplateSource {
  file: string;
  source: string;
}

export interface KindSources {
  kind: string;
  locale: Locale;
  subject: TemplateSource;
  html: TemplateSource;
  text: TemplateSource;
}

export interface TemplateFiles {
  base: { html: TemplateSource; text: TemplateSource };
  /** Inlines that templates of several kinds insert. */
  parts: { html: TemplateSource; text: TemplateSource };
  /** Labels that the base and any template may insert as `{{> strings.<name>}}`. */
  strings: Record<Locale, Record<string, string>>;
  kinds: KindSources[];
}

const PARTS = ['subject', 'html', 'text'] as const;
const FILE_NAME = /^([a-z][a-z0-9_]*)\.(subject|html|text)\.hbs$/;

/**
 * Reads a folder of templates. The kinds are whatever files there are.
 * @throws TemplateError naming the file that is missing, misnamed or not readable.
 */
export async function readTemplateFiles(directory: string): Promise<TemplateFiles> {
  const kinds = new Set<string>();
  for (const locale of LOCALES) {
    for (const kind of await kindsIn(path.join(directory, locale))) kinds.add(kind);
  }
  const sources: KindSources[] = [];
  for (const kind of [...kinds].sort()) {
    for (const locale of LOCALES) {
      const [subject, html, text] = await Promise.all(
        PARTS.map((part) => readSource(path.join(directory, locale, `${kind}.${part}.hbs`))),
      );
      if (subject && html && text) sources.push({ kind, locale, subject, html, text });
    }
  }
  const strings = {} as TemplateFiles['strings'];
  for (const locale of LOCALES) strings[locale] = await readStrings(path.join(directory, locale));
  return {
    base: {
      html: await readSource(path.join(directory, 'base.html.hbs')),
      text: await readSource(path.join(directory, 'base.text.hbs')),
    },
    parts: {
      html: await readSource(path.join(directory, 'parts.html.hbs')),
      text: await readSource(path.join(directory, 'parts.text.hbs')),
    },
    strings,
    kinds: sources,
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
      // A misspelt name would otherwise be a template that is silently never used.
      if (kind === undefined) {
        throw new TemplateError(path.join(folder, name), 'is not named <kind>.(subject|html|text).hbs');
      }
      return kind;
    });
}

async function readSource(file: string): Promise<TemplateSource> {
  try {
    return { file, source: await readFile(file, 'utf8') };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new TemplateError(file, 'is missing');
    throw new TemplateError(file, faultOf(error));
  }
}

async function readStrings(folder: string): Promise<Record<string, string>> {
  const { file, source } = await readSource(path.join(folder, 'strings.json'));
  let strings: unknown;
  try {
    strings = JSON.parse(source);
  } catch (error) {
    throw new TemplateError(file, faultOf(error));
  }
  if (typeof strings !== 'object' || strings === null || Array.isArray(strings)) {
    throw new TemplateError(file, 'is not an object of texts');
  }
  for (const [name, value] of Object.entries(strings)) {
    if (typeof value !== 'string') throw new TemplateError(file, `"${name}" is not a text`);
  }
  return strings as Record<string, string>;
}
