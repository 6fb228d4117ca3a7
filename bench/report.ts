import { cpus, totalmem } from 'node:os';
import type { Measurement } from './benchmark.js';

/** A description of the machine, for figures without a ratio. */
export function machine(): string {
  const all = cpus();
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  return `${all.length} × ${all[0]?.model.trim() ?? 'unknown processor'}, ${gigabytes} GB, Node ${process.version}`;
}

/** One object per line, for programs. */
export function asJson(measurement: Measurement): string {
  const { id, what, value, unit, reference, ratio, target, ok } = measurement;
  return JSON.stringify({
    id,
    what,
    value: rounded(value),
    unit,
    reference: reference === null ? null : rounded(reference),
    ratio: ratio === null ? null : rounded(ratio),
    target,
    ok,
  });
}

/** A Markdown table for people. */
export function asTable(measurements: readonly Measurement[]): string {
  const rows = measurements.map(({ id, what, value, unit, reference, ratio, target, ok }) => [
    id,
    what,
    `${shown(value)} ${unit}`,
    reference === null ? '' : `${shown(reference)} ${unit}`,
    ratio === null ? '' : ratio.toFixed(2),
    target,
    ok ? 'yes' : 'NO',
  ]);
  const all = [['id', 'what', 'measured', 'reference', 'ratio', 'target', 'met'], ...rows];
  const widths =
    all[0]?.map((_name, column) => Math.max(...all.map((row) => (row[column] ?? '').length))) ?? [];
  const line = (row: string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = widths.map((width) => '-'.repeat(width));
  return [...all.slice(0, 1), rule, ...all.slice(1)].map(line).join('\n');
}

function rounded(value: number): number {
  return Number(value.toPrecision(5));
}

function shown(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}
