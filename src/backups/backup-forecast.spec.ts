import { randomUUID } from 'node:crypto';
import { addPerson, addTenant, type Cast, createCast } from '../../test/support/cast.js';
import { createWorld, type World } from '../../test/support/world.js';
import type { BackupVerdict } from '../contracts/backups.js';
import { FixedClock } from '../platform/clock/fixed-clock.js';
import type { BackupForecastView, ForecastBackup } from './backup-forecast.dto.js';

/** V9: what would fire for this tenant on that date. A Wednesday, 10:00 in Paris. */
const NOW = '2026-03-04T09:00:00Z';
const EVERY_DAY = [1, 2, 3, 4, 5, 6, 7];

let world: World;
let cast: Cast;

beforeAll(async () => {
  world = await createWorld({ clock: new FixedClock(NOW) });
  cast = await createCast(world);
});
beforeEach(async () => {
  await world.sql('DELETE FROM backup_jobs');
  await world.sql('DELETE FROM backup_entries');
});
afterAll(() => world.close());

interface JobFields {
  tenant_id?: string;
  expected_time?: string;
  days_of_week?: number[];
  grace_minutes?: number;
  /** Decided up to here. */
  expected_after?: string;
}

async function job(database_name: string, fields: JobFields = {}): Promise<string> {
  const { tenant_id = cast.tenant_id, expected_time = '03:00', days_of_week = EVERY_DAY } = fields;
  const { grace_minutes = 60, expected_after = '2026-03-03T12:00:00Z' } = fields;
  const [row] = await world.sql<{ id: string }>(
    `INSERT INTO backup_jobs (tenant_id, agent_id, database_name, company_name, city, expected_time, days_of_week,
                              grace_minutes, expected_after, created_at, updated_at)
     VALUES ($1, 'srv-1', $2, 'Martin', 'Paris', $3, $4, $5, $6, $6, $6) RETURNING id`,
    [tenant_id, database_name, expected_time, days_of_week, grace_minutes, expected_after],
  );
  return row!.id;
}

interface EntryFields {
  expected_at?: string;
  effective_at?: string;
  wait_until?: string;
  reported?: boolean;
}

/** What came for a job on a date of Paris, and what it was worth; null: its file is still awaited. */
async function entry(jobId: string, on: string, verdict: BackupVerdict | null, fields: EntryFields = {}) {
  const { expected_at = `${on}T02:00:00Z`, reported = true } = fields;
  const { effective_at = expected_at, wait_until = `${on}T03:00:00Z` } = fields;
  const reportId = reported ? randomUUID() : null;
  if (reported) {
    await world.sql(
      `INSERT INTO backup_reports (tenant_id, id, agent_id, source, content_sha256, state, operation_timestamp_utc,
                                   content, received_at)
       VALUES ($1, $2::uuid, 'srv-1', 'file', $2::text, 'accepted', $3, '{}', $3)`,
      [cast.tenant_id, reportId, effective_at],
    );
  }
  await world.sql(
    `INSERT INTO backup_entries (tenant_id, job_id, report_id, agent_id, database_name, company_name, city,
                                 expected_on, expected_at, effective_at, wait_until, verdict, evaluated_at, created_at)
     SELECT tenant_id, id, $2, agent_id, database_name, company_name, city, $3, $4, $5, $6, $7::text,
            CASE WHEN $7 IS NOT NULL THEN $5::timestamptz END, $5
     FROM backup_jobs WHERE id = $1`,
    [jobId, reportId, on, expected_at, effective_at, wait_until, verdict],
  );
}

async function forecast(
  date: string,
  { name = 'check-backups', token = cast.admin.token } = {},
): Promise<BackupForecastView> {
  const path = `/api/v1/admin/scheduler/${name}/preview?date=${date}`;
  const { status, body } = await world.http('GET', path, { token });
  expect([status, body.date]).toEqual([200, date]);
  return body.backups as BackupForecastView;
}

type Told = [database: string, expected: Date, missing: Date, verdict: string | null, would: string | null];

async function told(date: string, token?: string): Promise<Told[]> {
  const { data } = await forecast(date, { token });
  return data.map((one: ForecastBackup) => [
    one.database_name,
    one.expected_at,
    one.missing_after,
    one.verdict,
    one.would_be,
  ]);
}

