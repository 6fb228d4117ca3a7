import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { METRICS, type MetricRow } from '../../src/platform/metrics/metrics-table.js';
import { ROOT } from './sources.js';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

interface Rule {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; runbook: string };
}
const { groups } = parse(read('monitoring/prometheus/vigie.rules.yml')) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);

interface Panel {
  id: number;
  title: string;
  targets?: { expr: string }[];
}
const dashboard = JSON.parse(read('monitoring/grafana/vigie.json')) as { panels: Panel[] };
const queries = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => [title, expr] as const),
);

const table: Record<string, MetricRow> = METRICS;
const ofProcess = new Set(
  [...read('docs/metrics.md').matchAll(/^\| `((?:process|nodejs)_\w+)`/gm)].map(([, name]) => name),
);

/** What an expression names that no metric, or no label of its metrics, has. */
function unknownNames(expr: string): string[] {
  const bare = expr.replace(/"[^"]*"/g, '""').replace(/\[[^\]]*\]/g, '');
  const used = [...bare.matchAll(/\b(?:vigie|nodejs|process)_\w+/g)].map(([name]) => name);
  const rows = used.map((name) => rowOf(name));
  const labels = new Set(['instance', 'job', 'le', ...rows.flatMap((row) => row?.labels ?? [])]);
  const named = [
    ...[...bare.matchAll(/\b(?:by|on) \(([^)]*)\)/g)].flatMap(([, list]) => (list ?? '').split(/,\s*/)),
    ...[...bare.matchAll(/(\w+)(?:=~|!=|=)""/g)].map(([, label]) => label ?? ''),
  ];
  return [
    ...used.filter((name, index) => rows[index] === undefined && !ofProcess.has(name)),
    ...named.filter((label) => !labels.has(label)),
  ];
}

/** A histogram is queried by its parts, and only by them. */
function rowOf(name: string): MetricRow | undefined {
  const histogram = table[name.replace(/_(?:bucket|count|sum)$/, '')];
  return histogram?.type === 'histogram' && table[name] === undefined
    ? histogram
    : table[name]?.type === 'histogram'
      ? undefined
      : table[name];
}

describe('the alerts of monitoring/prometheus', () => {
  it('use only metrics and labels of docs/metrics.md', () => {
    expect(rules.length).toBeGreaterThan(15);
    expect(
      rules.map(({ alert, expr }) => [alert, unknownNames(expr)]).filter(([, names]) => names?.length),
    ).toEqual([]);
  });

  it('have a summary, a severity, and a heading of docs/operations.md that says what to do', () => {
    const page = read('docs/operations.md');
    for (const { alert, labels, annotations } of rules) {
      expect(annotations.summary).toMatch(/^\S.{10,}$/);
      expect(['critical', 'warning']).toContain(labels.severity);
      expect(annotations.runbook).toBe(`docs/operations.md#${alert.toLowerCase()}`);
      expect(page).toMatch(new RegExp(`^#### ${alert}\\n\\n\\S.{40,}`, 'm'));
    }
    const headings = [...page.matchAll(/^#### (Vigie\w+)$/gm)].map(([, name]) => name);
    expect(headings).toEqual(rules.map(({ alert }) => alert));
  });

  it('select label values that the code writes', () => {
    const outcomes = rules.flatMap(({ expr }) => [...expr.matchAll(/outcome=~?"([^"]+)"/g)]);
    const known = ['sent', 'failed', 'unknown', 'answered'];
    expect(
      outcomes.flatMap(([, text]) => (text ?? '').split('|')).filter((one) => !known.includes(one)),
    ).toEqual([]);
  });
});

describe('the dashboard of monitoring/grafana', () => {
  it('uses only metrics and labels of docs/metrics.md', () => {
    expect(queries.length).toBeGreaterThan(20);
    expect(
      queries.map(([title, expr]) => [title, unknownNames(expr)]).filter(([, names]) => names?.length),
    ).toEqual([]);
  });

  it('numbers its panels', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  });
});

it.each([
  ['sum by (chanel) (vigie_sends_total)', ['chanel']],
  ['vigie_sends{outcome="x"}', ['vigie_sends', 'outcome']],
  ['rate(vigie_send_duration_seconds[5m])', ['vigie_send_duration_seconds']],
  ['rate(vigie_send_duration_seconds_bucket{channel="x"}[5m])', []],
])('names what is unknown in %s', (expr, names) => {
  expect(unknownNames(expr)).toEqual(names);
});
