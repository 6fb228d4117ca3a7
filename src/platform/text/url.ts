/**
 * The URL, or null if the text is none.
 *
 * Not `URL.canParse`: in Node 20 and 22 it answers false for text with é, ü and the like, once V8 has optimized the
 * calls (https://github.com/AikidoSec/firewall-node/pull/1086). ESLint forbids it.
 */
export function parseUrl(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}
