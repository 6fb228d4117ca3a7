/** Bull's queues. Each has its own workers and concurrency. */
export const QUEUES = ['mail', 'checks', 'maintenance'] as const;
export type QueueName = (typeof QUEUES)[number];

/** A message that was admitted: deliveries that leave together. The lease token is the Bull job's id too. */
export interface DeliveryJob {
  tenant_id: string;
  /** The id of one of its deliveries; of its only one, where it leaves alone. */
  bundle_id: string;
  lease_token: string;
}

/** A run that is in the ledger. */
export interface RunJob {
  tenant_id: string;
  run_id: string;
  lease_token: string;
}

/**
 * Every job there is: its name (a written string: it is stored), the queue that carries it. Boot fails unless
 * each has exactly one handler.
 */
export const JOBS = {
  'send-mail': { queue: 'mail' },
  'check-notifications': { queue: 'checks' },
  'weekly-summary': { queue: 'checks' },
  'check-backups': { queue: 'checks' },
  'scan-backups': { queue: 'checks' },
  'update-statuses': { queue: 'maintenance' },
  cleanup: { queue: 'maintenance' },
} as const satisfies Record<string, { queue: QueueName }>;
export type JobName = keyof typeof JOBS;

/** What each job carries. */
export interface JobPayloads {
  'send-mail': DeliveryJob;
  'check-notifications': RunJob;
  'weekly-summary': RunJob;
  'check-backups': RunJob;
  'scan-backups': RunJob;
  'update-statuses': RunJob;
  cleanup: RunJob;
}

/** The jobs that a clock starts, and that the run ledger keeps. */
export const SCHEDULED_JOBS = [
  'check-notifications',
  'weekly-summary',
  'check-backups',
  'scan-backups',
  'update-statuses',
  'cleanup',
] as const;
export type ScheduledJob = (typeof SCHEDULED_JOBS)[number];

/** Jobs that do the same work: of one group, a tenant has one run at a time. Any other job is its own group. */
export const RUN_GROUPS: readonly (readonly ScheduledJob[])[] = [['check-backups', 'scan-backups']];

/** Jobs whose runs may take hours: of a worker's slots they never have all. */
export const LONG_JOBS: readonly ScheduledJob[] = ['check-backups', 'scan-backups'];

/** What a run did, in numbers; shown to people as they are. */
export type RunCounts = Record<string, number>;
