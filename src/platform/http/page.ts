import type { Locale } from '../../contracts/locales.js';

/** The look of Vigie's own pages: one card, by day and by night, on a phone too. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --page: #f3f4f6; --card: #fff; --line: #87919c; --text: #1b232c; --soft: #5a6673;
  --accent: #1d4ed8; --on-accent: #fff; --bad: #b91c26; --good: #15803d; }
@media (prefers-color-scheme: dark) { :root { --page: #0f1317; --card: #1a2027; --line: #7a8794; --text: #e6eaee;
  --soft: #a4afba; --accent: #8ab4ff; --on-accent: #0f1317; --bad: #ff8f8a; --good: #7ddc9b; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 24px 16px; background: var(--page); color: var(--text);
  font: 16px/1.5 -apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif; }
main { max-width: 28rem; margin: 6vh auto 0; padding: 28px 32px 32px; background: var(--card);
  border-top: 4px solid var(--accent); border-radius: 12px; }
@media (max-width: 480px) { main { margin-top: 0; padding: 22px 20px 26px; } }
.brand { margin: 0 0 4px; color: var(--accent); font-weight: 600; }
h1 { margin: 0 0 12px; font-size: 1.5rem; line-height: 1.3; }
h1:focus { outline: none; }
label { display: block; margin: 18px 0 4px; font-weight: 600; }
.hint { margin: 0 0 6px; color: var(--soft); font-size: .9rem; }
input[type=password], input[type=text] { width: 100%; min-height: 46px; padding: 8px 12px; font: inherit;
  color: inherit; background: transparent; border: 1px solid var(--line); border-radius: 8px; }
input[aria-invalid=true] { border-color: var(--bad); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.check { display: flex; gap: 10px; align-items: center; min-height: 44px; margin: 8px 0 0; font-weight: 400; }
.check input { width: 20px; height: 20px; margin: 0; accent-color: var(--accent); }
button { width: 100%; min-height: 48px; margin-top: 16px; padding: 10px 20px; border: 0; border-radius: 8px;
  font: inherit; font-weight: 600; color: var(--on-accent); background: var(--accent); cursor: pointer; }
button:disabled { opacity: .6; cursor: default; }
#problem { margin: 14px 0 0; color: var(--bad); font-weight: 600; }
#problem:empty { display: none; }
.done { border-top-color: var(--good); }
[hidden] { display: none; }
`;

/** Browsers name the languages in order; French where neither is named. */
export function preferredLocale(languages = ''): Locale {
  return /\b(fr|en)\b/i.exec(languages)?.[1]?.toLowerCase() === 'en' ? 'en' : 'fr';
}

interface PagePolicy {
  'script-src'?: string;
  'connect-src'?: string;
  'form-action': "'none'" | "'self'";
  'referrer-policy': 'no-referrer' | 'same-origin';
}

/**
 * Nothing from elsewhere, nothing inline but what carries the nonce, in nobody's frame, never kept or told on.
 * @param policy what one page may do besides.
 */
export function pageHeaders(nonce: string, policy: PagePolicy): Record<string, string> {
  const { 'referrer-policy': referrer, ...directives } = policy;
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': [
      "default-src 'none'",
      `style-src 'nonce-${nonce}'`,
      "base-uri 'none'",
      "frame-ancestors 'none'",
      ...Object.entries(directives).map(([name, value]) => `${name} ${value}`),
    ].join('; '),
    'referrer-policy': referrer,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  };
}
