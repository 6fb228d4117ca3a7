import type { Locale } from '../contracts/locales.js';
import { compose } from './compose.js';
import { checkSyntax, compileTemplate, type CompiledTemplate } from './engine.js';
import { inlineCss } from './inline-css.js';
import { bundleContext, cleanText, itemContext } from './render-context.js';
import { TemplateError } from './template-error.js';
import { BUNDLE, type KindSources, readTemplateFiles, type TemplateFiles } from './template-files.js';
import type { MessageLinks, Reader, RenderedMail, WordedItem, Words } from './worded.js';

interface CompiledKind {
  title: CompiledTemplate;
  body: CompiledTemplate;
  html: CompiledTemplate;
  text: CompiledTemplate;
}

/** For kinds without a template: notifications of a newer version. */
const FALLBACK_KIND = 'event';
/** For a title that renders empty. */
const FALLBACK_TITLE = 'Vigie';
const MAX_TITLE = 200;

/** The templates of a folder, compiled once; rendering does no I/O and never throws, whatever the data. */
export class TemplateStore {
  private constructor(private readonly templates: ReadonlyMap<string, CompiledKind>) {}

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
    const store = new TemplateStore(templates);
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

  /** Title and body in the reader's locale, as of their day. */
  words(item: WordedItem, reader: Reader): Words {
    const context = itemContext(item, reader, { unsubscribe_url: null });
    return wordsOf(this.kindOf(item.kind, reader.locale), context);
  }

  /** The mail of one notification. An unknown kind uses the `event` template with its title and body. */
  itemMail(item: WordedItem, reader: Reader, links: MessageLinks): RenderedMail {
    const kind = this.kindOf(item.kind, reader.locale);
    const context = itemContext(item, reader, links);
    const words = wordsOf(kind, context);
    return mailOf(kind, words.title, Object.assign(context, words));
  }

  /** The mail of several notifications. */
  bundleMail(items: readonly WordedItem[], reader: Reader, links: MessageLinks): RenderedMail {
    const { bundle, context, title } = this.bundle(items, reader, links);
    return mailOf(bundle, title, Object.assign(context, { title }));
  }

  /** The title of several notifications: how many of each there are. */
  bundleTitle(items: readonly WordedItem[], reader: Reader): string {
    return this.bundle(items, reader, { unsubscribe_url: null }).title;
  }

  private bundle(items: readonly WordedItem[], reader: Reader, links: MessageLinks) {
    const bundle = this.kindOf(BUNDLE, reader.locale);
    const worded = items.map((item) => ({ ...item, ...this.words(item, reader) }));
    const context = bundleContext(worded, reader, links);
    return { bundle, context, title: oneLine(bundle.title(context)) || FALLBACK_TITLE };
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
    title: compileTemplate(composed.title, title.file, formats, false),
    body: compileTemplate(composed.body, body?.file ?? title.file, formats, false),
    html: compileTemplate(inlineCss(composed.html, html.file), html.file, formats, true),
    text: compileTemplate(composed.text, text.file, formats, false),
  };
}

/** Adds the title to the context, because a body may print it. */
function wordsOf(kind: CompiledKind, context: object): Words {
  const title = oneLine(kind.title(context)) || FALLBACK_TITLE;
  return { title, body: kind.body(Object.assign(context, { title })) };
}

function mailOf(kind: CompiledKind, subject: string, context: object): RenderedMail {
  return { subject, html: kind.html(context), text: tidyText(kind.text(context)) };
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
