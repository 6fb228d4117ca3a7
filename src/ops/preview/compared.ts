import type { RunView } from '../../runs/run.dto.js';
import type { SlotOutcome } from './rehearsed-day.js';
import type { SilentAlert, WrittenRow } from '../../notifications/preview/written.sql.js';

/** A message of the preview, of a run, or of both. */
export interface Compared {
  /** Null: a manual run. */
  slot: string | null;
  /** The slot's instant, or when a manual run notified them. */
  at: Date;
  previewed: WrittenRow | null;
  ran: WrittenRow | null;
  /** Instead of them: an alert that nobody is notified of. */
  silent: SilentAlert | null;
}

/** A message has the same key in the preview and in the run: who, what, and where. */
function keyOf({ recipient, dedupe_key, channel, address }: WrittenRow): string {
  return JSON.stringify([recipient, dedupe_key, channel, address]);
}

/**
 * Pairs what was rehearsed with what runs have written.
 * @param runs the runs that wrote `ran`
 */
export function compare(
  outcomes: readonly SlotOutcome[],
  ran: readonly WrittenRow[],
  runs: readonly RunView[],
): Compared[] {
  const left = new Map(ran.map((row) => [keyOf(row), row]));
  const compared = outcomes.flatMap(({ slot: { slot, instant }, rows, silent }): Compared[] => [
    ...rows.map((row) => {
      const key = keyOf(row);
      const real = left.get(key) ?? null;
      left.delete(key);
      return { slot, at: instant, previewed: row, ran: real, silent: null };
    }),
    ...silent.map((alert) => ({ slot, at: instant, previewed: null, ran: null, silent: alert })),
  ]);
  const onlyRan = [...left.values()].map((row) => {
    const run = runOf(row, runs);
    return {
      slot: run?.slot ?? null,
      at: run?.slot == null ? row.created_at : run.due_at,
      previewed: null,
      ran: row,
      silent: null,
    };
  });
  return [...compared, ...onlyRan];
}

/** The run during which it was written. */
export function runOf(
  { created_at }: Pick<WrittenRow, 'created_at'>,
  runs: readonly RunView[],
): RunView | undefined {
  return runs.find(
    ({ started_at, finished_at }) =>
      started_at !== null && started_at <= created_at && (finished_at === null || created_at <= finished_at),
  );
}
