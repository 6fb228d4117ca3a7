import { DateTime, IANAZone } from 'luxon';
import { daysUntil } from './days.js';
import { byAgent, byLateness, countDue, degreeOf, itemsWith, linesOf } from './item-groups.js';
import type { LocaleFormats } from './locale-formats.js';
import { excerpt, httpUrl, paragraphs, pieces } from './written-text.js';

/** Helpers for templates. Handlebars passes its options last; they take and return strings, and never throw. */
export const TEMPLATE_HELPERS: Record<string, (...args: unknown[]) => unknown> = {
  /** `{{date due_on}}`: « lundi 3 novembre 2025 »; `{{date due_on "short"}}`: « lun. 3 nov. »; "day": « 3 novembre »; "number": « 3 ». */
  date: (value, ...rest) => formatDate(value, rest.length > 1 ? rest[0] : 'long', settingsOf(rest).formats),
  /** `{{instant expires_at}}`: date and time of an ISO instant, in the tenant's zone; "short": « lun. 3 nov. 2025 à 14 h 05 ». */
  instant: (value, ...rest) => formatInstant(value, rest.length > 1 ? rest[0] : 'long', settingsOf(rest)),
  /** `{{clock expected_time}}`: a time of day (HH:mm) in the format of the language: « 2 h 00 ». */
  clock: (value, options) => formatClock(value, settingsOf([options]).formats),
  /** `(days_until due_on)`: whole days from today to a civil date, negative once it has passed; null for no date. */
  days_until: (value, options) => daysUntil(value, settingsOf([options]).today),
  /** `(days_since due_on)`: whole days from a civil date to today, negative before it; null for no date. */
  days_since: (value, options) => {
    const days = daysUntil(value, settingsOf([options]).today);
    // Not -0, which `eq` distinguishes from 0.
    return days === null ? null : 0 - days;
  },
  /** `(degree due_on)`: long_overdue, overdue, today, soon, later, or undated for an invalid date. */
  degree: (value, options) => degreeOf(daysUntil(value, settingsOf([options]).today)),
  /** `(same_month from to)`: whether two dates are in one month: « du 3 au 10 novembre ». */
  same_month: (a, b) => typeof a === 'string' && typeof b === 'string' && a.slice(0, 7) === b.slice(0, 7),
  /** `{{bytes size_bytes}}`: « 1,5 Go »; empty when it is not a size. */
  bytes: (value, options) => formatBytes(value, settingsOf([options]).formats),
  /** `{{money amount_cents currency}}`: « 135,00 € », of the currency's smallest unit; euros without a currency. */
  money: (cents, currency, options) => formatMoney(cents, currency, settingsOf([options]).formats),
  /** `{{plural n "jour" "jours"}}`: « 3 jours », without the sign; `zero=""` replaces the whole text for zero. */
  plural: (count, one, other, options) => plural(count, one, other, settingsOf([options])),
  /**
   * `{{choose code MISSING="manquante" FAILED="en échec"}}`: words for a code; `other=` for unlisted codes, else the
   * code itself.
   */
  choose: (value, options) => choose(value, hashOf(options)),
  /** `{{list a b c}}`: the non-empty values as a sentence: « a, b et c ». */
  list: (...args) => settingsOf(args).formats.list.format(filled(args)),
  /** `{{commas a b c}}`: the non-empty values: « a, b, c ». */
  commas: (...args) => filled(args).join(', '),
  /** `{{more total list}}`: how many of the total the list omits; for groups, their `lines` count. */
  more: (total, list) => {
    return typeof total === 'number' && Array.isArray(list) ? Math.max(0, total - countLines(list)) : 0;
  },
  /** `(count_of list)`: the length of the list. */
  count_of: (list) => (Array.isArray(list) ? list.length : 0),
  /** `(greatest a b)`: the greatest of these numbers; 0 without any. */
  greatest: (...args) => Math.max(0, ...args.filter((arg): arg is number => typeof arg === 'number')),
  /** `(lines_of data.late data.upcoming)`: the lines of lists grouped by client, as items. */
  lines_of: (...args) => linesOf(args.slice(0, -1)),
  /** `(only items "deadlines" "tasks")`: the items of these lists. */
  only: (items, ...rest) => itemsWith(items, 'list', rest.slice(0, -1)),
  /** `(of_kind items "backup_alert")`: the items of these kinds. */
  of_kind: (items, ...rest) => itemsWith(items, 'kind', rest.slice(0, -1)),
  /** `(for_audience items "unassigned")`: the items whose reader is notified for one of these reasons. */
  for_audience: (items, ...rest) => itemsWith(items, 'audience', rest.slice(0, -1)),
  /** `{{#each (by_lateness items)}}`: groups of `degree`, `count`, and `clients` with their `items`. */
  by_lateness: (items, options) => {
    const { today, formats } = settingsOf([options]);
    return byLateness(items, today, formats.locale);
  },
  /** `{{#each (by_agent items)}}`: groups of `agent_id`, `company_name`, `city` and `items`. */
  by_agent: (items, options) => byAgent(items, settingsOf([options]).formats.locale),
  /** `(due_count items "late")`: how many are "late", due "today", or "ahead". */
  due_count: (items, when, options) => countDue(items, when, settingsOf([options]).today),
  /** `{{#each (paragraphs body)}}{{#each this}}…`: paragraphs as arrays of lines; Handlebars escapes each line. */
  paragraphs: (value) => (typeof value === 'string' ? paragraphs(value) : []),
  /** `{{#each (pieces line)}}`: the parts of a line: `text` and, for a web address, `url`. */
  pieces: (value) => (typeof value === 'string' ? pieces(value) : []),
  /** `{{excerpt body 140}}`: the beginning on one line. */
  excerpt: (value, length) => {
    return typeof value === 'string' && typeof length === 'number' ? excerpt(value, length) : '';
  },
  /**
   * `{{http_url link_url}}`: the address if it is http or https, else nothing. The only helper allowed in an `href`.
   */
  http_url: (value) => httpUrl(value),
  any: (...args) => args.slice(0, -1).some(Boolean),
  all: (...args) => args.slice(0, -1).every(Boolean),
  /** `(includes data.warnings "size_differs")`: whether a list contains the value. */
  includes: (list, value) => Array.isArray(list) && list.includes(value),
  eq: (a, b) => a === b,
  gt: (a, b) => typeof a === 'number' && typeof b === 'number' && a > b,
};

