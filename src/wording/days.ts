import { dayOfDate, isCivilDate } from '../platform/clock/civil-time.js';

/** Day numbers of dates; null for an invalid date. One title asks several times for the same two. */
const dayNumbers = new Map<string, number | null>();
const MAX_DAY_NUMBERS = 2_000;
const MAX_LENGTH = 10;

/** Whole days from today to a date, negative once it has passed; null when it is not a civil date (YYYY-MM-DD). */
export function daysUntil(date: unknown, today: unknown): number | null {
  const [due, now] = [dayNumber(date), dayNumber(today)];
  return due === null || now === null ? null : due - now;
}

function dayNumber(date: unknown): number | null {
  if (typeof date !== 'string' || date.length > MAX_LENGTH) return null;
  const known = dayNumbers.get(date);
  if (known !== undefined) return known;
  if (dayNumbers.size >= MAX_DAY_NUMBERS) dayNumbers.clear();
  const number = isCivilDate(date) ? dayOfDate(date) : null;
  dayNumbers.set(date, number);
  return number;
}
