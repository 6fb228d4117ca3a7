const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Dates and times in a language and a zone. */
export class Times {
  private readonly relative: Intl.RelativeTimeFormat;
  private readonly absolute: Intl.DateTimeFormat;
  private readonly clock: Intl.DateTimeFormat;
  private readonly day: Intl.DateTimeFormat;
  private readonly key: Intl.DateTimeFormat;

  /** @param timeZone of the IANA database; that of this machine by default, and where it is unknown */
  constructor(locale: string, timeZone?: string) {
    const zone = isZone(timeZone) ? { timeZone } : {};
    this.relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' });
    this.absolute = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', ...zone });
    this.clock = new Intl.DateTimeFormat(locale, { timeStyle: 'short', ...zone });
    this.day = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long', ...zone });
    // This locale writes civil dates: 2026-03-02.
    this.key = new Intl.DateTimeFormat('en-CA', {
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      ...zone,
    });
  }

  /** `5 min. ago`; never in the future, where the clocks differ. @param now in ms */
  ago(iso: string, now: number): string {
    const passed = Math.max(0, now - Date.parse(iso));
    if (passed < MINUTE) return this.relative.format(0, 'second');
    if (passed < HOUR) return this.relative.format(-Math.floor(passed / MINUTE), 'minute');
    if (passed < DAY) return this.relative.format(-Math.floor(passed / HOUR), 'hour');
    return this.relative.format(-Math.floor(passed / DAY), 'day');
  }

  /** The date and the time of day. */
  full(iso: string): string {
    return this.absolute.format(new Date(iso));
  }

  time(iso: string): string {
    return this.clock.format(new Date(iso));
  }

  /** The civil day in the zone, as a key that sorts. */
  dayKey(at: number | string): string {
    return this.key.format(new Date(at));
  }

  /** `today`, `yesterday`, or the date. */
  dayName(iso: string, now: number, words: { today: string; yesterday: string }): string {
    const key = this.dayKey(iso);
    const today = this.dayKey(now);
    if (key >= today) return words.today;
    if (Date.parse(today) - Date.parse(key) === DAY) return words.yesterday;
    const name = this.day.format(new Date(iso));
    return name.charAt(0).toUpperCase() + name.slice(1);
  }
}

function isZone(name: string | undefined): name is string {
  if (name === undefined || name === '') return false;
  try {
    Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
