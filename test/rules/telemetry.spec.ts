import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { Metrics } from '../../src/platform/metrics/metrics.js';
import { METRICS, type MetricRow } from '../../src/platform/metrics/metrics-table.js';
import { parse, productSources, ROOT, type SourceFile, walk } from './sources.js';

const PAGE = readFileSync(join(ROOT, 'docs/metrics.md'), 'utf8');

/** The cells of a table under a heading of the page, without the backticks. */
function rowsUnder(heading: string): string[][] {
  const section = PAGE.split(/^(?=## )/m).find((part) => part.startsWith(`## ${heading}\n`)) ?? '';
  return section.split('\n').flatMap((line) => {
    const cells = line.split('|').slice(1, -1);
    return /^ *`/.test(cells[0] ?? '') ? [cells.map((cell) => cell.trim().replaceAll('`', ''))] : [];
  });
}

describe('the metrics', () => {
  const rows = Object.entries<MetricRow>(METRICS);

  it('are those of docs/metrics.md, in the same order', () => {
    expect(rowsUnder('Metrics')).toEqual(
      rows.map(([name, { type, labels, unit, help }]) => [name, type, labels.join(', '), unit, help]),
    );
  });

  it('are, with those of the process, exactly the exported names', async () => {
    const text = await new Metrics().text();
    const exported = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]);
    const documented = [...rowsUnder('Metrics'), ...rowsUnder('Metrics of the process')];
    expect(documented.map(([name, type]) => [name, type]).sort()).toEqual(exported.sort());
  });

  it('have descriptive names', () => {
    for (const [name, { type, unit, buckets }] of rows) {
      expect(name).toMatch(/^vigie_[a-z_]+$/);
      expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
      expect([name, name.endsWith('_seconds')]).toEqual([name, unit === 'seconds']);
      expect([name, buckets !== undefined]).toEqual([name, type === 'histogram']);
    }
  });

  it('have no label with as many values as tenants or people', () => {
    const known = [
      'cause',
      'channel',
      'failure',
      'item',
      'job',
      'method',
      'name',
      'outcome',
      'part',
      'pool',
      'provider',
      'queue',
      'reason',
      'route',
      'source',
      'state',
      'version',
    ];
    const labels = new Set(rows.flatMap(([, row]) => row.labels));
    expect([...labels].filter((label) => ![...known, 'status_class'].includes(label))).toEqual([]);
  });

  it('are all recorded somewhere', () => {
    const code = productSources()
      .filter(({ path }) => !path.endsWith('metrics-table.ts'))
      .map(({ text }) => text)
      .join('\n');
    expect(rows.map(([name]) => name).filter((name) => !code.includes(`'${name}'`))).toEqual([]);
  });

  it('are defined in the table: nothing else imports prom-client', () => {
    const users = productSources().filter(({ imported }) =>
      imported.some(({ from }) => from === 'prom-client'),
    );
    expect(users.map(({ path }) => path)).toEqual(['src/platform/metrics/metrics.ts']);
  });
});

describe('traces', () => {
  const importers = (pattern: RegExp) =>
    productSources()
      .filter(({ text }) => pattern.test(text))
      .map(({ path }) => path);

  it('load OpenTelemetry in one file, which is loaded only on demand', () => {
    expect(importers(/^import (?!type\b)[^;]*'@opentelemetry\//m)).toEqual(['src/platform/tracing/otlp.ts']);
    expect(importers(/^import (?!type\b)[^;]*\/otlp\.js'/m)).toEqual([]);
    expect(importers(/await import\('\.\/otlp\.js'\)/)).toEqual(['src/platform/tracing/tracing.ts']);
  });
});

/** The values that a file may log as `event`, as patterns: `delivery_${state}` matches any state. */
function eventsOf({ tree }: SourceFile): RegExp[] {
  const events: RegExp[] = [];
  const collect = (value: ts.Expression): void => {
    if (ts.isConditionalExpression(value)) {
      collect(value.whenTrue);
      collect(value.whenFalse);
    } else if (ts.isStringLiteralLike(value)) events.push(new RegExp(`^${value.text}$`));
    else if (ts.isTemplateExpression(value)) {
      const spans = value.templateSpans.map(({ literal }) => `[a-z_]+${literal.text}`);
      events.push(new RegExp(`^${value.head.text}${spans.join('')}$`));
    }
  };
  walk(tree, (node) => {
    if (ts.isPropertyAssignment(node) && node.name.getText() === 'event') collect(node.initializer);
  });
  return events;
}

describe('the log events', () => {
  const documented = rowsUnder('Log events').map(([event]) => event ?? '');
  const logged = productSources()
    .filter(({ path }) => !path.startsWith('src/cli/'))
    .flatMap(eventsOf);

  it('are all in docs/metrics.md', () => {
    const missing = logged.filter((pattern) => !documented.some((event) => pattern.test(event)));
    expect(missing.map(({ source }) => source)).toEqual([]);
  });

  it('include each one that docs/metrics.md lists', () => {
    expect(documented.filter((event) => !logged.some((pattern) => pattern.test(event)))).toEqual([]);
    expect(new Set(documented).size).toBe(documented.length);
  });

  it.each([
    ["log({ event: 'one' })", ['one'], ['two', 'one_more']],
    ["log({ event: on ? 'one' : 'two' })", ['one', 'two'], ['three']],
    ['log({ event: `one_${state}` })', ['one_two'], ['two', 'one_']],
  ])('are found in %p', (text, yes, no) => {
    const found = eventsOf(parse('src/x/x.ts', text));
    const matches = (event: string) => found.some((pattern) => pattern.test(event));
    expect([yes.filter(matches), no.filter(matches)]).toEqual([yes, []]);
  });
});
