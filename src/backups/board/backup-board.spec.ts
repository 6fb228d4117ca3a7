import { addTenant, type Cast, createCast, type Person } from '../../../test/support/cast.js';
import { insertRow, type Row } from '../../../test/support/rows.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { addEntry, addJob as insertJob, type EntryFields, forgetBackups } from './records.fixture.js';

/** Monday 2 March 2026, 09:00 in Paris. */
const NOW = '2026-03-02T08:00:00.000Z';
const NOTHING = {
  unknown: 0,
  SUCCESS: 0,
  FAILED: 0,
  TRANSFER_INTEGRITY_FAILED: 0,
  HASH_MISMATCH: 0,
  MISSING: 0,
};

interface BoardRow {
  agent_id: string;
  database_name: string;
  results: { id: string; verdict: string | null }[];
}

describe('the board (B1, V3)', () => {
  const clock = new FixedClock(NOW);
  let world: World;
  let cast: Cast;

  beforeAll(async () => {
    world = await createWorld({ clock });
    cast = await createCast(world);
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    await forgetBackups(world);
  });

  const get = (query = '', who: Pick<Person, 'token'> = cast.teammate) =>
    world.http('GET', `/api/v1/backups/status${query}`, { token: who.token });
  const namesOf = async (query: string): Promise<string[]> =>
    ((await get(query)).body as { data: BoardRow[] }).data.map(({ database_name }) => database_name);
  const add = (fields: EntryFields) => addEntry(world, cast.tenant_id, fields);
  const addJob = (fields: Row = {}) => insertJob(world, cast.tenant_id, fields);
  const addAlert = (fields: Row) =>
    insertRow(world, 'alerts', {
      tenant_id: cast.tenant_id,
      kind: 'backup_alert',
      severity: 'critical',
      source_type: 'backup_job',
      first_seen_at: '2026-03-01T04:00:00Z',
      last_seen_at: '2026-03-02T04:00:00Z',
      ...fields,
    });

  it('shows a job’s status and its start, the last good backup and its age, the next expected time, and the results', async () => {
    const job = await addJob({
      neighborhood: 'Montmartre',
      status: 'MISSING',
      status_since: '2026-03-02T01:00:00Z',
      last_checked_at: '2026-03-02T03:00:00Z',
      last_success_at: '2026-02-28T01:00:00Z',
      last_failure_at: '2026-03-02T01:00:00Z',
    });
    const good = await add({ job_id: job, effective_at: '2026-02-28T01:00:00Z', verdict: 'SUCCESS' });
    const failed = await add({
      job_id: job,
      effective_at: '2026-03-01T01:00:00Z',
      verdict: 'FAILED',
      reason: 'agent_failed',
    });
    const missing = await add({
      job_id: job,
      effective_at: '2026-03-02T01:00:00Z',
      verdict: 'MISSING',
      reason: 'no_report',
      report_id: null,
      expected_on: '2026-03-02',
      expected_at: '2026-03-02T01:00:00Z',
    });
    const open = await addAlert({ source_id: job, dedupe_key: `backup:${job}:FAILED`, occurrences: 3 });
    const silenced = await addAlert({
      source_id: job,
      dedupe_key: `backup:${job}:MISSING`,
      state: 'resolved',
      resolved_at: '2026-03-02T05:00:00Z',
      first_seen_at: '2026-03-02T04:00:00Z',
    });
    await addAlert({
      source_id: job,
      dedupe_key: `backup:${job}:HASH_MISMATCH`,
      state: 'resolved',
      resolved_at: '2026-03-02T05:00:00Z',
      gone_at: '2026-03-02T05:00:00Z',
    });
    await addAlert({ source_id: job, kind: 'backup_damaged', dedupe_key: `backup-damaged:${good}` });

    const result = (fields: Record<string, unknown>) => ({
      reason: null,
      warnings: [],
      expected_at: null,
      ...fields,
    });
    const { status, body } = await get();
    expect([status, body]).toEqual([
      200,
      {
        data: [
          {
            job_id: job,
            expected: true,
            agent_id: 'paris-01',
            database_name: 'comptabilite',
            company_name: 'Boulangerie Martin',
            city: 'Paris',
            neighborhood: 'Montmartre',
            verdict: 'MISSING',
            warnings: [],
            since: '2026-03-02T01:00:00.000Z',
            waiting: false,
            last_success_at: '2026-02-28T01:00:00.000Z',
            last_success_age_seconds: 55 * 3_600,
            last_failure_at: '2026-03-02T01:00:00.000Z',
            last_checked_at: '2026-03-02T03:00:00.000Z',
            next_expected_at: '2026-03-03T01:00:00.000Z',
            incidents: [
              {
                id: open,
                verdict: 'FAILED',
                warning: null,
                state: 'open',
                occurrences: 3,
                first_seen_at: '2026-03-01T04:00:00.000Z',
              },
              {
                id: silenced,
                verdict: 'MISSING',
                warning: null,
                state: 'resolved',
                occurrences: 1,
                first_seen_at: '2026-03-02T04:00:00.000Z',
              },
            ],
            results: [
              result({
                id: missing,
                verdict: 'MISSING',
                reason: 'no_report',
                expected_at: '2026-03-02T01:00:00.000Z',
                effective_at: '2026-03-02T01:00:00.000Z',
                evaluated_at: '2026-03-02T01:05:00.000Z',
              }),
              result({
                id: failed,
                verdict: 'FAILED',
                reason: 'agent_failed',
                effective_at: '2026-03-01T01:00:00.000Z',
                evaluated_at: '2026-03-01T01:05:00.000Z',
              }),
              result({
                id: good,
                verdict: 'SUCCESS',
                effective_at: '2026-02-28T01:00:00.000Z',
                evaluated_at: '2026-02-28T01:05:00.000Z',
              }),
            ],
          },
        ],
        next_cursor: null,
        ignored_folders: [],
        counts: { ...NOTHING, MISSING: 1 },
      },
    ]);
  });

  it('shows a job without a report as unknown, with the next time in the tenant’s zone', async () => {
    await addJob({ expected_time: '09:00', days_of_week: [1] });
    expect((await get()).body).toMatchObject({
      data: [
        {
          verdict: 'unknown',
          since: null,
          waiting: false,
          last_success_at: null,
          last_success_age_seconds: null,
          // It is exactly 09:00.
          next_expected_at: '2026-03-09T08:00:00.000Z',
          incidents: [],
          results: [],
        },
      ],
      counts: { ...NOTHING, unknown: 1 },
    });
  });

  it('shows that a file is awaited, and keeps the previous status', async () => {
    const job = await addJob({ status: 'SUCCESS' });
    await add({ job_id: job, effective_at: '2026-03-01T01:00:00Z', verdict: 'SUCCESS' });
    const waiting = await add({ job_id: job, effective_at: '2026-03-02T01:00:00Z', verdict: null });
    await addJob({ database_name: 'paie' });
    const { data } = (await get()).body as { data: BoardRow[] };
    expect(data).toMatchObject([
      {
        verdict: 'SUCCESS',
        waiting: true,
        results: [{ id: waiting, verdict: null }, { verdict: 'SUCCESS' }],
      },
      { database_name: 'paie', waiting: false },
    ]);
  });

  it('shows the last 30 results only', async () => {
    const job = await addJob();
    const ids: string[] = [];
    for (let day = 1; day <= 31; day += 1) {
      const effective_at = `2026-01-${String(day).padStart(2, '0')}T01:00:00Z`;
      ids.unshift(await add({ job_id: job, effective_at, verdict: 'SUCCESS' }));
    }
    const { data } = (await get()).body as { data: BoardRow[] };
    expect(data[0]!.results.map(({ id }) => id)).toEqual(ids.slice(0, 30));
  });

  it('shows unexpected databases for 30 days after the last report', async () => {
    await add({ effective_at: '2026-02-27T01:00:00Z', verdict: 'SUCCESS', city: 'Lyon' });
    await add({ effective_at: '2026-02-28T01:00:00Z', verdict: 'FAILED' });
    await add({ effective_at: '2026-03-01T01:00:00Z', verdict: 'FAILED', company_name: 'Martin & Fils' });
    await add({ effective_at: '2026-03-01T01:00:00Z', verdict: null, database_name: 'paie' });
    await add({ effective_at: '2026-01-31T07:59:59Z', verdict: 'SUCCESS', database_name: 'old' });
    // A deleted job's entry that no report names.
    await add({
      effective_at: '2026-03-01T01:00:00Z',
      verdict: 'MISSING',
      database_name: 'gone',
      report_id: null,
      expected_on: '2026-03-01',
      expected_at: '2026-03-01T01:00:00Z',
    });
    expect((await get()).body).toMatchObject({
      data: [
        {
          job_id: null,
          expected: false,
          database_name: 'comptabilite',
          company_name: 'Martin & Fils',
          city: 'Paris',
          verdict: 'FAILED',
          since: '2026-02-28T01:00:00.000Z',
          last_success_at: '2026-02-27T01:00:00.000Z',
          last_failure_at: '2026-03-01T01:00:00.000Z',
          last_checked_at: '2026-03-01T01:05:00.000Z',
          next_expected_at: null,
          incidents: [],
          results: [{ verdict: 'FAILED' }, { verdict: 'FAILED' }, { verdict: 'SUCCESS' }],
        },
        {
          database_name: 'paie',
          expected: false,
          verdict: 'unknown',
          waiting: true,
          results: [{ verdict: null }],
        },
      ],
      counts: { ...NOTHING, FAILED: 1, unknown: 1 },
    });
  });

  it('is sorted by agent and database, paginated and filtered', async () => {
    await addJob({ agent_id: 'b', database_name: 'b1', status: 'FAILED' });
    await addJob({ agent_id: 'a', database_name: 'a2', city: 'Lyon', status: 'SUCCESS' });
    await addJob({ agent_id: 'a', database_name: 'a1', status: 'SUCCESS' });
    await add({
      agent_id: 'a',
      database_name: 'a3',
      effective_at: '2026-03-01T01:00:00Z',
      verdict: 'SUCCESS',
    });
    expect(await namesOf('')).toEqual(['a1', 'a2', 'a3', 'b1']);
    const first = (await get('?limit=3')).body as { next_cursor: string; counts: object };
    expect(await namesOf('?limit=3')).toEqual(['a1', 'a2', 'a3']);
    const second = (await get(`?limit=3&cursor=${first.next_cursor}`)).body as object;
    expect(second).toMatchObject({
      data: [{ database_name: 'b1' }],
      next_cursor: null,
      ignored_folders: [],
      counts: { ...NOTHING, SUCCESS: 3, FAILED: 1 },
    });
    expect(await namesOf('?agent_id=a')).toEqual(['a1', 'a2', 'a3']);
    expect(await namesOf('?city=lyon')).toEqual(['a2']);
    expect(await namesOf('?q=B1')).toEqual(['b1']);
    expect(await namesOf('?database_name=b1')).toEqual(['b1']);
    const [row] = await world.sql(`SELECT id FROM backup_jobs WHERE database_name = 'b1'`);
    expect(await namesOf(`?job_id=${row!.id}`)).toEqual(['b1']);
    expect(await namesOf(`?job_id=${row!.id}&database_name=a2`)).toEqual([]);
    expect(await namesOf('?status=SUCCESS&q=martin')).toEqual(['a1', 'a2', 'a3']);
    // An empty page still has the counts of all verdicts, so that people can change the filter.
    expect((await get('?status=MISSING&agent_id=a')).body).toEqual({
      data: [],
      next_cursor: null,
      ignored_folders: [],
      counts: { ...NOTHING, SUCCESS: 3 },
    });
    for (const bad of ['status=ok', 'agent_id=..', 'cursor=x', 'limit=0', 'job_id=x']) {
      expect([bad, (await get(`?${bad}`)).status]).toEqual([bad, 400]);
    }
  });

  it('only shows the tenant’s own backups', async () => {
    const job = await addJob({ status: 'FAILED' });
    await addAlert({ source_id: job, dedupe_key: `backup:${job}:FAILED` });
    await add({ job_id: job, effective_at: '2026-03-01T01:00:00Z', verdict: 'FAILED' });
    expect((await get('', cast.outsider)).body).toEqual({
      data: [],
      next_cursor: null,
      counts: NOTHING,
      ignored_folders: [],
    });
  });

  it('reads 500 jobs with 60 results each within half a second', async () => {
    const { id } = await addTenant(world);
    await world.sql(
      `INSERT INTO backup_jobs (tenant_id, agent_id, database_name, company_name, city, expected_time, days_of_week,
                                grace_minutes, expected_after, created_at, updated_at)
       SELECT t, 'agent-' || n % 50, 'base-' || n, 'Martin', 'Paris', '02:00', '{1,2,3,4,5,6,7}', 120, now(), now(), now()
       FROM unnest(ARRAY[$1, $2]::uuid[]) t, generate_series(1, 500) n`,
      [cast.tenant_id, id],
    );
    await world.sql(
      `INSERT INTO backup_entries (tenant_id, job_id, agent_id, database_name, company_name, city, expected_on,
                                   expected_at, effective_at, wait_until, verdict, evaluated_at, settled_at, created_at)
       SELECT j.tenant_id, j.id, j.agent_id, j.database_name, 'Martin', 'Paris', day, day, day, $1, 'MISSING', $1, $1, $1
       FROM backup_jobs j, generate_series($1::timestamptz - interval '59 days', $1, interval '1 day') day`,
      [NOW],
    );
    await world.sql('ANALYZE backup_jobs, backup_entries');
    // Take the fastest of several runs: other load on the machine does not count.
    let quickest = Infinity;
    for (let round = 0; round < 5; round += 1) {
      const began = performance.now();
      const { body } = await get('?limit=200');
      quickest = Math.min(quickest, performance.now() - began);
      const { data, counts } = body as { data: BoardRow[]; counts: { unknown: number } };
      expect([data.length, data[0]!.results.length, counts.unknown]).toEqual([200, 30, 500]);
    }
    expect(quickest).toBeLessThan(500);
  });
});
