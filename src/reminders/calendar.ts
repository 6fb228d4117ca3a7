import { civilDay, dateOfDay, dayOfDate, instantOnDay, minuteOfDay } from '../platform/clock/civil-time.js';

/** The calendar of a reminder. */
export interface Rhythm {
  /** The first civil date; the others follow every `frequency_days`, whenever reminders were really sent. */
  starts_on: string;
  frequency_days: number;
  /** HH:mm */
  local_time: string;
}

/** A civil date of a calendar, and its instant in a zone. */
export interface Occasion {
  on: string;
  at: Date;
}

/**
 * The first occasion after an instant. Counted in civil days from the first date, so that no change of
 * clocks, delay or outage shifts it. A local time in a gap or an overlap is resolved as everywhere else
 * (platform/clock/civil-time.ts); a date that the zone skipped has no occasion.
 */
export function nextOccasion(
  { starts_on, frequency_days, local_time }: Rhythm,
  zone: string,
  after: Date,
): Occasion {
  const first = dayOfDate(starts_on);
  const minute = minuteOfDay(local_time);
  // A gap may move an evening's instant into the next day, so begin a day earlier.
  const elapsed = civilDay(after.getTime(), zone) - 1 - first;
  let count = Math.max(0, Math.ceil(elapsed / frequency_days));
  for (;;) {
    const day = first + count * frequency_days;
    const instant = instantOnDay(day, minute, zone);
    if (instant !== null && instant > after.getTime()) return { on: dateOfDay(day), at: new Date(instant) };
    count += 1;
  }
}

/** The first date on which this local time is still to come: today or tomorrow. */
export function nextDate(local_time: string, zone: string, now: Date): string {
  const today = dateOfDay(civilDay(now.getTime(), zone));
  return nextOccasion({ starts_on: today, frequency_days: 1, local_time }, zone, now).on;
}
