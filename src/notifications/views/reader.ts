import { type Locale, LOCALES } from '../../contracts/locales.js';
import { civilDate } from '../../platform/clock/civil-time.js';
import type { TenantTemplates } from '../../wording/tenant-templates/tenant-templates.js';
import type { Reader } from '../../wording/worded.js';

/** The reader of a row: columns that a query reads beside its rows, not in a separate query. */
export interface ReaderRow {
  reader_locale: string;
  reader_name: string | null;
  tenant_name: string;
  tenant_slug: string;
  time_zone: string;
  /** For `NotificationViews.ownWords`. */
  wording_version: string | null;
}

/**
 * The one row of a `ReaderRow`: the user's language, or the tenant's for other readers.
 * @param userId an SQL expression; null for API keys and bare addresses
 */
export function readerSql(tenantId: string, userId: string): string {
  return `
    SELECT coalesce(reading.locale, t.locale) AS reader_locale, reading.name AS reader_name, t.name AS tenant_name,
           t.slug AS tenant_slug, t.time_zone, t.wording_version
    FROM tenants t LEFT JOIN users reading ON reading.tenant_id = t.id AND reading.id = ${userId}
    WHERE t.id = ${tenantId}`;
}

export function readerOf(
  { reader_locale, reader_name, tenant_name, tenant_slug, time_zone }: ReaderRow,
  now: Date,
  own: TenantTemplates | null,
): Reader {
  return {
    locale: localeOf(reader_locale),
    today: civilDate(now, time_zone),
    tenant: { name: tenant_name, slug: tenant_slug, time_zone },
    recipient: { name: reader_name },
    own,
  };
}

/** The id of a user as a principal (`user:<id>`); null for an API key. */
export function userOf(principal: string): string | null {
  return principal.startsWith('user:') ? principal.slice('user:'.length) : null;
}

/** The first locale if this version does not have the stored one. */
export function localeOf(stored: string): Locale {
  return LOCALES.find((locale) => locale === stored) ?? LOCALES[0];
}
