import { type Cast, createCast } from '../../../test/support/cast.js';
import { until } from '../../../test/support/until.js';
import { createWorld, type World } from '../../../test/support/world.js';
import type { BackupVerdict } from '../../contracts/backups.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { Database } from '../../platform/database/database.js';
import { BackupJobs } from './backup-jobs.service.js';
import { addEntry, forgetBackups, JOB } from '../board/records.fixture.js';

/** Monday 2 March 2026, 09:00 in Paris. */
const NOW = '2026-03-02T08:00:00.000Z';

describe('a new backup job (B1)', () => {
  let world: World;
  let cast: Cast;

  beforeAll(async () => {
    world = await createWorld({ clock: new FixedClock(NOW) });
    cast = await createCast(world);
  });
  afterAll(() => world.close());
  beforeEach(() => forgetBackups(world));

  const create = (body: object) =>
    world.http('POST', '/api/v1/backups/jobs', { token: cast.admin.token, body });

  it('takes over earlier entries, and announces none of them', async () => {
    const { tenant_id } = cast;
    const mine: string[] = [];
    for (const [effective_at, verdict] of [
      ['2026-02-25T01:00:00Z', 'FAILED'],
      ['2026-02-26T01:00:00Z', 'SUCCESS'],
      ['2026-02-27T01:00:00Z', 'HASH_MISMATCH'],
      ['2026-02-28T01:00:00Z', 'HASH_MISMATCH'],
      ['2026-03-01T01:00:00Z', null],
    ] as const) {
      mine.push(await addEntry(world, tenant_id, { effective_at, verdict }));
    }
    const others = [
      await addEntry(world, tenant_id, { effective_at: NOW, verdict: 'SUCCESS', database_name: 'paie' }),
      await addEntry(world, tenant_id, { effective_at: NOW, verdict: 'SUCCESS', agent_id: 'paris-02' }),
      await addEntry(world, cast.other.tenant.id, { effective_at: NOW, verdict: 'SUCCESS' }),
    ];
    const { body } = await create(JOB);
    expect(body).toMatchObject({
      status: 'HASH_MISMATCH',
      status_since: '2026-02-27T01:00:00.000Z',
      last_checked_at: '2026-02-28T01:05:00.000Z',
      last_success_at: '2026-02-26T01:00:00.000Z',
      last_failure_at: '2026-02-28T01:00:00.000Z',
      updated_at: NOW,
    });
    const entries = await world.sql<{ id: string; job_id: string | null; announced_at: Date | null }>(
      `SELECT id, job_id, announced_at FROM backup_entries ORDER BY id`,
    );
    const { id } = body as { id: string };
    const now = new Date(NOW);
    expect(entries).toEqual([
      ...mine.slice(0, 4).map((entry) => ({ id: entry, job_id: id, announced_at: now })),
      // An entry that waits for its file is announced when it is evaluated.
      { id: mine[4], job_id: id, announced_at: null },
      ...others.map((entry) => ({ id: entry, job_id: null, announced_at: null })),
    ]);
  });

  it('takes over reports that arrive while it is created (B5)', async () => {
    const { tenant_id } = cast;
    let reporting: Promise<{ status: number }> | undefined;
    await world.app.get(Database).tenant(tenant_id, async (tx) => {
      await world.app.get(BackupJobs, { strict: false }).create(tx, JOB);
      reporting = world.http('POST', '/api/v1/backups/reports', {
        token: cast.admin.token,
        body: {
          operation_timestamp_utc: '2026-03-02T07:00:00Z',
          agent_id: JOB.agent_id,
          company_name: JOB.company_name,
          city: JOB.city,
          databases: { [JOB.database_name]: { status: 'failed', error_msg: 'disk full' } },
        },
      });
      // Without the lock, neither the report nor the job would see the other.
      await until('the report to wait for the job', async () => {
        const waiting = await world.sql(
          `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
        );
        return waiting.length > 0;
      });
    });
    expect((await reporting)?.status).toBe(201);
    expect(
      await world.sql(`SELECT e.job_id = j.id AS its_own FROM backup_entries e CROSS JOIN backup_jobs j`),
    ).toEqual([{ its_own: true }]);
  });

  it('counts an early backup for its first expected time, and nothing for earlier times', async () => {
    const add = (effective_at: string, verdict: BackupVerdict | null) =>
      addEntry(world, cast.tenant_id, { effective_at, verdict });
    // Expected at 17:00 in Paris: the midpoint between yesterday's and today's was 05:00, and it is 09:00.
    await add('2026-03-01T10:00:00Z', 'SUCCESS');
    await add('2026-03-02T07:00:00Z', 'SUCCESS');
    await create({ ...JOB, expected_time: '17:00' });
    await addEntry(world, cast.tenant_id, {
      effective_at: '2026-03-01T14:00:00Z',
      verdict: null,
      database_name: 'weekly',
    });
    await create({ ...JOB, database_name: 'weekly', days_of_week: [4] });
    expect(
      await world.sql(
        `SELECT database_name, effective_at, expected_on, expected_at FROM backup_entries ORDER BY id`,
      ),
    ).toEqual([
      {
        database_name: 'comptabilite',
        effective_at: new Date('2026-03-01T10:00:00Z'),
        expected_on: null,
        expected_at: null,
      },
      {
        database_name: 'comptabilite',
        effective_at: new Date('2026-03-02T07:00:00Z'),
        expected_on: '2026-03-02',
        expected_at: new Date('2026-03-02T16:00:00Z'),
      },
      {
        database_name: 'weekly',
        effective_at: new Date('2026-03-01T14:00:00Z'),
        expected_on: '2026-03-05',
        expected_at: new Date('2026-03-05T01:00:00Z'),
      },
    ]);
  });
});
