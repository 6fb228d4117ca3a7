import { inline } from '@css-inline/css-inline';
import { checkTag, holdsExpression, MARKED, maskExpressions, TOKEN, unmask } from './markup.js';
import { TemplateError } from './template-error.js';

/**
 * Moves the rules of the `<style>` blocks into `style` attributes, in a Handlebars source: once per template instead of
 * once per mail. A block marked `data-css-inline="keep"` stays (dark mode, phones).
 *
 * The HTML parser must not see expressions: `{{#each}}` between two table rows would be moved before the table. In text
 * they are hidden as comments, which are allowed anywhere, elsewhere as words. Afterwards the order of tags and
 * expressions must be unchanged: a source that the parser had to repair is refused.
 * @throws TemplateError also for expressions where escaping does not protect: see `checkTag`.
 */
export function inlineCss(source: string, file: string): string {
  const { html, expressions } = maskExpressions(source, file);
  const commented = html.replace(TOKEN, (token) => {
    if (!token.startsWith('<')) return token.replace(MARKED, '<!--$&-->');
    if (/^<script\b/i.test(token) || (/^<style\b/i.test(token) && holdsExpression(token))) {
      throw new TemplateError(file, 'must not contain a script, or an expression in a style sheet');
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

/** The sequence of tags and hidden expressions; expressions within one tag may be reordered with its attributes. */
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
