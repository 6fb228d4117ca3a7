import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import {
  type CounterName,
  type GaugeName,
  type HistogramName,
  type Labels,
  type MetricRow,
  METRICS,
} from './metrics-table.js';

/** The current values of a metric, one per set of labels. */
export type Readings<Name extends GaugeName> = readonly (readonly [Labels<Name>, number])[];

/** Counts and measures for all rooms. Accepts only metrics of the table. */
@Injectable()
export class Metrics {
  private readonly registry = new Registry();
  private readonly counters = new Map<string, Counter>();
  private readonly gauges = new Map<string, Gauge>();
  private readonly histograms = new Map<string, Histogram>();

  constructor() {
    for (const [name, row] of Object.entries(METRICS)) this.make(name, row);
  }

  count<Name extends CounterName>(name: Name, labels: Labels<Name>, by = 1): void {
    this.counters.get(name)?.inc(labels, by);
  }

  /** @param seconds every histogram here measures durations */
  observe<Name extends HistogramName>(name: Name, labels: Labels<Name>, seconds: number): void {
    this.histograms.get(name)?.observe(labels, seconds);
  }

  set<Name extends GaugeName>(name: Name, labels: Labels<Name>, value: number): void {
    this.gauges.get(name)?.set(labels, value);
  }

  /** Replaces all values of the gauge: labels that are no longer read disappear. */
  replace<Name extends GaugeName>(name: Name, readings: Readings<Name>): void {
    this.gauges.get(name)?.reset();
    for (const [labels, value] of readings) this.set(name, labels, value);
  }

  /** All metrics, including the process's own, in Prometheus' format. */
  async text(): Promise<string> {
    return `${await this.registry.metrics()}\n${await processRegistry().metrics()}`;
  }

  private make(name: string, { type, help, labels, buckets }: MetricRow): void {
    const made = { name, help, labelNames: [...labels], registers: [this.registry] };
    if (type === 'counter') this.counters.set(name, new Counter(made));
    else if (type === 'gauge') this.gauges.set(name, emptyGauge(made));
    else this.histograms.set(name, new Histogram({ ...made, buckets: [...(buckets ?? [])] }));
  }
}

/** Without labels, prom-client would show 0 before the first value: an instant of 1970, or a scheduler that is down. */
function emptyGauge(made: ConstructorParameters<typeof Gauge>[0]): Gauge {
  const gauge = new Gauge(made);
  gauge.remove({});
  return gauge;
}

/** Seconds since `began`, a value of `performance.now()`. */
export function secondsSince(began: number): number {
  return (performance.now() - began) / 1_000;
}

let ofProcess: Registry | undefined;

/** Memory, processor, event loop: per process, however many applications it runs. */
function processRegistry(): Registry {
  if (ofProcess === undefined) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  return ofProcess;
}
