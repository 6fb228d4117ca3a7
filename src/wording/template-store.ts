import type { Locale } from '../contracts/locales.js';
import { compose } from './compose.js';
import { checkSyntax, compileTemplate, type CompiledTemplate, type Secrets } from './engine.js';
import { inlineCss } from './inline-css.js';
import { kindOfTemplate, templateOf, withCallersData } from './named-message.js';
import { bundleContext, cleanText, itemContext, secretsOf } from './render-context.js';
import { TemplateError } from './template-error.js';
import {
  BUNDLE,
  type KindSources,
  readTemplateFiles,
  type TemplateFiles,
  type TemplatePart,
} from './template-files.js';
import type { Fault } from '../platform/errors/problem.js';
import { DataCheck } from './tenant-templates/data-check.js';
import type { BuiltIn } from './tenant-templates/adapted-part.js';
import type { MessageLinks, Reader, RenderedMail, WordedItem, Words } from './worded.js';

interface CompiledKind {
  sources: KindSources;
  title: CompiledTemplate;
  body: CompiledTemplate;
  html: CompiledTemplate;
  text: CompiledTemplate;
}

/** Renders a part of a kind: in the tenant's own words if it has some, else in ours. */
type Render = (part: TemplatePart, context: object, secrets: Secrets | null) => string;

/** For kinds without a template: notifications of a newer version. */
const FALLBACK_KIND = 'event';
/** For a title that renders empty. */
const FALLBACK_TITLE = 'Vigie';
const MAX_TITLE = 200;

/** The templates of a folder, compiled once; rendering does no I/O and never throws, whatever the data. */
export class TemplateStore {
  private constructor(
    private readonly templates: ReadonlyMap<string, CompiledKind>,
    /** What a tenant's own template may insert, and is wrapped in. */
    readonly files: TemplateFiles,
  ) {}

  /**
   * Reads and compiles every template: a fault fails the start, not the first mail of a kind.
   * @param kinds the required ones; others are optional.
   * @throws TemplateError whose message starts with the file, and the line if known: missing in a locale, not parsing,
   * not well-formed.
   */
  static async load(directory: string, kinds: readonly string[] = []): Promise<TemplateStore> {
    const files = await readTemplateFiles(directory, kinds);
    for (const { html, text } of [files.base, files.parts]) {
      checkSyntax(html);
      checkSyntax(text);
    }
    const templates = new Map<string, CompiledKind>();
    for (const sources of files.kinds) {
      templates.set(keyOf(sources.kind, sources.locale), compileKind(sources, files));
    }
    const store = new TemplateStore(templates, files);
    if (!store.kinds().includes(FALLBACK_KIND)) {
      throw new TemplateError(
        directory,
        `has no "${FALLBACK_KIND}" template, which other kinds fall back to`,
      );
    }
    return store;
  }

  /** The kinds with a template, sorted. */
  kinds(): string[] {
    const kinds = new Set([...this.templates.keys()].map((key) => key.slice(key.indexOf('/') + 1)));
    return [...kinds].filter((kind) => kind !== BUNDLE).sort();
  }

  /** The built-in sources of a kind; null for an unknown one. */
  sourcesOf(kind: string, locale: Locale): KindSources | null {
    return this.templates.get(keyOf(kind, locale))?.sources ?? null;
  }

  /** A label of `strings.json`; null if the locale does not have it. */
  label(locale: Locale, name: string): string | null {
    const strings = this.files.locales.get(locale)?.strings ?? {};
    return Object.hasOwn(strings, name) ? (strings[name] ?? null) : null;
  }

  /** The words of `reasons.json` for a code; null if the locale does not have it. */
  reason(locale: Locale, code: string): string | null {
    const reasons = this.files.locales.get(locale)?.reasons ?? {};
    return Object.hasOwn(reasons, code) ? (reasons[code] ?? null) : null;
  }

