import { inline } from '@css-inline/css-inline';
import { EXPRESSION } from './expressions.js';
import { TemplateError } from './template-error.js';

/** A word no template contains; the parser sees it as text, as (part of) an attribute's value, or as a comment. */
const MARK = 'hbsx';
const MARKED = new RegExp(`<!--${MARK}(\\d+)x-->|${MARK}(\\d+)x`, 'g');
const TOKEN =
  /<!--[\s\S]*?-->|<(style|title)\b[^>]*>[\s\S]*?<\/\1>|<!doctype[^>]*>|<\/?[a-z](?:"[^"]*"|'[^']*'|[^"'>])*>|[^<]+|</gi;
const ATTRIBUTE = /([\w:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const URL_ATTRIBUTES = new Set(['href', 'src', 'srcset', 'action', 'formaction', 'background']);

/**
 * Moves the rules of the `<style>` blocks into `style` attributes, in a Handlebars source: once for a template
 * instead of once for a mail. A block marked `data-css-inline="keep"` stays (dark mode, phones).
 *
 * The HTML parser must not see expressions: `{{#each}}` between two table rows would be moved before the table.
 * In text they are hidden as comments, which may stand anywhere, elsewhere as words; afterwards the order of tags
 * and expressions must be what it was, so a source that the parser had to repair is refused, not changed.
 * @throws TemplateError also for expressions where escaping does not protect: see `checkTag`.
 */
export function inlineCss(source: string, file: string): string {
  if (source.includes(MARK)) throw new TemplateError(file, `must not contain "${MARK}"`);
  const expressions: string[] = [];
  const masked = source.replace(EXPRESSION, (expression) => {
    if (/^\{\{~?[{&]/.test(expression)) {
      throw new TemplateError(file, `${expression} would not be escaped: use {{…}}`);
    }
    return `${MARK}${expressions.push(expression) - 1}x`;
  });
  if (masked.includes('{{')) throw new TemplateError(file, 'has an expression that does not end');

  const commented = masked.replace(TOKEN, (token) => {
    if (!token.startsWith('<')) return token.replace(MARKED, '<!--$&-->');
    if (/^<script\b/i.test(token) || (/^<style\b/i.test(token) && token.includes(MARK))) {
      throw new TemplateError(file, 'must hold no script, and no expression in a style sheet');
    }
    if (/^<[a-z]/i.test(token) && !/^<title\b/i.test(token)) checkTag(token, expressions, file);
    return token;
  });
  const inlined = inline(commented, { keepStyleTags: false, loadRemoteStylesheets: false });
  if (outline(inlined) !== outline(commented)) {
    throw new TemplateError(
      file,
      `is not well-formed HTML near ${difference(outline(commented), outline(inlined), expressions)}`,
    );
  }
  return unmask(inlined, expressions);
}

/** Expressions only inside quoted values, never in code or styles, and addresses only through `http_url`. */
function checkTag(tag: string, expressions: readonly string[], file: string): void {
  const outside = tag.replace(ATTRIBUTE, (_match, name: string, double?: string, single?: string) => {
    for (const mark of (double ?? single ?? '').matchAll(MARKED)) {
      const expression = expressions[Number(mark[1] ?? mark[2])] ?? '';
      const attribute = name.toLowerCase();
      if (attribute === 'style' || attribute.startsWith('on')) {
        throw new TemplateError(file, `${expression} must not stand in ${attribute}="…"`);
      }
      if (URL_ATTRIBUTES.has(attribute) && !/^\{\{\s*http_url\s/.test(expression)) {
        throw new TemplateError(file, `write {{http_url …}} instead of ${expression} in ${attribute}="…"`);
      }
    }
    return '';
  });
  if (outside.includes(MARK)) {
    throw new TemplateError(
      file,
      `an expression in a tag must stand in a quoted value: ${unmask(tag, expressions)}`,
    );
  }
}

/** The sequence of tags and hidden expressions; expressions of one tag may change places with its attributes. */
function outline(html: string): string {
  const names: string[] = [];
  for (const [token] of html.matchAll(TOKEN)) {
    if (/^<style/i.test(token)) continue;
    if (token.startsWith('<')) {
      const marks = [...token.matchAll(MARKED)].map((mark) => mark[0]).sort();
      names.push([/^<!?[^\s>]*/.exec(token)?.[0].toLowerCase() ?? token, ...marks].join(' '));
    }
  }
  return names.join('\n');
}

function difference(expected: string, found: string, expressions: readonly string[]): string {
  const other = found.split('\n');
  const line = expected.split('\n').find((name, index) => name !== other[index]) ?? 'its end';
  return unmask(line, expressions);
}

function unmask(masked: string, expressions: readonly string[]): string {
  return masked.replace(MARKED, (_mark, comment?: string, word?: string) => {
    return expressions[Number(comment ?? word)] ?? '';
  });
}