interface Settings {
  formats: LocaleFormats;
  zone: string;
  /** Civil date in the tenant's zone. */
  today: unknown;
  zero: string | undefined;
}

/** Formats from `compileTemplate`; zone and day from the root context of `buildContext`. */
function settingsOf(args: readonly unknown[]): Settings {
  const options = args.at(-1) as {
    data: { formats: LocaleFormats; root?: { today?: unknown; tenant?: { time_zone?: unknown } } };
    hash?: { zero?: unknown };
  };
  const { formats, root } = options.data;
  const zone = root?.tenant?.time_zone;
  const zero = options.hash?.zero;
  return {
    formats,
    // `create` caches whether the zone is valid; `isValidZone` would ask ICU again, 0.2 ms each time.
    zone: typeof zone === 'string' && IANAZone.create(zone).isValid ? zone : 'UTC',
    today: root?.today,
    zero: typeof zero === 'string' ? zero : undefined,
  };
}

const CIVIL_DATE = /^\d{4}-\d{2}-\d{2}$/;
/** Formatted dates by formats, style and date: a check formats thousands of items with a few dates. */
const writtenDates = new WeakMap<LocaleFormats, Map<string, unknown>>();
const MAX_WRITTEN_DATES = 2_000;

const DATE_STYLES: readonly unknown[] = ['short', 'day', 'number'];

function formatDate(value: unknown, wanted: unknown, formats: LocaleFormats): unknown {
  // A template may ask for any style: only known ones are cached.
  const style = DATE_STYLES.includes(wanted) ? wanted : 'long';
  if (typeof value !== 'string' || !CIVIL_DATE.test(value)) return value;
  let known = writtenDates.get(formats);
  if (known === undefined || known.size >= MAX_WRITTEN_DATES) {
    known = new Map();
    writtenDates.set(formats, known);
  }
  const key = `${String(style)} ${value}`;
  if (!known.has(key)) known.set(key, writeDate(value, style, formats));
  return known.get(key);
}

