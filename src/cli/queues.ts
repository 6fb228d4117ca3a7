import type { INestApplicationContext } from '@nestjs/common';
import { QUEUES, type QueueName } from '../contracts/jobs.js';
import { QueueAdmin } from '../ops/queues/queue-admin.service.js';
import type { QueueView } from '../ops/queues/queues.dto.js';
import { UsageError } from './exit-codes.js';
import { type Environment, tenantOf, withInstallation } from './installation.js';

/** The actor in the log. */
const BY = 'cli';

export interface QueueOptions {
  tenant?: string;
  /** Purging cannot be undone: it must be confirmed. */
  yes?: boolean;
  days?: string;
  json?: boolean;
}

export type QueueAct = 'pause' | 'resume' | 'purge' | 'retry';

/** `vigie queues`: the text to print. */
export async function showQueues(environment: Environment, { json }: QueueOptions): Promise<string> {
  const queues = await withInstallation(environment, (app) => admin(app).list());
  return json === true ? JSON.stringify(queues, null, 2) : tableOf(queues);
}

/**
 * `vigie queues pause|resume|purge|retry <name>`: the answer to print.
 * @throws Error in plain words if it cannot be done.
 */
export async function actOnQueue(
  environment: Environment,
  act: QueueAct,
  name: string,
  options: QueueOptions,
): Promise<string> {
  const queue = QUEUES.find((each) => each === name);
  if (queue === undefined)
    throw new UsageError(`there is no queue ${name}; the queues are ${QUEUES.join(', ')}`);
  if (act === 'purge' && options.yes !== true) {
    throw new UsageError(
      `this cancels all waiting jobs in ${queue} and cannot be undone: confirm with --yes`,
    );
  }
  const days = Number(options.days ?? 1);
  if (!Number.isInteger(days) || days < 1 || days > 30)
    throw new UsageError('--days must be a number from 1 to 30');
  return withInstallation(environment, async (app) => {
    const tenant_id = await tenantId(app, options.tenant);
    return JSON.stringify(await ACTS[act](admin(app), queue, { tenant_id, days }), null, 2);
  });
}

type Act = (
  admin: QueueAdmin,
  queue: QueueName,
  options: { tenant_id: string | null; days: number },
) => Promise<object>;

const ACTS: Record<QueueAct, Act> = {
  pause: (queues, queue) => queues.pause(queue, BY),
  resume: (queues, queue) => queues.resume(queue, BY),
  purge: (queues, queue, { tenant_id }) => queues.purge(queue, tenant_id, BY),
  retry: (queues, queue, options) => queues.retry(queue, options, BY),
};

function admin(app: INestApplicationContext): QueueAdmin {
  return app.get(QueueAdmin, { strict: false });
}

async function tenantId(app: INestApplicationContext, slug: string | undefined): Promise<string | null> {
  return slug === undefined ? null : (await tenantOf(app, slug)).id;
}

const HEAD = [
  'queue',
  'state',
  'waiting',
  'delayed',
  'active',
  'done 24 h',
  'failed 24 h',
  'oldest',
  'in Bull',
];

function tableOf(queues: readonly QueueView[]): string {
  const rows = [HEAD, ...queues.map(rowOf)];
  const widths = HEAD.map((_head, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  const faults = new Set(queues.flatMap(({ bull_error }) => (bull_error === null ? [] : [bull_error])));
  return [...lines, ...[...faults].map((fault) => `Redis: ${fault}`)].join('\n');
}

function rowOf({ queue, paused, postgres, bull }: QueueView): string[] {
  const [waiting, delayed, active, done, oldest] =
    'due' in postgres
      ? [
          postgres.due + postgres.queued,
          postgres.deferred,
          postgres.sending,
          postgres.sent_24h,
          postgres.oldest_due_seconds,
        ]
      : [postgres.queued, null, postgres.running, postgres.succeeded_24h, postgres.oldest_queued_seconds];
  return [
    queue,
    paused ? 'paused' : 'open',
    ...[waiting, delayed, active, done, postgres.failed_24h].map((count) =>
      count === null ? '-' : String(count),
    ),
    oldest === null ? '-' : `${oldest} s`,
    bull === null ? '?' : String(bull.active + bull.waiting + bull.delayed),
  ];
}
