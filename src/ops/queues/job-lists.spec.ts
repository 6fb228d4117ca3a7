import { CHANNELS } from '../../contracts/channels.js';
import { JOBS, SCHEDULED_JOBS } from '../../contracts/jobs.js';
import { DeliveryJobs } from '../../delivery/admin/delivery-jobs.js';
import { DeliveryQueues } from '../../delivery/admin/delivery-queues.js';
import type { JobState } from '../../platform/queues/job-view.js';
import { RunJobs, runListSql } from '../../runs/run-jobs.js';
import { RunQueues } from '../../runs/run-queues.js';
import { QueueScene } from './queues.fixture.js';

/** C10: the operators' lists of jobs stay cheap with any amount of ended work. */
let scene: QueueScene;
beforeAll(async () => {
  scene = await QueueScene.create();
});
afterAll(() => scene.world.close());
beforeEach(() => scene.clear());

const ALL = { tenant_id: null, since: null, until: null, cause: null, reason: null };

/** Inserts ended runs of each job, one a minute; every tenth failed. */
const endedRuns = (each: number, error: string | null = null) =>
  scene.world.sql(
    `INSERT INTO job_runs (tenant_id, job, state, due_at, created_at, finished_at, error)
     SELECT $1, j, CASE WHEN i % 10 = 0 THEN 'failed' ELSE 'succeeded' END, a.at, a.at, a.at,
            CASE WHEN i % 10 = 0 THEN $4 END
     FROM unnest($2::text[]) j, generate_series(1, $3::integer) i,
          LATERAL (SELECT now() - i * interval '1 minute') a (at)
     ORDER BY i DESC`,
    [scene.cast.tenant_id, SCHEDULED_JOBS, each, error],
  );

test('counting stops at a limit over all channels, tenants and jobs', async () => {
  await scene.backlog(3);
  await scene.backlog(3);
  const jobs = scene.world.app.get(DeliveryJobs, { strict: false });
  const queues = scene.world.app.get(DeliveryQueues, { strict: false });
  await scene.world.sql(`UPDATE deliveries SET state = 'sent', sent_at = now(), ended_at = now()`);
  expect(await jobs.count(CHANNELS, { ...ALL, state: 'completed' })).toBe(6);
  expect(await jobs.count(CHANNELS, { ...ALL, state: 'completed' }, 4)).toBe(4);
  expect((await queues.counts('mail')).postgres).toMatchObject({ sent_24h: 6, failed_24h: 0 });
  expect((await queues.counts('mail', 4)).postgres).toMatchObject({ sent_24h: 4 });

  await scene.world.sql(`UPDATE deliveries SET state = 'failed', sent_at = NULL`);
  expect((await queues.counts('mail', 4)).postgres).toMatchObject({ sent_24h: 0, failed_24h: 4 });
  await scene.world.sql(
    `UPDATE deliveries SET channel = 'sms' WHERE id IN (SELECT id FROM deliveries ORDER BY id LIMIT 3)`,
  );
  expect(await jobs.count(CHANNELS, { ...ALL, state: 'failed' })).toBe(6);
  expect(await jobs.count(CHANNELS, { ...ALL, state: 'failed' }, 4)).toBe(4);

  await endedRuns(10);
  const runs = scene.world.app.get(RunJobs, { strict: false });
  expect(await runs.count(SCHEDULED_JOBS, { ...ALL, state: 'failed' })).toBe(SCHEDULED_JOBS.length);
  expect(await runs.count(SCHEDULED_JOBS, { ...ALL, state: 'failed' }, 4)).toBe(4);
});

test('the counts of a queue of runs stop at a limit, too', async () => {
  await endedRuns(30);
  await scene.world.sql(
    `INSERT INTO job_runs (tenant_id, job, state, due_at, created_at)
     SELECT $1, 'cleanup', s, a.at, a.at
     FROM unnest(ARRAY['queued', 'running']) s, generate_series(1, 3) i,
          LATERAL (SELECT now() - i * interval '1 hour') a (at)`,
    [scene.cast.tenant_id],
  );
  const queues = scene.world.app.get(RunQueues, { strict: false });
  const { queue } = JOBS.cleanup;
  const jobs = SCHEDULED_JOBS.filter((job) => JOBS[job].queue === queue).length;
  const { postgres } = await queues.counts(queue);
  expect(postgres).toMatchObject({ queued: 3, running: 3, succeeded_24h: 27 * jobs, failed_24h: 3 * jobs });
  expect(postgres.oldest_queued_seconds).toBeGreaterThanOrEqual(3 * 3_600 - 1);
  expect((await queues.counts(queue, 2)).postgres).toMatchObject({
    queued: 2,
    running: 2,
    succeeded_24h: 2,
    failed_24h: 2,
  });
});

