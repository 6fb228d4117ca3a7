import sanitizeHtml from 'sanitize-html';
import { COMMENT } from '../compose.js';
import { MARKED, maskExpressions, unmask } from '../markup.js';
import { httpUrl } from '../written-text.js';
import { UNPRINTABLE } from './delimiters.js';
import { type Place, placeAt, TemplateFault } from './template-fault.js';

/** Elements of a tenant's HTML: text, lists and tables. Nothing that loads, runs, submits or styles. */
const TAGS: readonly string[] = (
  'p br hr h1 h2 h3 h4 strong b em i u s small sub sup span div blockquote pre code a ul ol li ' +
  'table thead tbody tfoot tr th td caption'
).split(' ');
const VOID = ['br', 'hr'];
/** Attributes and the form of their values. Styles are the classes of the layout. */
const ATTRIBUTES: Readonly<Record<string, RegExp>> = {
  class: /^[a-z][a-z0-9_ -]{0,200}$/,
  dir: /^(?:ltr|rtl|auto)$/,
  lang: /^[A-Za-z-]{2,35}$/,
  role: /^presentation$/,
  align: /^(?:left|center|right)$/,
  valign: /^(?:top|middle|bottom)$/,
  width: /^\d{1,4}%?$/,
  colspan: /^\d{1,2}$/,
  rowspan: /^\d{1,2}$/,
  cellpadding: /^\d{1,2}$/,
  cellspacing: /^\d{1,2}$/,
  border: /^\d$/,
  bgcolor: /^#[0-9a-fA-F]{6}$/,
};
const MAIL_ADDRESS = /^mailto:[\w.+-]{1,64}@[A-Za-z0-9.-]{1,255}$/;
const MAX_NESTING = 60;
const MARK = new RegExp(MARKED.source);

const SANITIZER: sanitizeHtml.IOptions = {
  allowedTags: [...TAGS],
  allowedAttributes: { '*': Object.keys(ATTRIBUTES), a: ['href'] },
  allowedSchemes: ['http', 'https', 'mailto'],
  allowProtocolRelative: false,
  selfClosing: VOID,
};

/**
 * Checks the HTML that a tenant wrote. Each branch of a block, and each inline, closes the elements that it opens, so
 * that no data can unbalance the mail around it.
 * @throws TemplateFault with the place, for an element, attribute or address that is not allowed.
 */
export function checkHtml(source: string): void {
  // Comments become blanks, so that places stay.
  const text = source.replace(COMMENT, (comment) => comment.replace(/[^\n]/g, ' '));
  const { html, expressions } = maskExpressions(text, 'html');
  const placeOf = (index: number) => placeAt(source, unmask(html.slice(0, index), expressions).length);
  new HtmlScanner(html, expressions, placeOf).scan();
}

/**
 * A checked piece of HTML as the sanitizer writes it.
 * @throws TemplateFault if the sanitizer leaves something out.
 */
