import { toStringMethod } from 'fast-check';

/*
 * For specs: what a zone's wall clock shows, minute by minute, straight from Intl. It shares no code with civil-time
 * (no luxon, no offsets, no arithmetic on changes), so each can prove the other wrong.
 *
 * A *UTC minute* counts from 1970-01-01T00:00Z. A *wall minute* is a local date and time counted the same way, as if it
 * were UTC. A *civil day* counts dates from 1970-01-01.
 */

const MINUTE = 60_000;
const DAY = 1440;

export class MinuteOracle {
  /** The first and the last (exclusive) UTC minute covered. */
  readonly start: number;
  readonly end: number;
  private readonly wall: Int32Array;
  private readonly firstShown = new Map<number, number>();
  private readonly daysShown = new Set<number>();
  /** UTC minutes after which the wall clock jumps forward. */
  private readonly jumps: number[] = [];
  /** The UTC minutes at which the clock does not show the next minute. */
  readonly changes: number[] = [];

  /** What fast-check prints of a counterexample: not thousands of minutes. */
  readonly [toStringMethod] = (): string => `the clock of ${this.zone} around ${this.date}`;

  /** Watches the clock of `zone` around a UTC date ('YYYY-MM-DD'). */
  constructor(
    readonly zone: string,
    readonly date: string,
    daysBefore: number,
    daysAfter: number,
  ) {
    const middle = Date.parse(`${date}T00:00:00Z`) / MINUTE;
    this.start = middle - daysBefore * DAY;
    this.end = middle + daysAfter * DAY;
    // Swedish dates are ISO dates.
    const clock = new Intl.DateTimeFormat('sv-SE', {
      timeZone: zone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    this.wall = new Int32Array(this.end - this.start);
    let previous = Infinity;
    let lastDate = '';
    let midnight = 0;
    for (let utc = this.start; utc < this.end; utc++) {
      const [shownDate = '', hour = '', minute = ''] = clock.format(utc * MINUTE).split(/[ :]/);
      if (shownDate !== lastDate) midnight = Date.parse(`${shownDate}T00:00Z`) / MINUTE;
      lastDate = shownDate;
      const wall = midnight + 60 * +hour + +minute;
      this.wall[utc - this.start] = wall;
      if (!this.firstShown.has(wall)) this.firstShown.set(wall, utc);
      this.daysShown.add(Math.floor(wall / DAY));
      if (wall > previous + 1) this.jumps.push(utc - 1);
      if (wall !== previous + 1 && utc > this.start) this.changes.push(utc);
      previous = wall;
    }
  }

  /** The wall minute shown at a UTC minute. */
  wallAt(utc: number): number {
    const wall = this.wall[utc - this.start];
    if (wall === undefined) throw new RangeError(`${this.zone}: UTC minute ${utc} was not watched`);
    return wall;
  }

  /**
   * The UTC minute of a local time by the written rule: when the clock first shows it. For a time inside a jump, as
   * long after the last minute before it as the clock says. Null when the date is never shown.
   */
  fires(day: number, minute: number): number | null {
    const wall = day * DAY + minute;
    const shown = this.firstShown.get(wall);
    if (shown !== undefined) return shown;
    if (!this.daysShown.has(day)) return null;
    for (const utc of this.jumps) {
      const last = this.wallAt(utc);
      if (last < wall && wall < this.wallAt(utc + 1)) return utc + (wall - last);
    }
    throw new RangeError(`${this.zone}: day ${day} was not watched`);
  }

  /** A UTC minute close to the event: a clock change, or midnight UTC of the date if the zone has none. */
  get focus(): number {
    return this.changes[0] ?? Date.parse(`${this.date}T00:00:00Z`) / MINUTE;
  }

  /** Minutes of the day on and around the edges of that change, where interpretations differ. */
  get edgeMinutes(): number[] {
    const edges = [this.wallAt(this.focus - 1) + 1, this.wallAt(this.focus)];
    const steps = [-60, -30, -1, 0, 1, 15, 30, 45, 60, 90];
    return edges.flatMap((edge) => steps.map((step) => (edge + step) % DAY));
  }

  /** 1 (Monday) to 7 of a civil day: 1970-01-01 was a Thursday. */
  static weekday(day: number): number {
    return ((((day + 3) % 7) + 7) % 7) + 1;
  }

  /** A wall minute as 'YYYY-MM-DDTHH:mm'. */
  static text(wall: number): string {
    return new Date(wall * MINUTE).toISOString().slice(0, 16);
  }
}

/** Zones, and UTC dates around which their clocks change: every kind of change, and none at all. */
export const clockChanges: readonly (readonly [zone: string, ...dates: string[]])[] = [
  ['Europe/Paris', '2026-03-29', '2026-10-25'],
  ['Europe/Berlin', '2027-03-28', '2027-10-31'],
  ['America/New_York', '2026-03-08', '2026-11-01'],
  ['Australia/Lord_Howe', '2026-10-04', '2026-04-05'], // half an hour
  ['Africa/Cairo', '2026-04-24', '2026-10-30'], // 00:00 does not exist; back across midnight
  ['Pacific/Apia', '2011-12-30', '2012-04-01'], // a date that does not exist
  ['America/Nuuk', '2024-03-31', '2024-10-27'], // the gap is the last hour of a day
  ['America/St_Johns', '2010-03-14', '2010-11-07'], // at 00:01, back across midnight
  ['America/Havana', '2026-03-08', '2026-11-01'], // 00:00 does not exist; 00:00 exists twice
  ['Antarctica/Troll', '2026-03-29', '2026-10-25'], // two hours
  ['Pacific/Kwajalein', '1993-08-21'], // across the date line, 24 hours
  ['Africa/Casablanca', '2025-02-23'], // for Ramadan
  ['Asia/Kathmandu', '2026-06-01'], // + 05:45, no changes
];
