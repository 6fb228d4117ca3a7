import type { Formats } from '../../design/formats.js';
import type { DueItemWords } from '../../words/console/due-items.js';
import { type DueItem, endedAt } from './due-item-api.js';

export interface Group {
  key: string;
  label: string;
}

export interface Grouping {
  /** The order of the list: neighbours with equal values form a group. */
  sort: string;
  format: Formats;
  words: DueItemWords;
  personOf: (id: string) => string;
}

/** The group of an item in a list of this order; null: the order has none. */
export function groupOf(item: DueItem, { sort, format, words, personOf }: Grouping): Group | null {
  const order = sort.replace(/^-/, '');
  if (order === 'client_name') {
    return { key: `client ${item.client_name ?? ''}`, label: item.client_name ?? words.groups.no_client };
  }
  if (order === 'responsible') {
    const { responsible_id: id } = item;
    return { key: `person ${id ?? ''}`, label: id === null ? words.groups.no_person : personOf(id) };
  }
  return order === 'due_on' ? dayGroup(item, format, words) : null;
}

/** Late, today, tomorrow, within a week; then the month. */
function dayGroup(item: DueItem, format: Formats, words: DueItemWords): Group {
  const days = format.daysUntil(item.due_on);
  const isLate = days < 0 && endedAt(item) === null;
  if (isLate) return { key: 'late', label: words.groups.late };
  if (days === 0) return { key: 'today', label: words.groups.today };
  if (days === 1) return { key: 'tomorrow', label: words.groups.tomorrow };
  if (days > 1 && days <= 7) return { key: 'week', label: words.groups.week };
  const month = item.due_on.slice(0, 7);
  return { key: month, label: monthName(month, format.locale) };
}

/** `April 2026`. @param month `2026-04` */
export function monthName(month: string, locale: string): string {
  const name = new Intl.DateTimeFormat(locale, { month: 'long', year: 'numeric', timeZone: 'UTC' }).format(
    new Date(`${month}-01T00:00:00Z`),
  );
  return name.charAt(0).toUpperCase() + name.slice(1);
}