  /** Title and body in the reader's locale, as of their day. */
  words(item: WordedItem, reader: Reader): Words {
    return this.worded(item, reader).words;
  }

  /** The mail of one notification. An unknown kind uses the `event` template with its title and body. */
  itemMail(item: WordedItem, reader: Reader, links: MessageLinks): RenderedMail {
    const { render, context, words } = this.worded(item, reader);
    return mailOf(render, words.title, Object.assign(context, words), secretsOf(links, item));
  }

  /** The mail of several notifications. */
  bundleMail(items: readonly WordedItem[], reader: Reader, links: MessageLinks): RenderedMail {
    const { render, context, title } = this.bundle(items, reader);
    return mailOf(render, title, Object.assign(context, { title }), secretsOf(links));
  }

  /** The title of several notifications: how many of each there are. */
  bundleTitle(items: readonly WordedItem[], reader: Reader): string {
    return this.bundle(items, reader).title;
  }

  /**
   * What a message's template needs and its data does not have, in every language of the template: recipients may use
   * any of them.
   */
  dataFaults(item: WordedItem, reader: Reader, parts: readonly TemplatePart[]): Fault[] {
    const template = templateOf(item);
    if (template === null || reader.own === null) return [];
    const kind = kindOfTemplate(template);
    const check = new DataCheck();
    for (const locale of reader.own.localesOf(kind, reader.locale)) {
      const context = itemContext(withCallersData(item), { ...reader, locale });
      const layer = this.templateLayer(kind, locale);
      for (const part of parts) reader.own.checkData({ kind, locale, part }, context, check, layer);
    }
    return check.faults;
  }

  private worded(item: WordedItem, reader: Reader): { render: Render; context: object; words: Words } {
    const template = templateOf(item);
    if (template !== null) return this.fromTemplate(template, item, reader);
    const render = this.rendererOf(item.kind, reader);
    const context = itemContext(item, reader);
    return { render, context, words: wordsOf(render, context) };
  }

  /**
   * A message from a tenant's message template: in the reader's language if the template has it, else in the tenant's,
   * else in another. Parts of the mail that the template does not have are those of written messages. Without a template
   * that works, the title is its name.
   */
  private fromTemplate(template: string, item: WordedItem, reader: Reader) {
    const kind = kindOfTemplate(template);
    for (const locale of reader.own?.localesOf(kind, reader.locale) ?? []) {
      const found = this.inLocale(kind, item, { ...reader, locale });
      if (found !== null) return found;
    }
    const unworded = { ...item, data: { ...item.data, title: template, body: '' } };
    const render = this.rendererOf(item.kind, reader);
    const context = itemContext(unworded, reader);
    return { render, context, words: wordsOf(render, context) };
  }

  private inLocale(kind: string, item: WordedItem, reader: Reader) {
    const { locale, own } = reader;
    const layer = this.templateLayer(kind, locale);
    const renderOwn = (part: TemplatePart, context: object, secrets: Secrets | null) =>
      own?.render(kind, locale, part, context, secrets, layer) ?? null;
    const context = itemContext(withCallersData(item), reader);
    const title = renderOwn('title', context, null);
    if (title === null) return null;
    const words = { title: oneLine(title) || FALLBACK_TITLE, body: '' };
    const body = renderOwn('body', Object.assign(context, words), null);
    if (body === null) return null;
    words.body = body;
    const framed = Object.assign(itemContext({ ...item, data: { ...item.data, ...words } }, reader), words);
    const builtIn = this.rendererOf(item.kind, reader);
    const render: Render = (part, _context, secrets) => {
      const written = renderOwn(part, Object.assign(context, words), secrets);
      return written === null || written.trim() === '' ? builtIn(part, framed, secrets) : written;
    };
    return { render, context, words };
  }

  /** What a message template may insert: all that a tenant's own words of messages may. */
  private templateLayer(kind: string, locale: Locale): () => BuiltIn {
    return () => ({ sources: { ...this.kindOf('message', locale).sources, kind }, files: this.files });
  }

