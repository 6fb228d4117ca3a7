import type { components } from '../../client/api.js';
import type { Column } from '../list/table.js';

export type Preview = components['schemas']['PreviewAnswer'];
export type Entry = Preview['entries'][number];
export type Job = Preview['job'];
export type Slot = Preview['slots'][number];

/** Entries of an answer that the page asks for. */
export const MAX_ENTRIES = 1_000;

/** A row's key: one person, channel, time and notification. */
export function keyOf({ slot, at, recipient, channel, kind, title, item }: Entry): string {
  return JSON.stringify([slot, at, recipient, channel, kind, title, item?.id]);
}

/** The value of the person's filter: a user, or what has no user. */
export function personOf({ user_id, recipient }: Entry): string {
  return user_id ?? recipient ?? '';
}

/** The people of an answer, for the filter: by name. */
export function peopleOf(entries: readonly Entry[], nobody: string): [id: string, name: string][] {
  const people = new Map(entries.map((entry) => [personOf(entry), nameOf(entry, nobody)]));
  return [...people].sort(([, one], [, other]) => one.localeCompare(other));
}

/** The name of a user, else the address without its scheme. */
export function nameOf({ name, recipient }: Entry, nobody: string): string {
  return name ?? recipient?.replace(/^(mailto|tel):/, '') ?? nobody;
}

/** Entries that the filters leave. */
export function matching(entries: readonly Entry[], filters: Readonly<Record<string, string>>): Entry[] {
  const { person, outcome } = filters;
  return entries.filter(
    (entry) =>
      (person === undefined || personOf(entry) === person) &&
      (outcome === undefined || outcome === (entry.previewed ? entry.outcome : 'not_previewed')),
  );
}

/** Whether there is something to compare with: some slots are over. */
export function isCompared({ runs, totals, assumptions }: Preview): boolean {
  const { both, only_ran, only_previewed } = totals;
  return (
    runs.length > 0 ||
    both + only_ran + only_previewed > 0 ||
    assumptions.some((assumption) => assumption === 'rewound' || assumption === 'not_rewound')
  );
}

/** Slots worth a line: all of a job with fixed hours; of an interval those that would announce something. */
export function slotsToShow({ slots, entries }: Preview): readonly Slot[] {
  if (slots.length <= 6) return slots;
  const told = new Set(entries.map(({ slot }) => slot));
  return slots.filter(({ slot }) => told.has(slot));
}

/** The highest count of each name in any slot. */
export function sumOfCounts({ slots }: Preview): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const { counts } of slots) {
    for (const [name, count] of Object.entries(counts ?? {})) sum[name] = Math.max(sum[name] ?? 0, count);
  }
  return sum;
}

/** Leaves out columns that are empty in all rows. */
export function shownColumns<Row>(columns: readonly (Column<Row> & { isShown?: boolean })[]): Column<Row>[] {
  return columns.filter(({ isShown }) => isShown !== false);
}
