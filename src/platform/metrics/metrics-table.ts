/** One metric: its description in `/metrics` and docs/metrics.md. */
export interface MetricRow {
  type: 'counter' | 'gauge' | 'histogram';
  unit: 'seconds' | 'deliveries' | 'rounds' | 'jobs' | 'runs' | 'leases' | 'messages' | 'sockets' | 'boolean';
  help: string;
  /** Few known values each: never a tenant, a person, an address or an id. */
  labels: readonly string[];
  /** Upper bounds of a histogram's buckets, in its unit. */
  buckets?: readonly number[];
}

const FAST = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const SLOW = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/**
 * Every metric that Vigie defines. prom-client adds `process_` and `nodejs_` metrics of the process. A gauge read from
 * PostgreSQL or Redis is the same from every process of an installation: take the maximum, not the sum.
 */
export const METRICS = {
  vigie_http_request_duration_seconds: {
    type: 'histogram',
    unit: 'seconds',
    help: 'Duration of requests up to the end of the answer, by route pattern',
    labels: ['method', 'route', 'status_class'],
    buckets: FAST,
  },
  vigie_sockets_connected: {
    type: 'gauge',
    unit: 'sockets',
    help: 'Sockets connected to this process',
    labels: [],
  },
  vigie_deliveries: {
    type: 'gauge',
    unit: 'deliveries',
    help: 'Deliveries that have not ended, from PostgreSQL; 100000 means that many or more',
    labels: ['channel', 'state'],
  },
  vigie_oldest_due_delivery_seconds: {
    type: 'gauge',
    unit: 'seconds',
    help: 'Age of the longest overdue delivery that is not sent, in any state; 0 when none is due',
    labels: ['channel'],
  },
  vigie_channel_up: {
    type: 'gauge',
    unit: 'boolean',
    help: 'Whether the channel works, from PostgreSQL; 0: deliveries wait while single probes test it',
    labels: ['channel'],
  },
  vigie_channel_paused: {
    type: 'gauge',
    unit: 'boolean',
    help: 'Whether the channel is paused, from PostgreSQL',
    labels: ['channel'],
  },
  vigie_dispatch_round_duration_seconds: {
    type: 'histogram',
    unit: 'seconds',
    help: 'Duration of a round of the dispatcher',
    labels: ['channel'],
    buckets: FAST,
  },
  vigie_dispatch_admitted_total: {
    type: 'counter',
    unit: 'messages',
    help: 'Messages admitted into the queue: one or more deliveries each',
    labels: ['channel'],
  },
  vigie_dispatch_deferred_total: {
    type: 'counter',
    unit: 'messages',
    help: 'Messages deferred by hours or limits',
    labels: ['channel'],
  },
  vigie_dispatch_failures_total: {
    type: 'counter',
    unit: 'rounds',
    help: 'Rounds of the dispatcher that failed',
    labels: ['channel'],
  },
  vigie_dispatch_limit_per_minute: {
    type: 'gauge',
    unit: 'messages',
    help: 'LIMIT_GLOBAL_PER_MINUTE: messages that may be admitted per minute; 0: no limit',
    labels: ['channel'],
  },
  vigie_sends_total: {
    type: 'counter',
    unit: 'messages',
    help: 'Attempts to send, by outcome: sent, retry, failed, unknown, channel_down, lost (another process took over)',
    labels: ['channel', 'outcome'],
  },
  vigie_send_duration_seconds: {
    type: 'histogram',
    unit: 'seconds',
    help: 'Duration of an attempt, rendering included',
    labels: ['channel'],
    buckets: FAST,
  },
  vigie_leases_expired_total: {
    type: 'counter',
    unit: 'leases',
    help: 'Expired leases of deliveries: queued ones are admitted again, those being sent are ambiguous',
    labels: ['state'],
  },
  vigie_runs_total: {
    type: 'counter',
    unit: 'runs',
    help: 'Attempts at runs of scheduled jobs, by outcome: succeeded, retry, failed',
    labels: ['job', 'outcome'],
  },
  vigie_runs_overdue: {
    type: 'gauge',
    unit: 'runs',
    help: 'Runs of this process that exceeded the time limit of their job and have not returned: something hangs',
    labels: ['job'],
  },
  vigie_run_duration_seconds: {
    type: 'histogram',
    unit: 'seconds',
    help: 'Duration of an attempt at a run',
    labels: ['job'],
    buckets: SLOW,
  },
  vigie_queue_jobs: {
    type: 'gauge',
    unit: 'jobs',
    help: 'Jobs that Bull holds, from Redis',
    labels: ['queue', 'state'],
  },
  vigie_wake_ups_failed_total: {
    type: 'counter',
    unit: 'messages',
    help: 'Wake-ups that Redis did not accept; a process that missed one catches up in its next round',
    labels: ['name'],
  },
  vigie_source_up: {
    type: 'gauge',
    unit: 'boolean',
    help: 'Whether the sources of gauges answer: postgresql and redis, which must also accept writes',
    labels: ['source'],
  },
} as const satisfies Record<string, MetricRow>;

export type MetricName = keyof typeof METRICS;
export type CounterName = NamesOf<'counter'>;
export type GaugeName = NamesOf<'gauge'>;
export type HistogramName = NamesOf<'histogram'>;

/** The labels of a metric, each with its value. */
export type Labels<Name extends MetricName> = Record<(typeof METRICS)[Name]['labels'][number], string>;

type NamesOf<Type extends MetricRow['type']> = {
  [Name in MetricName]: (typeof METRICS)[Name]['type'] extends Type ? Name : never;
}[MetricName];
