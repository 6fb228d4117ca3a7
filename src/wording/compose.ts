import { escapeHtml, EXPRESSION } from './expressions.js';
import { TemplateError } from './template-error.js';
import type { KindSources, TemplateFiles, TemplatePart, TemplateSource } from './template-files.js';

/** The complete Handlebars sources of one kind in one locale, including the base and with all partials resolved. */
export interface ComposedSources {
  title: string;
  body: string;
  html: string;
  text: string;
}

type Parts = ReadonlyMap<string, string>;

/** Handlebars' comments, with the end of their line. */
export const COMMENT = /\{\{!--[\s\S]*?--\}\}\n?|\{\{![\s\S]*?\}\}\n?/g;
const INLINE = /\{\{#\*inline\s+"(\w+)"\s*\}\}([\s\S]*?)\{\{\/inline\}\}\n?/g;
const WITH_DEFAULT = /\{\{#>\s*(\w+)\s*\}\}([\s\S]*?)\{\{\/\1\}\}/g;
const INSERT = /\{\{>\s*([\w.]+)\s*\}\}/g;
const DYNAMIC = /\{\{[#~\s]*[>*][^}]*\}\}/;
/** Deeper than any reasonable template; stops a part that inserts itself. */
const MAX_DEPTH = 8;

/**
 * Inserts a kind's content into the base. Uses Handlebars' syntax for layouts, but resolves it as text, once at load:
 * `{{> part}}` inserts, `{{#> part}}default{{/part}}` inserts or falls back, `{{#*inline "part"}}…{{/inline}}` defines.
 * Nothing is looked up while rendering, so no data can choose a partial. Parts are the content, the inlines of the file
 * and of the kind's title and body, those that `parts.*.hbs` has for several kinds, and `strings.<name>`.
 *
 * Not with Handlebars' own partials, which are resolved while rendering: `inlineCss` needs the whole mail as one
 * document, with rows and cells of a part inside the table of another; labels are escaped once, depending on where they
 * are inserted; a part that is missing in a branch that no first rendering takes would fail in a mail, not at start;
 * and a partial alone on its line indents what it inserts, which changes plain text.
 * @throws TemplateError for a part that does not exist or a dynamic partial.
 */
export function compose(
  sources: KindSources,
  files: TemplateFiles,
  strings: Record<string, string>,
): ComposedSources {
  const labels = labelsOf(strings);
  const title = split(sources.title.source);
  const body = split(sources.body?.source ?? '');
  const plain = new Map([...labels, ...title.inlines, ...body.inlines]);
  // Labels, titles and bodies are plain text: escape them where they are inserted into HTML.
  const escaped = new Map([...plain].map(([name, text]) => [name, escapeAround(text)] as const));
  const html = split(sources.html.source);
  const text = split(sources.text.source);
  const shared = { html: split(files.parts.html.source), text: split(files.parts.text.source) };
  return {
    title: resolve(title.rest.trim(), plain, sources.title.file),
    body: resolve(body.rest.trim(), plain, sources.body?.file ?? sources.title.file),
    html: resolve(
      files.base.html.source,
      new Map([...escaped, ...shared.html.inlines, ...html.inlines, ['content', html.rest]]),
      sources.html.file,
    ),
    text: resolve(
      files.base.text.source,
      new Map([...plain, ...shared.text.inlines, ...text.inlines, ['content', text.rest]]),
      sources.text.file,
    ),
  };
}

/**
 * One part of a kind as a tenant wrote it, in the base if it is a mail's. It may insert the labels, the parts of the
 * built-in title and body, those of `parts.*.hbs`, and its own inlines.
 * @param limit characters: parts that insert parts multiply.
 * @throws TemplateError also for a result longer than `limit`.
 */
export function composeOwn(
  part: TemplatePart,
  own: Pieces,
  sources: KindSources,
  files: TemplateFiles,
  strings: Record<string, string>,
  limit: number,
): string {
  const parts = new Map([...insertable(part, sources, files, strings), ...own.inlines]);
  const file = `${sources.kind}.${part}`;
  if (part === 'title' || part === 'body') return resolve(own.rest.trim(), parts, file, limit);
  return resolve(files.base[part].source, parts.set('content', own.rest), file, limit);
}

/** The parts that a tenant's own template may insert. */
export function insertable(
  part: TemplatePart,
  sources: KindSources,
  files: TemplateFiles,
  strings: Record<string, string>,
): Parts {
  const plain = [
    ...labelsOf(strings),
    ...split(sources.title.source).inlines,
    ...split(sources.body?.source ?? '').inlines,
  ];
  if (part === 'title' || part === 'body') return new Map(plain);
  const written = part === 'html' ? plain.map(([name, text]) => [name, escapeAround(text)] as const) : plain;
  return new Map([...written, ...split(files.parts[part].source).inlines]);
}

/**
 * A page for browsers in the layout of all pages, in the same syntax. Its parts are its content, its inlines,
 * `strings.<name>`, and `assets`: a style sheet and a script, which contain no expressions.
 * @throws TemplateError for a part that does not exist or a dynamic partial.
 */
export function composePage(
  page: TemplateSource,
  layout: TemplateSource,
  strings: Record<string, string>,
  assets: Record<string, string>,
): string {
  const labels = labelsOf(strings).map(([name, text]) => [name, escapeAround(text)] as const);
  const { rest, inlines } = split(page.source);
  const parts = new Map([...labels, ...inlines, ['content', rest] as const, ...Object.entries(assets)]);
  return resolve(layout.source, parts, page.file);
}

/** A source without its inlines and comments, and the inlines. */
export interface Pieces {
  rest: string;
  inlines: readonly (readonly [string, string])[];
}

export function split(source: string): Pieces {
  const inlines: [string, string][] = [];
  const rest = source.replace(COMMENT, '').replace(INLINE, (_match, name: string, part: string) => {
    inlines.push([name, part]);
    return '';
  });
  return { rest, inlines };
}

function resolve(source: string, parts: Parts, file: string, limit = Infinity): string {
  let resolved = source.replace(COMMENT, '');
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const before = resolved;
    let length = before.length;
    const counted = (part: string) => {
      length += part.length;
      if (length > limit)
        throw new TemplateError(file, `it is longer than ${limit} characters with its parts`);
      return part;
    };
    resolved = resolved
      .replace(WITH_DEFAULT, (_match, name: string, fallback: string) => counted(parts.get(name) ?? fallback))
      .replace(INSERT, (_match, name: string) => {
        const part = parts.get(name);
        if (part === undefined) throw new TemplateError(file, `there is no part "${name}" to insert`);
        return counted(part);
      });
    if (resolved === before) break;
  }
  const left = DYNAMIC.exec(resolved)?.[0];
  if (left !== undefined) throw new TemplateError(file, `${left} is not allowed: parts are inserted by name`);
  return resolved;
}

function labelsOf(strings: Record<string, string>): (readonly [string, string])[] {
  return Object.entries(strings).map(([name, text]) => [`strings.${name}`, text] as const);
}

function escapeAround(text: string): string {
  return text
    .split(EXPRESSION)
    .map((piece, index) => (index % 2 === 0 ? escapeHtml(piece) : piece))
    .join('');
}
