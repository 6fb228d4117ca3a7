import type { ConsoleContext } from '../context.js';
import type { Filter } from './filter-bar.js';
import { PERIOD } from './period.js';

/** Filters for the first and the last day of a list. */
export function periodFilters({ words }: ConsoleContext): Filter[] {
  return PERIOD.map((name) => ({ kind: 'date', name, label: words.list[name] }));
}
