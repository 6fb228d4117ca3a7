import type { components } from '../../client/api.js';

type Strip = Pick<components['schemas']['TimelineStrip'], 'counts'>;

/** Compares by missed runs, then failed ones, then those that were late. */
export function worstFirst(one: Strip, other: Strip): number {
  const differences = (['missed', 'failed', 'caught_up'] as const).map(
    (mark) => (other.counts[mark] ?? 0) - (one.counts[mark] ?? 0),
  );
  return differences.find((difference) => difference !== 0) ?? 0;
}
