/** Bull's queues. Each has its own workers and concurrency. */
export const QUEUES = ['mail', 'sms', 'push', 'webhook', 'checks', 'maintenance'] as const;
export type QueueName = (typeof QUEUES)[number];

/** An admitted message: deliveries that leave together. The lease token is also the id of the Bull job. */
export interface DeliveryJob {
  tenant_id: string;
  /** The id of one of its deliveries, or of its only one. */
  bundle_id: string;
  lease_token: string;
}

/** A run in the ledger. */
export interface RunJob {
  tenant_id: string;
  run_id: string;
  lease_token: string;
}

/** The payload types of jobs, by the name in their declaration. */
interface Payloads {
  delivery: DeliveryJob;
  run: RunJob;
}

/** The payload's fields, each of them a UUID. */
export const PAYLOAD_FIELDS = {
  delivery: ['tenant_id', 'bundle_id', 'lease_token'],
  run: ['tenant_id', 'run_id', 'lease_token'],
} as const satisfies { [Name in keyof Payloads]: readonly (keyof Payloads[Name])[] };

/** When a job runs. `times` are local HH:mm, on the ISO `weekdays` only if given; an interval is UTC's. */
export type Schedule =
  { kind: 'fixed'; times: string[]; weekdays?: number[] } | { kind: 'interval'; minutes: number };

/** The hours that a tenant chooses; `schedule` of its settings. */
export interface ScheduleHours {
  check_notifications: string[];
  weekly_summary_day: number;
  weekly_summary: string;
  update_statuses: string;
  cleanup: string;
  check_backups: string;
  scan_backups_minutes: number;
  process_reminders_minutes: number;
}

interface DeliveryDeclaration {
  queue: QueueName;
  payload: 'delivery';
}

/** A scheduled job, whose runs are in the run ledger. */
interface RunDeclaration {
  queue: QueueName;
  payload: 'run';
  /** When it runs for a tenant with these hours. */
  schedule: (hours: ScheduleHours) => Schedule;
  /** A longer run is aborted: something it waits for hangs. */
  max_minutes: number;
  /** Jobs of one group do the same work: a tenant has one run of them at a time. Without it, a job is its own group. */
  group?: string;
  /** Runs may take hours: they never use all of a worker's slots. */
  long?: boolean;
}

/**
 * Every job, declared once. Its name is a literal string, because it is stored. Boot fails unless each has exactly one
 * handler.
 */
export const JOBS = {
  'send-mail': { queue: 'mail', payload: 'delivery' },
  'send-sms': { queue: 'sms', payload: 'delivery' },
  'send-push': { queue: 'push', payload: 'delivery' },
  'send-webhook': { queue: 'webhook', payload: 'delivery' },
  'check-notifications': {
    queue: 'checks',
    payload: 'run',
    schedule: (hours) => ({ kind: 'fixed', times: hours.check_notifications }),
    max_minutes: 60,
  },
  'weekly-summary': {
    queue: 'checks',
    payload: 'run',
    schedule: (hours) => ({
      kind: 'fixed',
      times: [hours.weekly_summary],
      weekdays: [hours.weekly_summary_day],
    }),
    max_minutes: 60,
  },
  'check-backups': {
    queue: 'checks',
    payload: 'run',
    schedule: (hours) => ({ kind: 'fixed', times: [hours.check_backups] }),
    max_minutes: 720,
    group: 'backups',
    long: true,
  },
  'scan-backups': {
    queue: 'checks',
    payload: 'run',
    schedule: (hours) => ({ kind: 'interval', minutes: hours.scan_backups_minutes }),
    max_minutes: 720,
    group: 'backups',
    long: true,
  },
  'process-reminders': {
    queue: 'checks',
    payload: 'run',
    schedule: (hours) => ({ kind: 'interval', minutes: hours.process_reminders_minutes }),
    max_minutes: 60,
  },
  'update-statuses': {
    queue: 'maintenance',
    payload: 'run',
    schedule: (hours) => ({ kind: 'fixed', times: [hours.update_statuses] }),
    max_minutes: 60,
  },
  cleanup: {
    queue: 'maintenance',
    payload: 'run',
    schedule: (hours) => ({ kind: 'fixed', times: [hours.cleanup] }),
    max_minutes: 180,
  },
} as const satisfies Record<string, DeliveryDeclaration | RunDeclaration>;

type Jobs = typeof JOBS;
export type JobName = keyof Jobs;
/** The payload of each job. */
export type JobPayloads = { [Name in JobName]: Payloads[Jobs[Name]['payload']] };
export type ScheduledJob = {
  [Name in JobName]: Jobs[Name] extends RunDeclaration ? Name : never;
}[JobName];

export const JOB_NAMES = Object.keys(JOBS) as readonly JobName[];
/** The scheduled jobs, in the order in which they are shown. */
export const SCHEDULED_JOBS: readonly ScheduledJob[] = JOB_NAMES.filter(isScheduled);

/** The declaration of a scheduled job. */
export function runDeclaration(job: ScheduledJob): RunDeclaration {
  return JOBS[job];
}

/** The jobs that share one run at a time per tenant, including this one. */
export function groupOf(job: ScheduledJob): readonly ScheduledJob[] {
  const { group } = runDeclaration(job);
  return group === undefined
    ? [job]
    : SCHEDULED_JOBS.filter((other) => runDeclaration(other).group === group);
}

function isScheduled(job: JobName): job is ScheduledJob {
  return JOBS[job].payload === 'run';
}

/** The counts of a run; shown to people unchanged. */
export type RunCounts = Record<string, number>;