  private bundle(items: readonly WordedItem[], reader: Reader) {
    const render = this.rendererOf(BUNDLE, reader);
    const worded = items.map((item) => ({ ...item, ...this.words(item, reader) }));
    const context = bundleContext(worded, reader);
    return { render, context, title: titleOf(render, context) };
  }

  private rendererOf(kind: string, { locale, own }: Reader): Render {
    const builtIn = this.kindOf(kind, locale);
    const render: Render = (part, context, secrets) => builtIn[part](context, secrets ?? undefined);
    if (own === null) return render;
    const { sources } = builtIn;
    return (part, context, secrets) => {
      const layer = () => ({ sources, files: this.files });
      const written = own.render(sources.kind, locale, part, context, secrets, layer);
      // A mail without a subject or a text would be taken for spam.
      const isMissing = written === null || (part !== 'body' && written.trim() === '');
      return isMissing ? render(part, context, secrets) : written;
    };
  }

  private kindOf(kind: string, locale: Locale): CompiledKind {
    const found = this.templates.get(keyOf(kind, locale)) ?? this.templates.get(keyOf(FALLBACK_KIND, locale));
    if (!found) throw new TemplateError(locale, 'is not a locale of the templates');
    return found;
  }
}

function keyOf(kind: string, locale: Locale): string {
  return `${locale}/${kind}`;
}

function compileKind(sources: KindSources, files: TemplateFiles): CompiledKind {
  const { title, body, html, text, locale } = sources;
  for (const source of [title, body, html, text]) if (source) checkSyntax(source);
  const words = files.locales.get(locale);
  if (words === undefined) throw new TemplateError(title.file, `${locale} is not a locale of the templates`);
  const { strings, formats } = words;
  const composed = compose(sources, files, strings);
  return {
    sources,
    title: compileTemplate(composed.title, title.file, formats, false),
    body: compileTemplate(composed.body, body?.file ?? title.file, formats, false),
    html: compileTemplate(inlineCss(composed.html, html.file), html.file, formats, true),
    text: compileTemplate(composed.text, text.file, formats, false),
  };
}

/** Adds the title to the context, because a body may print it. */
function wordsOf(render: Render, context: object): Words {
  const title = titleOf(render, context);
  return { title, body: render('body', Object.assign(context, { title }), null) };
}

function titleOf(render: Render, context: object): string {
  return oneLine(render('title', context, null)) || FALLBACK_TITLE;
}

/** Only the parts of the mail get the links that let their holder act. */
function mailOf(render: Render, subject: string, context: object, secrets: Secrets): RenderedMail {
  return {
    subject,
    html: render('html', context, secrets),
    text: tidyText(render('text', context, secrets)),
  };
}

/** A header is one line: line breaks and control characters would let data inject headers. */
function oneLine(rendered: string): string {
  const line = cleanText(rendered)
    // A single non-breaking space is typography (French colons) and stays; other spaces become one ordinary space.
    .replace(/[\s\u0085]{2,}|[^\S \u00a0]|\u0085/g, ' ')
    // Invisible direction marks serve only to deceive here.
    .replace(/[\u202a-\u202e\u2066-\u2069]/g, '')
    .trim();
  if (line.length <= MAX_TITLE) return line;
  // Do not cut a surrogate pair.
  return `${line
    .slice(0, MAX_TITLE - 1)
    .replace(/[\ud800-\udbff]$/, '')
    .trimEnd()}…`;
}

/** Conditions leave blank lines behind. Processed line by line, so that long runs of spaces take linear time. */
function tidyText(rendered: string): string {
  const lines: string[] = [];
  for (const line of rendered.split('\n').map((each) => each.trimEnd())) {
    if (line !== '' || (lines.length > 0 && lines.at(-1) !== '')) lines.push(line);
  }
  return `${lines.join('\n').trimEnd()}\n`;
}
