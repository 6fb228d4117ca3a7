import { dayEnd, dayStart, isDate } from '../../design/day-bounds.js';

/** The names of the filters by days, for `ListOptions.filters`. */
export const PERIOD = ['since', 'until'] as const;

/** The instants of the days of the filters; what is no day is left out. @param zone in which the page shows times */
export function periodOf(
  { since, until }: Readonly<Record<string, string>>,
  zone: string,
): { since?: string; until?: string } {
  return {
    ...(isDate(since) ? { since: dayStart(since, zone).toISOString() } : {}),
    ...(isDate(until) ? { until: dayEnd(until, zone).toISOString() } : {}),
  };
}
