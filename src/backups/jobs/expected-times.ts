import { addDays, civilDate, dayOfDate, instantAt, weekdayOf } from '../../platform/clock/civil-time.js';

/** When a job's backup is expected: civil time in the tenant's zone. */
export interface ExpectedHours {
  /** HH:mm */
  expected_time: string;
  /** ISO, Monday is 1. */
  days_of_week: readonly number[];
}

/** One expected backup. The day of the tenant's calendar identifies it, even after its hour changes. */
export interface ExpectedTime {
  expected_on: string;
  expected_at: Date;
}

// A weekly day is 7 days off, or 14 where a zone has skipped its date.
const SEARCH_DAYS = 15;
const DAY_MS = 86_400_000;

/** All expected times after `after` (exclusive) up to `until` (inclusive), in order. */
export function expectedBetween(
  hours: ExpectedHours,
  zone: string,
  after: Date,
  until: Date,
): ExpectedTime[] {
  if (until <= after) return [];
  // In a spring gap a time may shift past midnight: its date is then the day before.
  const last = addDays(civilDate(until, zone), 1);
  const found: ExpectedTime[] = [];
  for (let date = addDays(civilDate(after, zone), -1); date <= last; date = addDays(date, 1)) {
    const expected = expectedOn(hours, zone, date);
    if (expected !== null && expected.expected_at > after && expected.expected_at <= until)
      found.push(expected);
  }
  return found;
}

/** The expected time on this date (YYYY-MM-DD); null if none is expected, or the zone skips the date. */
export function expectedOn(hours: ExpectedHours, zone: string, date: string): ExpectedTime | null {
  if (!hours.days_of_week.includes(weekdayOf(dayOfDate(date)))) return null;
  const expected_at = instantAt(date, hours.expected_time, zone);
  return expected_at === null ? null : { expected_on: date, expected_at };
}

/** The first expected time after an instant. */
export function nextExpected(hours: ExpectedHours, zone: string, after: Date): ExpectedTime | null {
  const today = civilDate(after, zone);
  for (let days = -1; days <= SEARCH_DAYS; days += 1) {
    const expected = expectedOn(hours, zone, addDays(today, days));
    if (expected !== null && expected.expected_at > after) return expected;
  }
  return null;
}

/** The expected time that a report of this instant counts for: the nearest, or the earlier of two equally near. */
export function nearestExpected(hours: ExpectedHours, zone: string, instant: Date): ExpectedTime | null {
  const today = civilDate(instant, zone);
  const distance = ({ expected_at }: ExpectedTime) => Math.abs(expected_at.getTime() - instant.getTime());
  let nearest: ExpectedTime | null = null;
  for (let days = 0; days <= SEARCH_DAYS; days += 1) {
    // A later or earlier date cannot be nearer: gaps and the hour of the day add two days at most.
    if (nearest !== null && distance(nearest) <= (days - 2) * DAY_MS) break;
    for (const date of days === 0 ? [today] : [addDays(today, -days), addDays(today, days)]) {
      const expected = expectedOn(hours, zone, date);
      if (expected === null) continue;
      const nearer = nearest === null ? -1 : distance(expected) - distance(nearest);
      if (nearer < 0 || (nearer === 0 && nearest !== null && expected.expected_at < nearest.expected_at))
        nearest = expected;
    }
  }
  return nearest;
}
