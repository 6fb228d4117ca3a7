import { daysUntil } from './days.js';

/** How near or late an item is. Literal strings, because templates name them. */
export type Degree = 'long_overdue' | 'overdue' | 'today' | 'soon' | 'later' | 'undated';

const DEGREES: readonly Degree[] = ['long_overdue', 'overdue', 'today', 'soon', 'later', 'undated'];
/** Days; beyond them an item is long overdue, or later. */
const NEAR_DAYS = 7;

// Cached: constructing one costs more than rendering the rest of a mail.
const collators = new Map<string, Intl.Collator>();

/** An item in a group as templates see it: its own fields, and these. */
export interface GroupedItem {
  list: string;
  days_left: number | null;
  degree: Degree;
  client_name: string | null;
  due_on: string | null;
}

export interface ClientGroup {
  client_name: string | null;
  items: GroupedItem[];
  /** Whether it is the only item: it then fits on the client's line. */
  single: boolean;
}

export interface LatenessGroup {
  degree: Degree;
  count: number;
  clients: ClientGroup[];
}

export interface AgentGroup {
  agent_id: string | null;
  company_name: string | null;
  city: string | null;
  items: unknown[];
}

/** @param daysLeft days until the item's date, negative once overdue; null without a date */
export function degreeOf(daysLeft: number | null): Degree {
  if (daysLeft === null) return 'undated';
  if (daysLeft < -NEAR_DAYS) return 'long_overdue';
  if (daysLeft < 0) return 'overdue';
  if (daysLeft === 0) return 'today';
  return daysLeft <= NEAR_DAYS ? 'soon' : 'later';
}

/** The lines of lists grouped by client, as items with their client's name. */
export function linesOf(lists: readonly unknown[]): Record<string, unknown>[] {
  return lists
    .flatMap((groups) => records(groups))
    .flatMap(({ client_name, lines }) => records(lines).map((line) => ({ ...line, client_name })));
}

/** Maps the lines of a list grouped by client; returns anything else unchanged. */
export function mapLines(
  groups: unknown,
  change: (line: Record<string, unknown>) => Record<string, unknown>,
): unknown {
  if (!Array.isArray(groups)) return groups;
  return groups.map((group: unknown) =>
    isRecord(group) && Array.isArray(group.lines)
      ? { ...group, lines: records(group.lines).map(change) }
      : group,
  );
}

/** The items whose field has one of these values. */
export function itemsWith(
  items: unknown,
  field: 'list' | 'kind' | 'audience',
  values: readonly unknown[],
): Record<string, unknown>[] {
  return records(items).filter((item) => values.includes(item[field]));
}

/** The most overdue first, then by client, then by date; empty groups are omitted. */
export function byLateness(items: unknown, today: unknown, locale: string): LatenessGroup[] {
  const grouped = records(items).map((item) => groupedItem(item, today));
  return DEGREES.flatMap((degree) => {
    const members = grouped.filter((item) => item.degree === degree);
    return members.length === 0
      ? []
      : [{ degree, count: members.length, clients: byClient(members, locale) }];
  });
}

/** Backups grouped by agent, sorted by name. */
export function byAgent(items: unknown, locale: string): AgentGroup[] {
  const groups = new Map<string, AgentGroup>();
  for (const item of records(items)) {
    const data = isRecord(item.data) ? item.data : {};
    const agent_id = text(data.agent_id);
    const company_name = text(data.company_name);
    const city = text(data.city);
    const key = JSON.stringify([agent_id, company_name, city]);
    const group = groups.get(key) ?? { agent_id, company_name, city, items: [] };
    group.items.push(item);
    groups.set(key, group);
  }
  const collator = collatorOf(locale);
  return [...groups.values()].sort((a, b) => collator.compare(a.agent_id ?? '', b.agent_id ?? ''));
}

/** How many items are late, due today, or ahead. */
export function countDue(items: unknown, when: unknown, today: unknown): number {
  return records(items).filter((item) => {
    const days_left = daysUntil(dueOn(item), today);
    if (days_left === null) return false;
    if (when === 'late') return days_left < 0;
    return when === 'today' ? days_left === 0 : days_left > 0;
  }).length;
}

function byClient(items: readonly GroupedItem[], locale: string): ClientGroup[] {
  const clients = new Map<string | null, GroupedItem[]>();
  for (const item of items) {
    const known = clients.get(item.client_name);
    if (known === undefined) clients.set(item.client_name, [item]);
    else known.push(item);
  }
  const collator = collatorOf(locale);
  return [...clients.entries()]
    .sort(([a], [b]) => {
      // Items without a client come last.
      if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
      return collator.compare(a, b);
    })
    .map(([client_name, members]) => ({
      client_name,
      items: members.sort((a, b) => (a.days_left ?? 0) - (b.days_left ?? 0)),
      single: members.length === 1,
    }));
}

/** The date decides, not a number counted on another day. */
function groupedItem(item: Record<string, unknown>, today: unknown): GroupedItem {
  const data = isRecord(item.data) ? item.data : {};
  const due_on = dueOn(item);
  const days_left = daysUntil(due_on, today);
  return {
    ...item,
    list: text(item.list) ?? 'other',
    days_left,
    degree: degreeOf(days_left),
    client_name: text(item.client_name) ?? text(data.client_name),
    due_on,
  };
}

function dueOn({ due_on, data }: Record<string, unknown>): string | null {
  return text(due_on) ?? (isRecord(data) ? text(data.due_on) : null);
}

function collatorOf(locale: string): Intl.Collator {
  let collator = collators.get(locale);
  if (collator === undefined) {
    collator = new Intl.Collator(locale, { numeric: true, sensitivity: 'base' });
    collators.set(locale, collator);
  }
  return collator;
}

function records(items: unknown): Record<string, unknown>[] {
  return Array.isArray(items) ? items.filter(isRecord) : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
