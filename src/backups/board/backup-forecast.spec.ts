import { addPerson, addTenant, type Cast, createCast } from '../../../test/support/cast.js';
import type { Row } from '../../../test/support/rows.js';
import { createWorld, type World } from '../../../test/support/world.js';
import type { BackupVerdict } from '../../contracts/backups.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import type { BackupForecastView, ForecastBackup } from './backup-forecast.dto.js';
import { addEntry, addJob, forgetBackups } from './records.fixture.js';

/** V9: what would fire for this tenant on that date. A Wednesday, 10:00 in Paris. */
const NOW = '2026-03-04T09:00:00Z';

let world: World;
let cast: Cast;

beforeAll(async () => {
  world = await createWorld({ clock: new FixedClock(NOW) });
  cast = await createCast(world);
});
beforeEach(async () => {
  await forgetBackups(world);
});
afterAll(() => world.close());

/** Expected at 03:00 with an hour of grace, and decided up to yesterday noon. */
const job = (database_name: string, fields: Row = {}): Promise<string> =>
  addJob(world, cast.tenant_id, {
    agent_id: 'srv-1',
    database_name,
    expected_time: '03:00',
    grace_minutes: 60,
    expected_after: '2026-03-03T12:00:00Z',
    ...fields,
  });

/** A job's result on a date of Paris; null: its file is still awaited. */
const entry = (job_id: string, on: string, verdict: BackupVerdict | null, fields: Row = {}) =>
  addEntry(world, cast.tenant_id, {
    job_id,
    verdict,
    expected_on: on,
    expected_at: `${on}T02:00:00Z`,
    effective_at: `${on}T02:00:00Z`,
    wait_until: `${on}T03:00:00Z`,
    ...fields,
  });

async function forecast(
  date: string,
  { name = 'check-backups', token = cast.admin.token } = {},
): Promise<BackupForecastView> {
  const path = `/api/v1/admin/scheduler/${name}/preview?date=${date}`;
  const { status, body } = await world.http('GET', path, { token });
  expect([status, body.date]).toEqual([200, date]);
  return body.backups as BackupForecastView;
}

type Forecast = [
  database: string,
  expected: Date,
  missing: Date,
  verdict: string | null,
  would: string | null,
];

async function backupsOn(date: string, token?: string): Promise<Forecast[]> {
  const { data } = await forecast(date, { token });
  return data.map((one: ForecastBackup) => [
    one.database_name,
    one.expected_at,
    one.missing_after,
    one.verdict,
    one.would_be,
  ]);
}

