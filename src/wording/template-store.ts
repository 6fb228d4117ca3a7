import type { Locale, Severity } from '../contracts/notification-kinds.js';
import { compose } from './compose.js';
import { checkSyntax, compileTemplate, type CompiledTemplate } from './engine.js';
import { inlineCss } from './inline-css.js';
import { buildContext, cleanText } from './render-context.js';
import { TemplateError } from './template-error.js';
import { type KindSources, readTemplateFiles, type TemplateFiles } from './template-files.js';

/** A notification as a template sees it; the fields of `data` are also available at top level. */
export interface RenderInput {
  kind: string;
  locale: Locale;
  tenant: { name: string; time_zone: string };
  recipient: { name: string | null };
  severity: Severity;
  title: string;
  body: string;
  data: Record<string, unknown>;
  created_at: Date;
  links: { inbox_url: string | null; unsubscribe_url: string | null };
}

export interface RenderedMail {
  /** One line, at most 200 characters, without control characters. */
  subject: string;
  html: string;
  text: string;
}

interface CompiledMail {
  subject: CompiledTemplate;
  html: CompiledTemplate;
  text: CompiledTemplate;
}

/** For kinds that have no template of their own. */
const FALLBACK_KIND = 'event';
const MAX_SUBJECT = 200;

/** The mail templates of a folder, compiled once; rendering does no I/O and does not throw, whatever the data. */
export class TemplateStore {
  private constructor(private readonly templates: ReadonlyMap<string, CompiledMail>) {}

  /**
   * Reads and compiles every template: a fault stops the start, not the first mail of a kind.
   * @throws TemplateError whose message begins with the file: missing in a locale, not parsing, not well-formed.
   */
  static async load(directory: string): Promise<TemplateStore> {
    const files = await readTemplateFiles(directory);
    for (const { html, text } of [files.base, files.parts]) {
      checkSyntax(html);
      checkSyntax(text);
    }
    const templates = new Map<string, CompiledMail>();
    for (const sources of files.kinds) {
      templates.set(keyOf(sources.kind, sources.locale), compileMail(sources, files));
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

  /** The kinds that have a template, sorted. */
  kinds(): string[] {
    return [...new Set([...this.templates.keys()].map((key) => key.slice(key.indexOf('/') + 1)))].sort();
  }

  /** The mail in the recipient's locale. An unknown kind gets the `event` template: its title and body. */
  render(input: RenderInput): RenderedMail {
    const mail =
      this.templates.get(keyOf(input.kind, input.locale)) ??
      this.templates.get(keyOf(FALLBACK_KIND, input.locale));
    if (!mail) throw new TemplateError(input.locale, 'is no locale of the templates');
    const context = buildContext(input);
    return {
      subject: subjectLine(mail.subject(context)) || subjectLine(input.title) || 'Vigie',
      html: mail.html(context),
      text: tidyText(mail.text(context)),
    };
  }
}

function keyOf(kind: string, locale: Locale): string {
  return `${locale}/${kind}`;
}

function compileMail(sources: KindSources, files: TemplateFiles): CompiledMail {
  const { subject, html, text } = sources;
  for (const source of [subject, html, text]) checkSyntax(source);
  const composed = compose(sources, files);
  return {
    subject: compileTemplate(composed.subject, subject.file, false),
    html: compileTemplate(inlineCss(composed.html, html.file), html.file, true),
    text: compileTemplate(composed.text, text.file, false),
  };
}

/** A header is one line: line breaks and control characters would let data write headers of its own. */
function subjectLine(rendered: string): string {
  const line = cleanText(rendered)
    // A single non-breaking space is typography (French colons) and stays; any other space becomes one.
    .replace(/[\s\u0085]+/g, (space) => (space === '\u00a0' ? space : ' '))
    // Invisible marks that turn the reading direction serve only to deceive here.
    .replace(/[\u202a-\u202e\u2066-\u2069]/g, '')
    .trim();
  if (line.length <= MAX_SUBJECT) return line;
  // Not in the middle of a surrogate pair.
  return `${line
    .slice(0, MAX_SUBJECT - 1)
    .replace(/[\ud800-\udbff]$/, '')
    .trimEnd()}…`;
}

/** Conditions leave blank lines behind. Line by line, so that long runs of spaces cost no more than their length. */
function tidyText(rendered: string): string {
  const lines: string[] = [];
  for (const line of rendered.split('\n').map((each) => each.trimEnd())) {
    if (line !== '' || (lines.length > 0 && lines.at(-1) !== '')) lines.push(line);
  }
  return `${lines.join('\n').trimEnd()}\n`;
}
