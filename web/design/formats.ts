const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const UNITS: readonly [Intl.RelativeTimeFormatUnit, number, number][] = [
  ['minute', MINUTE, HOUR],
  ['hour', HOUR, DAY],
  ['day', DAY, Infinity],
];

/** Numbers, dates and times in a language and a zone. Civil dates (`2026-03-02`) are the same in every zone. */
export class Formats {
  private readonly relative: Intl.RelativeTimeFormat;
  private readonly absolute: Intl.DateTimeFormat;
  private readonly clock: Intl.DateTimeFormat;
  private readonly civil: Intl.DateTimeFormat;
  private readonly civilLong: Intl.DateTimeFormat;
  private readonly key: Intl.DateTimeFormat;
  private readonly whole: Intl.NumberFormat;

  /** @param now the server's time, in ms */
  constructor(
    readonly locale: string,
    readonly zone: string,
    readonly now: () => number = Date.now,
  ) {
    this.relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' });
    this.absolute = new Intl.DateTimeFormat(locale, {
      dateStyle: 'medium',
      timeStyle: 'short',
      timeZone: zone,
    });
    this.clock = new Intl.DateTimeFormat(locale, { timeStyle: 'short', timeZone: zone });
    this.civil = new Intl.DateTimeFormat(locale, {
      weekday: 'short',
      day: 'numeric',
      month: 'short',
      year: 'numeric',
      timeZone: 'UTC',
    });
    this.civilLong = new Intl.DateTimeFormat(locale, {
      weekday: 'long',
      day: 'numeric',
      month: 'long',
      year: 'numeric',
      timeZone: 'UTC',
    });
    // This locale writes civil dates: 2026-03-02.
    this.key = new Intl.DateTimeFormat('en-CA', {
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      timeZone: zone,
    });
    this.whole = new Intl.NumberFormat(locale);
  }

  number(value: number): string {
    return this.whole.format(value);
  }

  /** `87 %` in French, `87%` in English. */
  percent(value: number): string {
    return new Intl.NumberFormat(this.locale, { style: 'percent' }).format(value / 100);
  }

  /** `5 min. ago`, `in 2 hr.`. */
  ago(iso: string): string {
    const distance = Date.parse(iso) - this.now();
    const [unit, size] = UNITS.find(([, , below]) => Math.abs(distance) < below) ?? ['day', DAY];
    const count = Math.trunc(distance / size);
    return count === 0 ? this.relative.format(0, 'second') : this.relative.format(count, unit);
  }

  /** The date and the time of day. */
  full(iso: string): string {
    return this.absolute.format(new Date(iso));
  }

  time(iso: string): string {
    return this.clock.format(new Date(iso));
  }

  /** The server's time of a moment, ISO: this machine's clock may be wrong. @param at in ms of this machine */
  instant(at: number): string {
    return new Date(at + this.now() - Date.now()).toISOString();
  }

  /** The civil date in the zone, `2026-03-02`. @param at ISO or ms; now by default */
  civilDate(at: string | number = this.now()): string {
    return this.key.format(new Date(at));
  }

  /** `Mon, Mar 2, 2026`. @param date civil */
  date(date: string): string {
    return this.civil.format(new Date(`${date}T00:00:00Z`));
  }

  longDate(date: string): string {
    return this.civilLong.format(new Date(`${date}T00:00:00Z`));
  }

  /** Days from today in the zone until a civil date; negative: it has passed. */
  daysUntil(date: string): number {
    return Math.round((Date.parse(`${date}T00:00:00Z`) - Date.parse(`${this.civilDate()}T00:00:00Z`)) / DAY);
  }

  /** `today`, `in 3 days`, `2 days ago`. @param date civil */
  days(date: string): string {
    return this.relative.format(this.daysUntil(date), 'day');
  }

  /** `1.4 GB`: powers of 1,000, as disks are sold. */
  bytes(size: number): string {
    const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;
    const power = size < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(size) / 3));
    return new Intl.NumberFormat(this.locale, {
      style: 'unit',
      unit: units[power] ?? 'byte',
      unitDisplay: 'short',
      maximumSignificantDigits: 3,
    }).format(size / 1_000 ** power);
  }
}