describe('V9: what is expected of a date', () => {
  it('today: what came with its verdict, and what would be missing, and from when on', async () => {
    await entry(await job('a-good'), '2026-03-04', 'SUCCESS');
    const twice = await job('b-twice');
    await entry(twice, '2026-03-04', 'SUCCESS', { effective_at: '2026-03-04T02:10:00Z' });
    await entry(twice, '2026-03-04', 'FAILED', { effective_at: '2026-03-04T02:20:00Z' });
    await entry(twice, '2026-03-04', 'HASH_MISMATCH', { effective_at: '2026-03-04T02:05:00Z' });
    const missing = await job('c-missing', { expected_after: '2026-03-04T02:00:00Z' });
    await entry(missing, '2026-03-04', 'MISSING', { reported: false });
    await job('d-not-yet', { expected_time: '22:30', grace_minutes: 120 });
    await job('e-not-yet-looked-at');
    await entry(await job('f-file-awaited'), '2026-03-04', null, { wait_until: '2026-03-04T09:30:00Z' });
    // Yesterday's says nothing of today.
    await entry(await job('g-yesterday'), '2026-03-03', 'FAILED');
    await job('h-saturdays', { days_of_week: [6] });
    await job('i-new', { expected_after: NOW });
    await job('j-elsewhere', { tenant_id: cast.other.tenant.id });

    const [at, grace] = ['2026-03-04T02:00:00.000Z', '2026-03-04T03:00:00.000Z'];
    expect(await told('2026-03-04')).toEqual([
      ['a-good', at, grace, 'SUCCESS', null],
      ['b-twice', at, grace, 'FAILED', null],
      ['c-missing', at, grace, 'MISSING', null],
      ['d-not-yet', '2026-03-04T21:30:00.000Z', '2026-03-04T23:30:00.000Z', null, 'MISSING'],
      ['e-not-yet-looked-at', at, grace, null, 'MISSING'],
      ['f-file-awaited', at, '2026-03-04T09:30:00.000Z', null, 'MISSING'],
      ['g-yesterday', at, grace, null, 'MISSING'],
    ]);
    expect((await told('2026-03-04', cast.outsider.token)).map(([name]) => name)).toEqual(['j-elsewhere']);
  });

  it('a past date: what came of it; nothing of what was not expected yet, and what nobody has looked at', async () => {
    const old = await job('a-old');
    await entry(old, '2026-03-02', 'TRANSFER_INTEGRITY_FAILED');
    // Its hour was another then.
    await entry(
      await job('b-moved', { expected_time: '05:00', days_of_week: [3] }),
      '2026-03-02',
      'SUCCESS',
      {
        expected_at: '2026-03-02T20:00:00Z',
      },
    );
    await job('c-later', { expected_after: '2026-03-02T02:00:00Z' });
    await job('d-undecided', { expected_after: '2026-03-02T01:59:59.999Z' });
    expect(await told('2026-03-02')).toEqual([
      ['a-old', '2026-03-02T02:00:00.000Z', '2026-03-02T03:00:00.000Z', 'TRANSFER_INTEGRITY_FAILED', null],
      ['b-moved', '2026-03-02T20:00:00.000Z', '2026-03-02T21:00:00.000Z', 'SUCCESS', null],
      ['d-undecided', '2026-03-02T02:00:00.000Z', '2026-03-02T03:00:00.000Z', null, 'MISSING'],
    ]);
  });

  it('a date to come: everything of that day of the week', async () => {
    await job('a-weekdays', { days_of_week: [1, 2, 3, 4, 5] });
    await job('b-saturdays', { days_of_week: [6], expected_time: '23:59', grace_minutes: 10_080 });
    expect(await told('2026-03-07')).toEqual([
      ['b-saturdays', '2026-03-07T22:59:00.000Z', '2026-03-14T22:59:00.000Z', null, 'MISSING'],
    ]);
    expect((await told('2027-01-01')).map(([name]) => name)).toEqual(['a-weekdays']);
    expect(await told('9999-12-31')).toHaveLength(1);
    expect(await told('0001-01-01')).toEqual([]);
  });

  it('days on which clocks change: the shifted instant in a gap, the first one in an overlap', async () => {
    await job('a', { expected_time: '02:30' });
    const instants = async (date: string) => (await told(date)).map(([, at, missing]) => [at, missing]);
    expect(await instants('2026-03-29')).toEqual([['2026-03-29T01:30:00.000Z', '2026-03-29T02:30:00.000Z']]);
    expect(await instants('2026-10-25')).toEqual([['2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.000Z']]);
  });

  it('a date that the tenant’s zone skips: nothing', async () => {
    const apia = await addTenant(world, { time_zone: 'Pacific/Apia' });
    const admin = await addPerson(world, apia.id, { name: 'Sina', role: 'admin' });
    await job('a', { tenant_id: apia.id, expected_after: '2011-01-01T00:00:00Z' });
    expect(await told('2011-12-30', admin.token)).toEqual([]);
    expect(await told('2011-12-31', admin.token)).toHaveLength(1);
  });
});

describe('V9: the forecast', () => {
  it('is the same of both jobs that look at backups, and in no other preview', async () => {
    await job('a');
    const ofCheck = await forecast('2026-03-04');
    expect(ofCheck).toMatchObject({ data: [{ agent_id: 'srv-1' }], truncated: false });
    expect(await forecast('2026-03-04', { name: 'scan-backups' })).toEqual(ofCheck);
    expect(await forecast('2026-03-04', { name: 'cleanup' })).toBeUndefined();
  });

  it('changes nothing', async () => {
    await job('a');
    const rows = () =>
      world.sql(`SELECT (SELECT jsonb_agg(j) FROM backup_jobs j) AS jobs,
                        (SELECT count(*) FROM backup_entries) AS entries, (SELECT count(*) FROM job_runs) AS runs`);
    const before = await rows();
    await forecast('2026-03-04');
    expect(await rows()).toEqual(before);
  });

  it('has a thousand backups at most, and says when there are more', async () => {
    await job('0');
    await world.sql(
      `INSERT INTO backup_jobs (tenant_id, agent_id, database_name, company_name, city, expected_time, days_of_week,
                                grace_minutes, expected_after, created_at, updated_at)
       SELECT tenant_id, agent_id, n::text, company_name, city, expected_time, days_of_week, grace_minutes,
              expected_after, created_at, updated_at FROM backup_jobs, generate_series(1, 999) n`,
    );
    const exactly = await forecast('2026-03-04');
    expect([exactly.data.length, exactly.truncated]).toEqual([1_000, false]);
    await job('more');
    const more = await forecast('2026-03-04');
    expect([more.data.length, more.truncated]).toEqual([1_000, true]);
    expect(more.data).toEqual(exactly.data);
  });
});
