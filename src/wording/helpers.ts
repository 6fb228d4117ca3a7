import { DateTime, IANAZone } from 'luxon';
import { LOCALES, type Locale } from '../contracts/notification-kinds.js';

/** What templates may call. Handlebars passes its options last; strings in, strings out, and nothing throws. */
export const TEMPLATE_HELPERS: Record<string, (...args: unknown[]) => unknown> = {
  /** `{{date due_on}}`: « lundi 3 novembre 2025 »; `{{date due_on "short"}}`: « lun. 3 nov. »; "day": « 3 novembre ». */
  date: (value, ...rest) => formatDate(value, rest.length > 1 ? rest[0] : 'long', settingsOf(rest).locale),
  /** `{{instant expires_at}}`: date and time of an ISO instant, in the tenant's zone; "short": « lun. 3 nov. 2025 à 14 h 05 ». */
  instant: (value, ...rest) => formatInstant(value, rest.length > 1 ? rest[0] : 'long', settingsOf(rest)),
  /** `{{bytes size_bytes}}`: « 1,5 Go »; empty for what is no size. */
  bytes: (value, options) => formatBytes(value, settingsOf([options]).locale),
  /** `{{plural n "jour" "jours"}}`: « 3 jours », without the sign; `zero=""` replaces it all when there are none. */
  plural: (count, one, other, options) => plural(count, one, other, settingsOf([options])),
  /** `{{list a b c}}`: those that are not empty, as a sentence: « a, b et c ». */
  list: (...args) => {
    const items = args.slice(0, -1).filter((item): item is string => typeof item === 'string' && item !== '');
    return FORMATS[settingsOf(args).locale].list.format(items);
  },
  /** `{{more total list}}`: how many of the total the list leaves out. */
  more: (total, list) => {
    return typeof total === 'number' && Array.isArray(list) ? Math.max(0, total - list.length) : 0;
  },
  /** `{{#each (paragraphs body)}}{{#each this}}…`: paragraphs as arrays of lines; Handlebars escapes each line. */
  paragraphs: (value) => (typeof value === 'string' ? paragraphs(value) : []),
  /** `{{excerpt body 140}}`: the beginning on one line. */
  excerpt: (value, length) => {
    return typeof value === 'string' && typeof length === 'number' ? excerpt(value, length) : '';
  },
  /** `{{http_url link_url}}`: the address if it is http or https, else nothing. The only way into an `href`. */
  http_url: (value) => httpUrl(value),
  any: (...args) => args.slice(0, -1).some(Boolean),
  eq: (a, b) => a === b,
  gt: (a, b) => typeof a === 'number' && typeof b === 'number' && a > b,
};

interface Settings {
  locale: Locale;
  zone: string;
  zero: string | undefined;
}

/** Locale and zone of the mail, from the root context that `buildContext` made. */
function settingsOf(args: readonly unknown[]): Settings {
  const options = args.at(-1) as
    | { data?: { root?: { locale?: unknown; tenant?: { time_zone?: unknown } } }; hash?: { zero?: unknown } }
    | undefined;
  const root = options?.data?.root;
  const zone = root?.tenant?.time_zone;
  const zero = options?.hash?.zero;
  return {
    locale: LOCALES.find((locale) => locale === root?.locale) ?? LOCALES[0],
    // `create` remembers whether the zone is valid; `isValidZone` would ask ICU again, 0.2 ms each time.
    zone: typeof zone === 'string' && IANAZone.create(zone).isValid ? zone : 'UTC',
    zero: typeof zero === 'string' ? zero : undefined,
  };
}

// Made once: constructing one costs more than rendering the rest of a mail.
const FORMATS = { fr: formatsOf('fr'), en: formatsOf('en') } satisfies Record<Locale, unknown>;

function formatsOf(locale: Locale) {
  return {
    number: new Intl.NumberFormat(locale),
    rounded: new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }),
    plural: new Intl.PluralRules(locale),
    list: new Intl.ListFormat(locale, { type: 'conjunction' }),
  };
}

const DATE_FORMATS: Record<Locale, Record<'long' | 'short' | 'day', string>> = {
  fr: { long: 'cccc d MMMM yyyy', short: 'ccc d LLL', day: 'd MMMM' },
  en: { long: 'cccc, d MMMM yyyy', short: 'ccc d LLL', day: 'd MMMM' },
};

function formatDate(value: unknown, style: unknown, locale: Locale): unknown {
  if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(value)) return value;
  const date = DateTime.fromISO(value, { zone: 'UTC', locale });
  const formats = DATE_FORMATS[locale];
  return date.isValid
    ? dated(date, style === 'short' || style === 'day' ? formats[style] : formats.long)
    : value;
}

function formatInstant(value: unknown, style: unknown, { locale, zone }: Settings): unknown {
  if (typeof value !== 'string' || value.length > 40) return value;
  const instant = DateTime.fromISO(value, { zone, locale });
  if (!instant.isValid) return value;
  const { long, short } = DATE_FORMATS[locale];
  const day = dated(instant, style === 'short' ? `${short} yyyy` : long);
  const time =
    locale === 'fr'
      ? `${day} à ${instant.toFormat("H'\u00a0h\u00a0'mm")}`
      : `${day} at ${instant.toFormat('HH:mm')}`;
  return style === 'short' ? time : `${time} (${zone})`;
}

/** Each a thousand times the one before. */
const BYTE_UNITS: Record<Locale, readonly string[]> = {
  fr: ['o', 'ko', 'Mo', 'Go', 'To', 'Po', 'Eo'],
  en: ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'],
};

function formatBytes(value: unknown, locale: Locale): string {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) return '';
  const [smallest, ...larger] = BYTE_UNITS[locale];
  let size = value;
  let unit = smallest;
  for (const next of larger) {
    // As it is shown: 999.97 would be 1,000 of the smaller unit.
    if (Math.round(size * 10) / 10 < 1_000) break;
    size /= 1_000;
    unit = next;
  }
  return `${FORMATS[locale].rounded.format(size)}\u00a0${unit}`;
}

/** French counts the first of a month: « 1er », but « 2 », « 3 »; no formatter of ICU does. */
function dated(date: DateTime, format: string): string {
  return date.toFormat(date.locale === 'fr' && date.day === 1 ? format.replace('d ', "d'er' ") : format);
}

function plural(count: unknown, one: unknown, other: unknown, { locale, zero }: Settings): string {
  if (typeof count !== 'number' || typeof one !== 'string' || typeof other !== 'string') return '';
  if (count === 0 && zero !== undefined) return zero;
  const size = Math.abs(count);
  const word = FORMATS[locale].plural.select(size) === 'one' ? one : other;
  return `${FORMATS[locale].number.format(size)} ${word}`;
}

function paragraphs(text: string): string[][] {
  const found: string[][] = [];
  let current: string[] = [];
  // By lines, not by one expression: a run of 100,000 spaces must not cost its square.
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    if (trimmed !== '') {
      if (current.push(trimmed) === 1) found.push(current);
    } else if (current.length > 0) {
      current = [];
    }
  }
  return found;
}

function excerpt(text: string, length: number): string {
  const line = text.replace(/\s+/g, ' ').trim();
  const characters = Array.from(line.slice(0, 2 * length + 2));
  return characters.length > length
    ? `${characters
        .slice(0, length - 1)
        .join('')
        .trimEnd()}…`
    : line;
}

function httpUrl(value: unknown): string {
  if (typeof value !== 'string' || !URL.canParse(value)) return '';
  const url = new URL(value);
  return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : '';
}
