import { checkTag, maskExpressions, TOKEN } from '../markup.js';
import { TemplateError } from '../template-error.js';

const INLINE_CODE = /<(script|style)\b(?:"[^"]*"|'[^']*'|[^"'>])*>(?!<\/\1>)/i;
const CODE_ATTRIBUTE = /\s(?:style|on\w+)\s*=/i;

/**
 * Checks a page without its style sheet and script, which are separate files: finds what its policy would block in the
 * browser, and expressions where escaping does not protect.
 * @throws TemplateError for code in the markup, and from `checkTag`.
 */
export function checkPageMarkup(source: string, file: string): void {
  const { html, expressions } = maskExpressions(source, file);
  if (INLINE_CODE.test(html))
    throw new TemplateError(file, 'must not contain scripts or styles: they are separate files');
  for (const [token] of html.matchAll(TOKEN)) {
    const [tag] = /^<[a-z](?:"[^"]*"|'[^']*'|[^"'>])*>/i.exec(token) ?? [];
    if (tag === undefined) continue;
    if (CODE_ATTRIBUTE.test(tag.replace(/"[^"]*"|'[^']*'/g, '""'))) {
      throw new TemplateError(
        file,
        'must not contain style="…" or on…="…": the pages’ Content Security Policy blocks them',
      );
    }
    checkTag(tag, expressions, file);
  }
}