export function sanitized(piece: string): string {
  const { html, expressions } = maskExpressions(piece, 'html');
  // To the sanitizer, the mark of an expression is not an address.
  const addressed = html.replace(/(href=["'])(hbsx\d+x)/g, '$1https://$2');
  const cleaned = sanitizeHtml(addressed, SANITIZER).replace(/(href=")https:\/\/(hbsx\d+x)/g, '$1$2');
  if (UNPRINTABLE.test(cleaned)) throw new TemplateFault('a character reference is not allowed');
  // The sanitizer decodes references: they must not make expressions or marks of them (&#123;&#123;title&#125;&#125;).
  const marks = (text: string) => [...text.matchAll(MARKED)].map(([mark]) => mark).join();
  if (/[{}]/.test(cleaned) || marks(cleaned) !== marks(html)) {
    throw new TemplateFault('braces are only for expressions: a character reference is not allowed');
  }
  const elements = (text: string) => new HtmlScanner(text, expressions, () => null).scan().join();
  if (elements(cleaned) !== elements(html)) throw new TemplateFault('this HTML is not well-formed');
  return unmask(cleaned, expressions);
}

/** Reads masked HTML once, from left to right. */
class HtmlScanner {
  private readonly elements: string[] = [];
  /** Open elements, and the blocks between them. */
  private readonly open: { name: string; block: boolean; at: number }[] = [];

  constructor(
    private readonly html: string,
    private readonly expressions: readonly string[],
    private readonly placeOf: (index: number) => Place | null,
  ) {}

  /** @returns its tags and expressions, in order. */
  scan(): string[] {
    const next = new RegExp(`<|${MARKED.source}`, 'g');
    for (let found = next.exec(this.html); found !== null; found = next.exec(this.html)) {
      if (found[0] === '<') next.lastIndex = this.tag(found.index);
      else this.mark(found.index, this.expressions[Number(found[2])] ?? '');
    }
    const last = this.open.at(-1);
    if (last !== undefined && !last.block) throw this.fault(last.at, `<${last.name}> is not closed`);
    return this.elements;
  }

  private mark(at: number, expression: string): void {
    this.elements.push(expression);
    if (/^\{\{~?#/.test(expression)) this.push({ name: expression, block: true, at });
    else if (/^\{\{~?\s*(?:else\b|\^)/.test(expression)) this.endBranch(at);
    else if (/^\{\{~?\//.test(expression)) {
      this.endBranch(at);
      this.open.pop();
    }
  }

  /** Elements opened in a branch of a block are closed in it. */
  private endBranch(at: number): void {
    const last = this.open.at(-1);
    if (last !== undefined && !last.block) {
      throw this.fault(last.at, `<${last.name}> is not closed where its block ends`);
    }
    if (last === undefined) throw this.fault(at, 'this block has no beginning');
  }

  /** @returns the index after the tag. */
  private tag(start: number): number {
    const head = /<(\/?)([A-Za-z][A-Za-z0-9]*)/y;
    head.lastIndex = start;
    const [opening, slash, written = ''] = head.exec(this.html) ?? [];
    if (opening === undefined) {
      const comment = this.html.startsWith('<!', start);
      throw this.fault(
        start,
        comment ? 'HTML comments are not kept: write {{!-- … --}}' : 'write &lt; for the sign <',
      );
    }
    if (MARK.test(written)) throw this.fault(start, 'an expression cannot be the name of an element');
    const name = written.toLowerCase();
    if (!TAGS.includes(name)) throw this.fault(start, `<${name}> is not allowed`);
    let at = head.lastIndex;
    const attribute = /\s+([A-Za-z][A-Za-z0-9:-]*)(?:\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)'))?/y;
    const seen = new Set<string>();
    for (;;) {
      attribute.lastIndex = at;
      const [found, attributeName, double, single] = attribute.exec(this.html) ?? [];
      if (found === undefined || attributeName === undefined) break;
      if (MARK.test(attributeName)) {
        throw this.fault(start, 'an expression in a tag is only allowed as the address of a link');
      }
      const value = double ?? single;
      const place = at + (found.length - found.trimStart().length);
      if (seen.has(attributeName.toLowerCase())) throw this.fault(place, `${attributeName} is there twice`);
      seen.add(attributeName.toLowerCase());
      this.attribute(name, attributeName.toLowerCase(), value ?? '', place);
      at = attribute.lastIndex;
    }
    const end = /\s*(\/?)>/y;
    end.lastIndex = at;
    if (end.exec(this.html) === null)
      throw this.fault(start, `the tag <${name}> has no end, or a value without quotes`);
    if (slash === '/') this.close(name, start);
    else if (!VOID.includes(name)) this.push({ name, block: false, at: start });
    this.elements.push(`<${slash ?? ''}${name}>`);
    return end.lastIndex;
  }

  private attribute(tag: string, name: string, value: string, at: number): void {
    if (name === 'href' && tag === 'a') {
      const [, , mark] = new RegExp(`^(?:${MARKED.source})$`).exec(value) ?? [];
      const expression = mark === undefined ? '' : (this.expressions[Number(mark)] ?? '');
      if (/^\{\{http_url\s/.test(expression)) return;
      const fixed = MARK.test(value) ? '' : httpUrl(value);
      if (fixed !== '' || MAIL_ADDRESS.test(value)) return;
      throw this.fault(at, 'an address is http:, https: or mailto:, fixed or {{http_url field}}');
    }
    const form = Object.hasOwn(ATTRIBUTES, name) ? ATTRIBUTES[name] : undefined;
    if (form === undefined) throw this.fault(at, `the attribute ${name} is not allowed in <${tag}>`);
    if (MARK.test(value)) throw this.fault(at, `${name} cannot hold an expression`);
    if (!form.test(value)) throw this.fault(at, `this value of ${name} is not allowed`);
  }

  private push(opened: { name: string; block: boolean; at: number }): void {
    if (this.open.push(opened) > MAX_NESTING) throw this.fault(opened.at, 'elements are nested too deeply');
  }

  private close(name: string, at: number): void {
    const last = this.open.pop();
    if (last === undefined || last.block || last.name !== name) {
      throw this.fault(at, `</${name}> closes an element that is not open here`);
    }
  }

  private fault(at: number, text: string): TemplateFault {
    return new TemplateFault(text, this.placeOf(at));
  }
}