function writeDate(value: string, style: unknown, formats: LocaleFormats): unknown {
  const date = DateTime.fromISO(value, { zone: 'UTC', locale: formats.locale });
  const { long, short, day } = formats.dates;
  if (!date.isValid) return value;
  if (style === 'number') return dated(date, 'd', formats);
  return dated(date, style === 'short' ? short : style === 'day' ? day : long, formats);
}

function formatClock(value: unknown, { time }: LocaleFormats): unknown {
  if (typeof value !== 'string' || value.length > 8) return value;
  const clock = DateTime.fromFormat(value, 'HH:mm', { zone: 'UTC' });
  return clock.isValid ? clock.toFormat(time) : value;
}

function formatInstant(value: unknown, style: unknown, { formats, zone }: Settings): unknown {
  if (typeof value !== 'string' || value.length > 40) return value;
  const instant = DateTime.fromISO(value, { zone, locale: formats.locale });
  if (!instant.isValid) return value;
  const { long, short } = formats.dates;
  const day = dated(instant, style === 'short' ? `${short} yyyy` : long, formats);
  const time = formats.instant
    .replace('{date}', () => day)
    .replace('{time}', () => instant.toFormat(formats.time));
  return style === 'short' ? time : `${time} (${zone})`;
}

function formatBytes(value: unknown, { bytes, rounded }: LocaleFormats): string {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) return '';
  const [smallest = '', ...larger] = bytes;
  let size = value;
  let unit = smallest;
  for (const next of larger) {
    // Compare the rounded value: 999.97 would be shown as 1,000 of the smaller unit.
    if (Math.round(size * 10) / 10 < 1_000) break;
    size /= 1_000;
    unit = next;
  }
  return `${rounded.format(size)}\u00a0${unit}`;
}

function formatMoney(cents: unknown, currency: unknown, { locale, currencies }: LocaleFormats): string {
  if (typeof cents !== 'number' || !Number.isFinite(cents)) return '';
  const code = typeof currency === 'string' && /^[A-Z]{3}$/.test(currency) ? currency : 'EUR';
  let format = currencies.get(code);
  if (format === undefined) {
    format = new Intl.NumberFormat(locale, { style: 'currency', currency: code });
    currencies.set(code, format);
  }
  return format.format(cents / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}

/** French writes the first of a month as an ordinal: « 1er », but « 2 », « 3 »; no ICU formatter does. */
function dated(date: DateTime, format: string, { first_of_month }: LocaleFormats): string {
  const isFirst = first_of_month !== null && date.day === 1;
  return date.toFormat(isFirst ? format.replace(/\bd\b/, () => first_of_month) : format);
}

function plural(count: unknown, one: unknown, other: unknown, { formats, zero }: Settings): string {
  if (typeof count !== 'number' || typeof one !== 'string' || typeof other !== 'string') return '';
  if (count === 0 && zero !== undefined) return zero;
  const size = Math.abs(count);
  const word = formats.plural.select(size) === 'one' ? one : other;
  return `${formats.number.format(size)} ${word}`;
}

function countLines(list: readonly unknown[]): number {
  return list.reduce<number>((count, item) => {
    const lines = typeof item === 'object' && item !== null && 'lines' in item ? item.lines : null;
    return count + (Array.isArray(lines) ? lines.length : 1);
  }, 0);
}

function hashOf(options: unknown): Record<string, unknown> {
  return typeof options === 'object' && options !== null && 'hash' in options && isHash(options.hash)
    ? options.hash
    : {};
}

function isHash(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function choose(value: unknown, words: Record<string, unknown>): unknown {
  if (typeof value !== 'string') return '';
  return Object.hasOwn(words, value) ? words[value] : (words.other ?? value);
}

function filled(args: readonly unknown[]): string[] {
  return args.slice(0, -1).filter((item): item is string => typeof item === 'string' && item !== '');
}
