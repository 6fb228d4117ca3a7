import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Cast, createCast } from '../../test/support/cast.js';
import { runJob } from '../../test/support/watched.js';
import { createWorld, type World } from '../../test/support/world.js';
import { backupFolders, TestAgent } from '../backups/agent.fixture.js';
import { FixedClock } from '../platform/clock/fixed-clock.js';
import { archiveStage, OldTenant } from './archives/archives.fixture.js';

const NOW = '2026-06-15T02:00:00Z';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let world: World;
let cast: Cast;

beforeAll(async () => {
  world = await createWorld({ clock: new FixedClock(NOW) });
  cast = await createCast(world);
});
afterAll(() => world.close());

/** An instant this many days ago, and the moment before it. */
const ago = (days: number) => new Date(Date.parse(NOW) - days * DAY_MS);
const before = (days: number) => new Date(ago(days).getTime() - 1);

interface EndedRun {
  job?: string;
  slot: string | null;
  state?: 'succeeded' | 'failed' | 'cancelled' | 'running';
  at: Date;
}

async function run({ job = 'scan-backups', slot, state = 'succeeded', at }: EndedRun): Promise<void> {
  await world.sql(
    `INSERT INTO job_runs (tenant_id, job, slot, state, due_at, created_at, finished_at, lease_until)
     VALUES ($1, $2, $3, $4::text, $5::timestamptz, $5, CASE WHEN $4 <> 'running' THEN $5 END, $5)`,
    [cast.tenant_id, job, slot, state, at],
  );
}

describe('the ledger of runs', () => {
  const left = async () =>
    (
      await world.sql<{ slot: string | null; state: string }>(
        `SELECT slot, state FROM job_runs WHERE tenant_id = $1 AND triggered_by IS NULL AND due_at < $2
         ORDER BY due_at, slot`,
        [cast.tenant_id, NOW],
      )
    ).map(({ slot, state }) => `${slot ?? '-'} ${state}`);

  it('keeps successful scheduled scans for 3 days, and all other runs for 90', async () => {
    await run({ slot: '2026-06-12T02:00Z', at: ago(3) });
    await run({ slot: '2026-06-12T01:45Z', at: before(3) });
    await run({ slot: '2026-06-12T01:30Z', at: before(3), state: 'failed' });
    await run({ slot: '2026-06-12T01:15Z', at: before(3), state: 'cancelled' });
    // A running one, however long ago it started.
    await run({ slot: '2026-06-12T01:00Z', at: before(3), state: 'running' });
    // A manual run, and one of fixed hours.
    await run({ slot: null, at: before(3) });
    await run({ job: 'check-backups', slot: '2026-06-11T09:00', at: before(3) });
    await run({ job: 'check-backups', slot: '2026-03-17T09:00', at: ago(90) });
    await run({ job: 'check-backups', slot: '2026-03-16T09:00', at: before(90) });
    await run({ slot: '2026-03-16T09:00Z', at: before(90), state: 'failed' });
    // More than one batch.
    await world.sql(
      `INSERT INTO job_runs (tenant_id, job, slot, state, due_at, created_at, finished_at)
       SELECT $1, 'scan-backups', n || 'Z', 'succeeded', $2, $2, $2 FROM generate_series(1, 1100) n`,
      [cast.tenant_id, before(4)],
    );
    const counts = await runJob(world, cast.tenant_id, 'cleanup');
    expect(counts.job_runs).toBe(1_103);
    expect(await left()).toEqual([
      '2026-03-17T09:00 succeeded',
      '2026-06-11T09:00 succeeded',
      '2026-06-12T01:00Z running',
      '2026-06-12T01:15Z cancelled',
      '2026-06-12T01:30Z failed',
      '- succeeded',
      '2026-06-12T02:00Z succeeded',
    ]);
  });
});

