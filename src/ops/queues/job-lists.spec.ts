import { CHANNELS } from '../../contracts/channels.js';
import { SCHEDULED_JOBS } from '../../contracts/jobs.js';
import { DeliveryJobs } from '../../delivery/admin/delivery-jobs.js';
import { DeliveryQueues } from '../../delivery/admin/delivery-queues.js';
import { RunJobs, runListSql } from '../../runs/run-jobs.js';
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
          LATERAL (SELECT now() - i * interval '1 minute') a (at)`,
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
    const [row] = await scene.world.sql<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
      `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${runListSql('completed')}`,
      [SCHEDULED_JOBS, null, null, null, ...after, limit],
    );
    const scans = nodesOf(row!['QUERY PLAN'][0]!.Plan).filter((node) => node['Relation Name'] === 'job_runs');
    expect(scans.map((node) => node['Index Name'])).toEqual(['job_runs_by_state']);
    const [scan] = scans;
    const read = scan!['Actual Loops'] * (scan!['Actual Rows'] + (scan!['Rows Removed by Filter'] ?? 0));
    expect(read).toBeGreaterThanOrEqual(limit);
    expect(read).toBeLessThanOrEqual(SCHEDULED_JOBS.length * limit);
  }
});

function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}
