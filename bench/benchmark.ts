import type { BenchContext } from './context.js';

/** The target: for the ratio if there is a reference, else for the value. */
export type Target = { at_least: number } | { at_most: number };

/** One line of the table. */
export interface Measurement {
  id: string;
  what: string;
  value: number;
  unit: string;
  /** The reference, in the same unit, measured in the same run. */
  reference: number | null;
  /** The median of the runs' own ratios: other load on the machine affects both sides. */
  ratio: number | null;
  target: string;
  ok: boolean;
}

/** One file of this folder. */
export interface Benchmark {
  id: string;
  title: string;
  run(context: BenchContext): Promise<Measurement[]>;
}

/** The values of the interleaved runs, and the references from the same runs. */
export interface Comparison {
  id: string;
  what: string;
  unit: string;
  values: readonly number[];
  references: readonly number[];
  target: Target;
}

export function compare({ id, what, unit, values, references, target }: Comparison): Measurement {
  const ratio = median(values.map((value, run) => value / (references[run] ?? Number.NaN)));
  return {
    id,
    what,
    value: median(values),
    unit,
    reference: median(references),
    ratio,
    target: described(target),
    ok: meets(ratio, target),
  };
}

/** A value whose only reference is its limit. */
export function limit({ id, what, unit, values, target }: Omit<Comparison, 'references'>): Measurement {
  const value = median(values);
  return {
    id,
    what,
    value,
    unit,
    reference: null,
    ratio: null,
    target: described(target),
    ok: meets(value, target),
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The smallest value that `share` (0 to 1) of the values do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

function meets(value: number, target: Target): boolean {
  return 'at_least' in target ? value >= target.at_least : value <= target.at_most;
}

function described(target: Target): string {
  return 'at_least' in target ? `>= ${target.at_least}` : `<= ${target.at_most}`;
}
