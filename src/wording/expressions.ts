/** One complete Handlebars expression; a quoted string in it may contain braces. One group, so `split` keeps them. */
export const EXPRESSION = /(\{\{(?:"[^"]*"|'[^']*'|[^"'}])*\}\})/g;

/** For the fixed text of templates; Handlebars escapes data. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