describe('reports of agents', () => {
  async function report(state: 'accepted' | 'rejected', at: Date, tenantId = cast.tenant_id): Promise<void> {
    const accepted = state === 'accepted';
    await world.sql(
      `INSERT INTO backup_reports (tenant_id, agent_id, source, content_sha256, state, reason,
                                   operation_timestamp_utc, content, received_at)
       VALUES ($1, 'agent', 'file', gen_random_uuid()::text, $2, $3, $4, $5, $6)`,
      [tenantId, state, accepted ? null : 'not JSON', accepted ? at : null, accepted ? {} : null, at],
    );
  }

  it('that were rejected are deleted after 90 days, and no others', async () => {
    await report('rejected', before(90));
    await report('rejected', ago(90));
    await report('accepted', before(90));
    await report('rejected', before(90), cast.other.tenant.id);
    expect(await runJob(world, cast.tenant_id, 'cleanup')).toMatchObject({ backup_reports: 1 });
    const left = await world.sql('SELECT tenant_id, state, received_at FROM backup_reports');
    expect(left).toHaveLength(3);
    expect(left).toEqual(
      expect.arrayContaining([
        { tenant_id: cast.tenant_id, state: 'rejected', received_at: ago(90) },
        { tenant_id: cast.tenant_id, state: 'accepted', received_at: before(90) },
        { tenant_id: cast.other.tenant.id, state: 'rejected', received_at: before(90) },
      ]),
    );
  });
});

describe('the backup inbox', () => {
  it('E9: deletes files that scans moved aside long ago, quarantined ones last, and nothing that agents staged', async () => {
    const folders = await backupFolders();
    const clock = new FixedClock(new Date());
    const its = await createWorld({ join: world, clock, env: folders.env });
    try {
      const agent = await new TestAgent(folders, cast.tenant.slug, 'srv-1').make();
      const other = await new TestAgent(folders, cast.other.tenant.slug, 'srv-1').make();
      for (const folder of ['archive', 'rejected', 'quarantine', 'log', 'database'] as const) {
        for (const one of [agent, other]) {
          await mkdir(one.path(folder), { recursive: true });
          await one.put(folder, 'file', 'x');
        }
      }
      clock.advance(91 * DAY_MS);
      expect(await runJob(its, cast.tenant_id, 'cleanup')).toMatchObject({
        archive_files: 1,
        rejected_files: 1,
        quarantine_files: 0,
      });
      clock.advance(275 * DAY_MS);
      expect(await runJob(its, cast.tenant_id, 'cleanup')).toMatchObject({ quarantine_files: 1 });
      expect([...agent.files('log'), ...agent.files('database')]).toEqual(['file', 'file']);
      expect(other.files('archive')).toEqual(['file']);
    } finally {
      await its.close();
      await folders.remove();
    }
  });
});

it('names both folders if neither the inbox nor the archive can be used', async () => {
  const stage = await archiveStage({}, world);
  const tenant = await OldTenant.create(stage);
  await tenant.notify();
  for (const folder of ['backups', 'archives']) await writeFile(join(stage.data_dir, folder), '');
  await expect(runJob(stage.world, tenant.id, 'cleanup')).rejects.toThrow(/backups.*archives/s);
  await stage.close();
});

it('E12: CLEANUP_ARCHIVE=false deletes without an archive, CLEANUP_ENABLED=false deletes nothing', async () => {
  const old = async (env: Record<string, string>) => {
    const stage = await archiveStage(env, world);
    const tenant = await OldTenant.create(stage);
    await tenant.notify();
    await runJob(stage.world, tenant.id, 'cleanup');
    const found = { rows: (await tenant.rows()).length, files: await tenant.files() };
    await stage.close();
    return found;
  };
  expect(await old({ CLEANUP_ARCHIVE: 'false' })).toEqual({ rows: 0, files: [] });
  expect(await old({ CLEANUP_ENABLED: 'false' })).toEqual({ rows: 4, files: [] });
});
