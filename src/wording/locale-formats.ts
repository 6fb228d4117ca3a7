import type { Locale } from '../contracts/locales.js';
import { TemplateError } from './template-error.js';
import type { TemplateSource } from './template-files.js';

export type DateStyle = 'long' | 'short' | 'day';

/** How a language formats dates, times, sizes and numbers: its `locale.json`, and ICU's rules. */
export interface LocaleFormats {
  locale: Locale;
  /** Luxon formats. */
  dates: Record<DateStyle, string>;
  /** The day format for the first of a month, where the language has one: `d'er'`. */
  first_of_month: string | null;
  /** Luxon format of a time of day. */
  time: string;
  /** Date and time together: `{date} at {time}`. */
  instant: string;
  /** Units of size, each a thousand times the previous one. */
  bytes: readonly string[];
  number: Intl.NumberFormat;
  rounded: Intl.NumberFormat;
  /** By ISO 4217 code, as they are used. */
  currencies: Map<string, Intl.NumberFormat>;
  plural: Intl.PluralRules;
  list: Intl.ListFormat;
}

/** @throws TemplateError for a `locale.json` that is not JSON, or lacks a format. */
export function parseLocaleFormats(locale: Locale, { file, source }: TemplateSource): LocaleFormats {
  const read = parseObject(source, file);
  const textOf = (from: Record<string, unknown>, name: string, path = name): string => {
    const value = from[name];
    if (typeof value !== 'string' || value === '') throw new TemplateError(file, `"${path}" is not a text`);
    return value;
  };
  const dates = isObject(read.dates) ? read.dates : {};
  const bytes = Array.isArray(read.bytes) ? read.bytes : [];
  if (bytes.length === 0 || !bytes.every((unit) => typeof unit === 'string')) {
    throw new TemplateError(file, '"bytes" is not a list of units');
  }
  const first = read.first_of_month;
  if (first !== undefined && typeof first !== 'string') {
    throw new TemplateError(file, '"first_of_month" is not a text');
  }
  return {
    locale,
    dates: {
      long: textOf(dates, 'long', 'dates.long'),
      short: textOf(dates, 'short', 'dates.short'),
      day: textOf(dates, 'day', 'dates.day'),
    },
    first_of_month: first ?? null,
    time: textOf(read, 'time'),
    instant: textOf(read, 'instant'),
    bytes,
    // Cached: constructing one costs more than rendering the rest of a mail.
    number: new Intl.NumberFormat(locale),
    rounded: new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }),
    currencies: new Map(),
    plural: new Intl.PluralRules(locale),
    list: new Intl.ListFormat(locale, { type: 'conjunction' }),
  };
}

/** @throws TemplateError when it is not a JSON object. */
export function parseObject(source: string, file: string): Record<string, unknown> {
  let read: unknown;
  try {
    read = JSON.parse(source);
  } catch (error) {
    throw new TemplateError(file, error instanceof Error ? error.message : String(error));
  }
  if (!isObject(read)) throw new TemplateError(file, 'is not a JSON object');
  return read;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
