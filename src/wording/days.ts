import { dayOfDate, isCivilDate } from '../platform/clock/civil-time.js';

/** Whole days from today to a date, negative once it has passed; null for what is no civil date (YYYY-MM-DD). */
export function daysUntil(date: unknown, today: unknown): number | null {
  if (typeof date !== 'string' || typeof today !== 'string') return null;
  if (!isCivilDate(date) || !isCivilDate(today)) return null;
  return dayOfDate(date) - dayOfDate(today);
}