describe('V9: the backups expected on a date', () => {
  it('today: shows results with their verdicts, and the missing backups with the end of their grace period', async () => {
    await entry(await job('a-good'), '2026-03-04', 'SUCCESS');
    const twice = await job('b-twice');
    await entry(twice, '2026-03-04', 'SUCCESS', { effective_at: '2026-03-04T02:10:00Z' });
    await entry(twice, '2026-03-04', 'FAILED', { effective_at: '2026-03-04T02:20:00Z' });
    await entry(twice, '2026-03-04', 'HASH_MISMATCH', { effective_at: '2026-03-04T02:05:00Z' });
    const missing = await job('c-missing', { expected_after: '2026-03-04T02:00:00Z' });
    await entry(missing, '2026-03-04', 'MISSING', { report_id: null });
    await job('d-not-yet', { expected_time: '22:30', grace_minutes: 120 });
    await job('e-not-yet-looked-at');
    await entry(await job('f-file-awaited'), '2026-03-04', null, { wait_until: '2026-03-04T09:30:00Z' });
    // Yesterday's result does not count for today.
    await entry(await job('g-yesterday'), '2026-03-03', 'FAILED');
    await job('h-saturdays', { days_of_week: [6] });
    await job('i-new', { expected_after: NOW });
    await job('j-elsewhere', { tenant_id: cast.other.tenant.id });

    const [at, grace] = ['2026-03-04T02:00:00.000Z', '2026-03-04T03:00:00.000Z'];
    expect(await backupsOn('2026-03-04')).toEqual([
      ['a-good', at, grace, 'SUCCESS', null],
      ['b-twice', at, grace, 'FAILED', null],
      ['c-missing', at, grace, 'MISSING', null],
      ['d-not-yet', '2026-03-04T21:30:00.000Z', '2026-03-04T23:30:00.000Z', null, 'MISSING'],
      ['e-not-yet-looked-at', at, grace, null, 'MISSING'],
      ['f-file-awaited', at, '2026-03-04T09:30:00.000Z', null, 'MISSING'],
      ['g-yesterday', at, grace, null, 'MISSING'],
    ]);
    expect((await backupsOn('2026-03-04', cast.outsider.token)).map(([name]) => name)).toEqual([
      'j-elsewhere',
    ]);
  });

  it('a past date: shows its results, and no backup that was not expected or not evaluated', async () => {
    const old = await job('a-old');
    await entry(old, '2026-03-02', 'TRANSFER_INTEGRITY_FAILED');
    // Its hour was different then.
    await entry(
      await job('b-moved', { expected_time: '05:00', days_of_week: [3] }),
      '2026-03-02',
      'SUCCESS',
      {
        expected_at: '2026-03-02T20:00:00Z',
        effective_at: '2026-03-02T20:00:00Z',
      },
    );
    await job('c-later', { expected_after: '2026-03-02T02:00:00Z' });
    await job('d-undecided', { expected_after: '2026-03-02T01:59:59.999Z' });
    expect(await backupsOn('2026-03-02')).toEqual([
      ['a-old', '2026-03-02T02:00:00.000Z', '2026-03-02T03:00:00.000Z', 'TRANSFER_INTEGRITY_FAILED', null],
      ['b-moved', '2026-03-02T20:00:00.000Z', '2026-03-02T21:00:00.000Z', 'SUCCESS', null],
      ['d-undecided', '2026-03-02T02:00:00.000Z', '2026-03-02T03:00:00.000Z', null, 'MISSING'],
    ]);
  });

  it('a future date: shows every backup of that day of the week', async () => {
    await job('a-weekdays', { days_of_week: [1, 2, 3, 4, 5] });
    await job('b-saturdays', { days_of_week: [6], expected_time: '23:59', grace_minutes: 10_080 });
    expect(await backupsOn('2026-03-07')).toEqual([
      ['b-saturdays', '2026-03-07T22:59:00.000Z', '2026-03-14T22:59:00.000Z', null, 'MISSING'],
    ]);
    expect((await backupsOn('2027-01-01')).map(([name]) => name)).toEqual(['a-weekdays']);
    expect(await backupsOn('2199-12-31')).toHaveLength(1);
    expect(await backupsOn('1900-01-01')).toEqual([]);
  });

  it('days on which clocks change: shows the shifted instant in a gap, the first one in an overlap', async () => {
    await job('a', { expected_time: '02:30' });
    const instants = async (date: string) => (await backupsOn(date)).map(([, at, missing]) => [at, missing]);
    expect(await instants('2026-03-29')).toEqual([['2026-03-29T01:30:00.000Z', '2026-03-29T02:30:00.000Z']]);
    expect(await instants('2026-10-25')).toEqual([['2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.000Z']]);
  });

  it('a date that the tenant’s zone skips: shows nothing', async () => {
    const apia = await addTenant(world, { time_zone: 'Pacific/Apia' });
    const admin = await addPerson(world, apia.id, { name: 'Sina', role: 'admin' });
    await job('a', { tenant_id: apia.id, expected_after: '2011-01-01T00:00:00Z' });
    expect(await backupsOn('2011-12-30', admin.token)).toEqual([]);
    expect(await backupsOn('2011-12-31', admin.token)).toHaveLength(1);
  });
});

describe('V9: the forecast', () => {
  it('is the same for both backup jobs, and in no other preview', async () => {
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

  it('lists at most a thousand backups, and says when there are more', async () => {
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
