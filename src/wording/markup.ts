import { EXPRESSION } from './expressions.js';
import { TemplateError } from './template-error.js';

/** A word no template contains; the parser sees it as text, as (part of) an attribute's value, or as a comment. */
const MARK = 'hbsx';
export const MARKED = new RegExp(`<!--${MARK}(\\d+)x-->|${MARK}(\\d+)x`, 'g');
export const TOKEN =
  /<!--[\s\S]*?-->|<(style|title)\b[^>]*>[\s\S]*?<\/\1>|<!doctype[^>]*>|<\/?[a-z](?:"[^"]*"|'[^']*'|[^"'>])*>|[^<]+|</gi;
const ATTRIBUTE = /([\w:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const URL_ATTRIBUTES = new Set(['href', 'src', 'srcset', 'action', 'formaction', 'background']);

/** A Handlebars source of HTML with a word in place of each expression. */
export interface MaskedMarkup {
  html: string;
  expressions: readonly string[];
}

/** @throws TemplateError for an expression that would not be escaped, or is unterminated. */
export function maskExpressions(source: string, file: string): MaskedMarkup {
  if (source.includes(MARK)) throw new TemplateError(file, `must not contain "${MARK}"`);
  const expressions: string[] = [];
  const html = source.replace(EXPRESSION, (expression) => {
    if (/^\{\{~?[{&]/.test(expression)) {
      throw new TemplateError(file, `${expression} would not be escaped: use {{…}}`);
    }
    return `${MARK}${expressions.push(expression) - 1}x`;
  });
  if (html.includes('{{')) throw new TemplateError(file, 'has an expression without an end');
  return { html, expressions };
}

export function unmask(masked: string, expressions: readonly string[]): string {
  return masked.replace(MARKED, (_mark, comment?: string, word?: string) => {
    return expressions[Number(comment ?? word)] ?? '';
  });
}

export function holdsExpression(masked: string): boolean {
  return masked.includes(MARK);
}

/**
 * Expressions only inside quoted values, never in code or styles, and addresses only through `http_url`.
 * @throws TemplateError for an opening tag that violates this.
 */
export function checkTag(tag: string, expressions: readonly string[], file: string): void {
  const outside = tag.replace(ATTRIBUTE, (_match, name: string, double?: string, single?: string) => {
    for (const mark of (double ?? single ?? '').matchAll(MARKED)) {
      const expression = expressions[Number(mark[1] ?? mark[2])] ?? '';
      const attribute = name.toLowerCase();
      if (attribute === 'style' || attribute.startsWith('on')) {
        throw new TemplateError(file, `${expression} is not allowed in ${attribute}="…"`);
      }
      if (URL_ATTRIBUTES.has(attribute) && !/^\{\{\s*http_url\s/.test(expression)) {
        throw new TemplateError(file, `write {{http_url …}} instead of ${expression} in ${attribute}="…"`);
      }
    }
    return '';
  });
  if (holdsExpression(outside)) {
    throw new TemplateError(
      file,
      `an expression in a tag must be in a quoted value: ${unmask(tag, expressions)}`,
    );
  }
}
