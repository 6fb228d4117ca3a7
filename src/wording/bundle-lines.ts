import { declarationOf } from '../contracts/kind-lists.js';
import { daysUntil } from './days.js';
import type { BundledItem } from './render-context.js';

/** The lists of a bundle, in display order. */
export const LISTS = ['deadlines', 'documents', 'tasks', 'backups', 'other'] as const;
export type List = (typeof LISTS)[number];

const LIST_OF_ITEM: Readonly<Record<string, List>> = {
  deadline: 'deadlines',
  document: 'documents',
  task: 'tasks',
  backup: 'backups',
};

/** The type of a list's items, as named in ITEM_URL. */
export function typeOfList(list: unknown): string | undefined {
  return Object.keys(LIST_OF_ITEM).find((type) => LIST_OF_ITEM[type] === list);
}

/** A line of a bundle. */
export type BundleLine = Pick<BundledItem, 'kind' | 'data' | 'severity' | 'title' | 'body' | 'audience'> & {
  list: List;
  item_url: string | null;
  act_url: string | null;
  /** Whole days until it is due, negative once overdue; null without a date. */
  days_left: number | null;
  client_name: string | null;
};

/** In a longer list, links to acknowledge each item would make the mail so long that Gmail truncates it. */
const MAX_ACT_LINKS = 100;

/** The most overdue first, then by client; items without a date come last. */
export function bundleLines(items: readonly BundledItem[], today: string): BundleLine[] {
  const isLong = items.length > MAX_ACT_LINKS;
  return items
    .map((item) => lineOf(isLong ? { ...item, act_url: null } : item, today))
    .sort(
      (one, other) =>
        (one.days_left ?? Infinity) - (other.days_left ?? Infinity) ||
        (one.client_name ?? '').localeCompare(other.client_name ?? '') ||
        one.title.localeCompare(other.title),
    );
}

function lineOf(item: BundledItem, today: string): BundleLine {
  const { kind, data, severity, title, body, audience, item_url = null, act_url = null } = item;
  const { due_on, client_name, company_name } = data;
  return {
    kind,
    list: LIST_OF_ITEM[declarationOf(kind)?.item?.type ?? ''] ?? 'other',
    data,
    severity,
    title,
    body,
    audience,
    item_url,
    act_url,
    days_left: daysUntil(due_on, today),
    client_name: textOf(client_name) ?? textOf(company_name),
  };
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
