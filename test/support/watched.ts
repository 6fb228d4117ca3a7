import { randomUUID } from 'node:crypto';
import type { NotificationKind } from '../../src/contracts/kinds.js';
import type { RunCounts, ScheduledJob } from '../../src/contracts/jobs.js';
import { WatchedKinds } from '../../src/notifications/alerts/watched.js';
import { Database } from '../../src/platform/database/database.js';
import { JobHandlers } from '../../src/platform/queues/handlers.js';
import type { World } from './world.js';

/** A fact from its room's SQL. */
export interface Fact {
  source_id: string;
  dedupe_key: string;
  stage: number;
  severity: string;
  responsible_id: string | null;
  data: Record<string, unknown>;
}

/** The facts of one kind on this civil date, soonest due first, read with the application's role. */
export async function factsOf(
  world: World,
  tenantId: string,
  kind: NotificationKind,
  today: string,
  stages: number[],
): Promise<Fact[]> {
  const watched = world.app
    .get(WatchedKinds, { strict: false })
    .all()
    .find((one) => one.kind === kind)!;
  return world.app.get(Database).tenant(tenantId, (tx) =>
    tx.query<Fact>(
      `SELECT f.source_id, f.dedupe_key, f.stage, f.severity, f.responsible_id, ${watched.dataSql} AS data
         FROM (${watched.factsSql({ tenant_id: '$1::uuid', today: '$2::date', stages: '$3::int[]' })}) f
         ORDER BY ${watched.dataSql} ->> 'due_on', source_id`,
      [tenantId, today, stages],
    ),
  );
}

/** Runs a scheduled job for a tenant to its end, as the worker would. @returns its counts */
export async function runJob(
  world: World,
  tenantId: string,
  job: ScheduledJob,
  slot: string | null = null,
): Promise<RunCounts> {
  const lease_token = randomUUID();
  const [run] = await world.sql<{ id: string }>(
    `INSERT INTO job_runs (tenant_id, job, slot, due_at, lease_token, lease_until, created_at)
     VALUES ($1, $2, $3, now(), $4, now() + interval '1 minute', now()) RETURNING id`,
    [tenantId, job, slot, lease_token],
  );
  await world.app
    .get(JobHandlers, { strict: false })
    .run(job, { tenant_id: tenantId, run_id: run!.id, lease_token });
  const [done] = await world.sql<{ state: string; error: string | null; counts: RunCounts }>(
    `SELECT state, error, counts FROM job_runs WHERE id = $1`,
    [run!.id],
  );
  if (done?.state !== 'succeeded')
    throw new Error(`the run ended ${String(done?.state)}: ${String(done?.error)}`);
  return done.counts;
}
