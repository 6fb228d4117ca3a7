import { type Locale, LOCALES } from '../../contracts/locales.js';

const KNOWN_LANGUAGE = new RegExp(`\\b(?:${LOCALES.join('|')})\\b`, 'i');

/** The first supported language of the browser's list, or the first of LOCALES. */
export function preferredLocale(languages = ''): Locale {
  const named = KNOWN_LANGUAGE.exec(languages)?.[0].toLowerCase();
  return LOCALES.find((locale) => locale === named) ?? LOCALES[0];
}

interface PagePolicy {
  'script-src'?: string;
  'connect-src'?: string;
  'form-action': "'none'" | "'self'";
  'referrer-policy': 'no-referrer' | 'same-origin';
}

/**
 * Loads nothing from other origins, nothing inline without the nonce, in no frame, never cached.
 * @param policy what this page may do in addition.
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
