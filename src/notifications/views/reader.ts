import { type Locale, LOCALES } from '../../contracts/locales.js';
import { civilDate } from '../../platform/clock/civil-time.js';
import type { Reader } from '../../wording/worded.js';

/** The reader of a row: columns that a query reads beside its rows, not in a separate query. */
export interface ReaderRow {
  reader_locale: string;
  reader_name: string | null;
  tenant_name: string;
  time_zone: string;
}

/**
 * The one row of a `ReaderRow`: the user's language, or the tenant's for other readers.
 * @param userId an SQL expression; null for API keys and bare addresses
 */
export function readerSql(tenantId: string, userId: string): string {
  return `
    SELECT coalesce(reading.locale, t.locale) AS reader_locale, reading.name AS reader_name, t.name AS tenant_name,
           t.time_zone
    FROM tenants t LEFT JOIN users reading ON reading.tenant_id = t.id AND reading.id = ${userId}
    WHERE t.id = ${tenantId}`;
}

export function readerOf(
  { reader_locale, reader_name, tenant_name, time_zone }: ReaderRow,
  now: Date,
): Reader {
  return {
    locale: localeOf(reader_locale),
    today: civilDate(now, time_zone),
    tenant: { name: tenant_name, time_zone },
    recipient: { name: reader_name },
  };
}

/** The id of a user as a principal (`user:<id>`); null for an API key. */
export function userOf(principal: string): string | null {
  return principal.startsWith('user:') ? principal.slice('user:'.length) : null;
}

/** The first locale if this version does not have the stored one. */
function localeOf(stored: string): Locale {
  return LOCALES.find((locale) => locale === stored) ?? LOCALES[0];
}