test.each([
  ['/mail/jobs?state=completed&cause=x', '/cause'],
  ['/mail/jobs?state=waiting&cause=', '/cause'],
  ['/jobs?state=unknown&reason=expired', '/reason'],
  ['/mail/jobs?state=completed&reason=expired', '/reason'],
  ['/mail/jobs?state=active&reason=expired', '/reason'],
  ['/jobs?of=runs&state=failed&cause=x', '/cause'],
])('%s is refused, because no such work has one', async (path, pointer) => {
  const { status, body } = await scene.ask('GET', path);
  expect([status, body.errors[0].pointer]).toEqual([400, pointer]);
});

test('pending and waiting deliveries are filtered by reason', async () => {
  await scene.backlog(2);
  await scene.world.sql(`UPDATE deliveries SET defer_reason = 'quiet_hours'`);
  for (const state of ['pending', 'waiting']) {
    const { body } = await scene.ask('GET', `/mail/jobs?state=${state}&reason=quiet_hours`);
    expect(body.data).toHaveLength(2);
  }
});

test('ended runs are listed newest first, in pages, with causes that name nobody', async () => {
  await endedRuns(20, 'the mail to claire@cabinet.example of 4b12e9fd7712 failed');
  const seen: { id: string; ended_at: string; cause: string }[] = [];
  let text = '';
  for (let cursor: string | null = ''; cursor !== null;) {
    const after: string = cursor === '' ? '' : `&cursor=${cursor}`;
    const page = await scene.ask('GET', `/jobs?of=runs&state=failed&limit=10${after}`);
    seen.push(...(page.body.data as typeof seen));
    text += page.text;
    cursor = page.body.next_cursor as string | null;
  }
  expect(new Set(seen.map(({ id }) => id)).size).toBe(2 * SCHEDULED_JOBS.length);
  expect(seen).toHaveLength(2 * SCHEDULED_JOBS.length);
  const ends = seen.map(({ ended_at }) => ended_at);
  expect(ends).toEqual(ends.toSorted().reverse());
  expect(new Set(seen.map(({ cause }) => cause))).toEqual(new Set(['the mail to … of … failed']));
  expect(text).not.toContain('claire');
});

interface PlanNode {
  'Relation Name'?: string;
  'Index Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  Plans?: PlanNode[];
}

test('a page of ended runs reads at most a page of each job, by an index', async () => {
  await endedRuns(1_000);
  await scene.world.sql('ANALYZE job_runs');
  const limit = 20;
  const [middle] = await scene.world.sql<{ at: Date; id: string }>(
    `SELECT finished_at AS at, id FROM job_runs WHERE state = 'succeeded'
     ORDER BY finished_at, id OFFSET 5000 LIMIT 1`,
  );
  for (const after of [
    [null, null],
    [middle!.at, middle!.id],
  ]) {
    const scan = await scanOf('completed', [null, ...after, limit]);
    expect(scan.index).toBe('job_runs_by_state');
    expect(scan.read).toBeGreaterThanOrEqual(limit);
    expect(scan.read).toBeLessThanOrEqual(SCHEDULED_JOBS.length * limit);
  }
});

test('a page of the ended runs of one tenant reads only its own', async () => {
  await endedRuns(1_000);
  const { tenant, outsider } = scene.cast.other;
  const { tenant_id } = outsider;
  // The newest of each job are another tenant's.
  await scene.world.sql(
    `UPDATE job_runs SET tenant_id = $1 WHERE finished_at < now() - interval '800 minutes'`,
    [tenant_id],
  );
  await scene.world.sql('ANALYZE job_runs');
  const [own] = await scene.world.sql<{ count: number }>(
    `SELECT count(*)::int AS count FROM job_runs WHERE tenant_id = $1`,
    [tenant_id],
  );
  const scan = await scanOf('completed', [tenant_id, null, null, 20]);
  expect(scan.index).not.toBe('job_runs_by_state');
  expect(scan.read).toBeGreaterThanOrEqual(20);
  expect(scan.read).toBeLessThanOrEqual(own!.count);
  const { body } = await scene.ask('GET', `/jobs?of=runs&state=completed&tenant=${tenant.slug}`);
  expect(new Set((body.data as { tenant_id: string }[]).map((run) => run.tenant_id))).toEqual(
    new Set([tenant_id]),
  );
});

/** The one scan of the ledger for a page, and how many rows it has read. @param values from the tenant on */
async function scanOf(
  state: JobState,
  [tenantId, ...rest]: readonly [string | null, ...unknown[]],
): Promise<{ index: string | undefined; read: number }> {
  const [row] = await scene.world.sql<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
    `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${runListSql({ state, tenant_id: tenantId })}`,
    [SCHEDULED_JOBS, tenantId, null, null, ...rest],
  );
  const scans = nodesOf(row!['QUERY PLAN'][0]!.Plan).filter((node) => node['Relation Name'] === 'job_runs');
  expect(scans).toHaveLength(1);
  const scan = scans[0]!;
  return {
    index: scan['Index Name'],
    read: Math.round(scan['Actual Loops'] * (scan['Actual Rows'] + (scan['Rows Removed by Filter'] ?? 0))),
  };
}

function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}
