/** One Handlebars expression, whole; a quoted string in it may hold braces. One group, so `split` keeps them. */
export const EXPRESSION = /(\{\{(?:"[^"]*"|'[^']*'|[^"'}])*\}\})/g;

/** For the fixed text of templates; data is escaped by Handlebars. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
