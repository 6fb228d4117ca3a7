/** One metric: its description in `/metrics` and docs/metrics.md. */
export interface MetricRow {
  type: 'counter' | 'gauge' | 'histogram';
  unit:
    | 'seconds'
    | 'deliveries'
    | 'rounds'
    | 'jobs'
    | 'runs'
    | 'leases'
    | 'messages'
    | 'sockets'
    | 'templates'
    | 'events'
    | 'requests'
    | 'addresses'
    | 'connections'
    | 'items'
    | 'boolean';
  help: string;
  /** Few known values each: never a tenant, a person, an address or an id. */
  labels: readonly string[];
  /** Upper bounds of a histogram's buckets, in its unit. */
  buckets?: readonly number[];
}

const FAST = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** From at once to a day: waiting for a retry, or for a channel that is down. */
const WAITING = [0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 86_400];
const SLOW = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/**
 * Every metric that Vigie defines. prom-client adds `process_` and `nodejs_` metrics of the process. A gauge read from
 * PostgreSQL or Redis is the same from every process of an installation: take the maximum, not the sum.
 */
export const METRICS = {
  vigie_http_request_duration_seconds: {
    type: 'histogram',
    unit: 'seconds',
    help: 'Duration of requests up to the end of the answer, or until the client leaves, by route pattern',
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
    help: 'LIMIT_<channel>_PER_MINUTE: messages that may be admitted per minute; 0: no limit',
    labels: ['channel'],
  },
  vigie_dispatch_used_last_minute: {
    type: 'gauge',
    unit: 'messages',
    help: 'Messages admitted in the last minute, counted up to the limit; absent without a limit',
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
  vigie_send_failures_total: {
    type: 'counter',
    unit: 'messages',
    help: 'Failed attempts: failure is permanent, retryable, ambiguous or channel; cause is the fault of the channel, else none',
    labels: ['channel', 'failure', 'cause'],
  },
  vigie_delivery_duration_seconds: {
    type: 'histogram',
    unit: 'seconds',
    help: 'From the instant at which a message was due until the provider accepted it, retries included',
    labels: ['channel'],
    buckets: WAITING,
  },
  vigie_dead_letters: {
    type: 'gauge',
    unit: 'deliveries',
    help: 'Deliveries that failed for good in the last 24 hours, from PostgreSQL; 10000 means that many or more',
    labels: ['channel'],
  },
  vigie_worker_concurrency: {
    type: 'gauge',
    unit: 'messages',
    help: 'Messages that the live workers can send at once, from PostgreSQL; 0: nobody sends',
    labels: ['channel'],
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
  vigie_run_lag_seconds: {
    type: 'histogram',
    unit: 'seconds',
    help: 'From the planned time of a run to the start of its first attempt; manual runs: from the trigger',
    labels: ['job'],
    buckets: WAITING,
  },
  vigie_run_items_total: {
    type: 'counter',
    unit: 'items',
    help: 'What successful runs did, by their counts: rows deleted per table, alerts opened, files read, …',
    labels: ['job', 'item'],
  },
  vigie_runs_open: {
    type: 'gauge',
    unit: 'runs',
    help: 'Runs that have not ended, by state (queued, running), from PostgreSQL; 100000 in all means that many or more',
    labels: ['job', 'state'],
  },
  vigie_oldest_due_run_seconds: {
    type: 'gauge',
    unit: 'seconds',
    help: 'Age of the longest overdue queued run, without paused queues and suspended tenants; 0 when none is due',
    labels: ['job'],
  },
  vigie_scheduler_up: {
    type: 'gauge',
    unit: 'boolean',
    help: 'Whether a scheduler polls, as this process sees it; 0: none has for 95 s; absent with SCHEDULER_ENABLED=false',
    labels: [],
  },
  vigie_scheduler_last_poll_timestamp_seconds: {
    type: 'gauge',
    unit: 'seconds',
    help: 'When a scheduler last polled, in Unix time, from PostgreSQL; absent before the first poll',
    labels: [],
  },
  vigie_heartbeats_total: {
    type: 'counter',
    unit: 'requests',
    help: 'Calls of HEARTBEAT_URL, by outcome: answered, failed (after one retry)',
    labels: ['outcome'],
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
  vigie_tenant_templates_broken_total: {
    type: 'counter',
    unit: 'templates',
    help: "Tenants' own templates that failed: the built-in words were used instead",
    labels: ['part'],
  },
  vigie_provider_events_total: {
    type: 'counter',
    unit: 'events',
    help: 'Events of providers, by outcome: recorded, duplicate, unmatched (not a message of this installation), ignored',
    labels: ['provider', 'outcome'],
  },
  vigie_provider_requests_refused_total: {
    type: 'counter',
    unit: 'requests',
    help: 'Requests to a hook that are not the provider’s, by reason: signature, timestamp, origin',
    labels: ['provider', 'reason'],
  },
  vigie_addresses_stopped_total: {
    type: 'counter',
    unit: 'addresses',
    help: 'Addresses stopped: hard_bounce, complaint, stop',
    labels: ['channel', 'reason'],
  },
  vigie_source_up: {
    type: 'gauge',
    unit: 'boolean',
    help: 'Whether the sources of gauges answer: postgresql and redis, which must also accept writes',
    labels: ['source'],
  },
  vigie_source_response_seconds: {
    type: 'gauge',
    unit: 'seconds',
    help: 'How long the last reading of a source took: a statement of PostgreSQL, a write to Redis',
    labels: ['source'],
  },
  vigie_database_connections: {
    type: 'gauge',
    unit: 'connections',
    help: 'Connections of this process by pool (app, system) and state (in_use, idle), and work that waits for one (waiting)',
    labels: ['pool', 'state'],
  },
  vigie_info: {
    type: 'gauge',
    unit: 'boolean',
    help: 'Always 1; the version of this process',
    labels: ['version'],
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
