import { dayEnd, dayStart, isDate } from '../../design/day-bounds.js';
import type { ConsoleContext } from '../context.js';
import type { Filter } from './filter-bar.js';

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

export function periodFilters({ words }: ConsoleContext): Filter[] {
  return PERIOD.map((name) => ({ kind: 'date', name, label: words.list[name] }));
}
