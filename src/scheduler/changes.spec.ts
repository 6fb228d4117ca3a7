import { Logger } from '@nestjs/common';
import { addPerson, addTenant } from '../../test/support/cast.js';
import { until } from '../../test/support/until.js';
import { createWorld, type World } from '../../test/support/world.js';
import type { ScheduledJob } from '../contracts/jobs.js';
import { FixedClock } from '../platform/clock/fixed-clock.js';
import { Database } from '../platform/database/database.js';
import { SchedulerPoller } from './scheduler.poller.js';

/** Changes of hours and zones through the API, between polls of a real scheduler on the test's clock. */
const clock = new FixedClock('2026-03-02T00:00:00Z');
let world: World;
let poller: SchedulerPoller;
let tenant: string;
let admins = 0;

beforeAll(async () => {
  world = await createWorld({ clock, env: { SCHEDULER_ENABLED: 'true', ACCESS_TOKEN_MINUTES: '1440' } });
  poller = world.app.get(SchedulerPoller, { strict: false });
});
afterAll(() => world.close());

/** A tenant whose slots up to this instant have run. */
async function startAt(now: string, time_zone = 'Europe/Paris'): Promise<void> {
  clock.set(now);
  await world.sql('DELETE FROM tenants');
  const { id } = await addTenant(world, { time_zone, schedule_from: '2026-02-01T00:00:00Z' });
  tenant = id;
  await poller.poll();
}

/** The token of a new admin: earlier ones have expired. */
async function signIn(): Promise<string> {
  admins += 1;
  return (await addPerson(world, tenant, { name: `Admin${admins}`, role: 'admin' })).token;
}

async function pollAt(now: string): Promise<void> {
  clock.set(now);
  await poller.poll();
}

/** Saves settings at an instant, as an admin does, with these changes. */
async function saveAt(now: string, schedule: object, more: object = {}): Promise<void> {
  clock.set(now);
  const token = await signIn();
  const settings = (await world.http('GET', '/api/v1/tenant/settings', { token })).body;
  const body = { ...settings, ...more, schedule: { ...settings.schedule, ...schedule } };
  expect((await world.http('PUT', '/api/v1/tenant/settings', { token, body })).status).toBe(200);
}

/** The slots of a job in the ledger, in the order in which they were written. */
async function ran(job: ScheduledJob): Promise<string[]> {
  const rows = await world.sql<{ slot: string }>(
    `SELECT slot FROM job_runs WHERE tenant_id = $1 AND job = $2 ORDER BY created_at, id`,
    [tenant, job],
  );
  return rows.map(({ slot }) => slot);
}

async function status(
  job: ScheduledJob,
): Promise<{ last_run: { slot: string } | null; next: { slot: string } }> {
  const { body } = await world.http('GET', '/api/v1/admin/scheduler', { token: await signIn() });
  return (
    body as { jobs: { job: string; last_run: { slot: string } | null; next: { slot: string } }[] }
  ).jobs.find((one) => one.job === job)!;
}

describe('hours', () => {
  it('T1: 09:00 → 08:00 saved at 08:30: the check runs at the next poll, and not again at 09:00', async () => {
    await startAt('2026-03-03T13:00:00Z');
    expect(await ran('check-notifications')).toEqual(['2026-03-03T14:00']);
    await saveAt('2026-03-04T07:30:00Z', { check_notifications: ['08:00', '14:00'] });
    expect((await status('check-notifications')).next.slot).toBe('2026-03-04T08:00');
    await pollAt('2026-03-04T07:30:15Z');
    await pollAt('2026-03-04T08:00:00Z');
    await pollAt('2026-03-04T13:00:00Z');
    expect((await ran('check-notifications')).slice(1)).toEqual(['2026-03-04T08:00', '2026-03-04T14:00']);
  });

  it('T1: 09:00 → 10:00 saved at 09:30: a slot that ran does not run again', async () => {
    await startAt('2026-03-04T08:00:00Z');
    await saveAt('2026-03-04T08:30:00Z', { check_notifications: ['10:00', '14:00'], check_backups: '10:00' });
    expect((await status('check-notifications')).next.slot).toBe('2026-03-04T14:00');
    expect((await status('check-backups')).next.slot).toBe('2026-03-05T10:00');
    await pollAt('2026-03-04T09:00:00Z');
    await pollAt('2026-03-04T12:00:00Z');
    expect(await ran('check-notifications')).toEqual(['2026-03-04T09:00']);
    expect(await ran('check-backups')).toEqual(['2026-03-04T09:00']);
    await pollAt('2026-03-05T09:00:00Z');
    expect(await ran('check-backups')).toEqual(['2026-03-04T09:00', '2026-03-05T10:00']);
  });

  it('T1: a summary of Monday 08:00 → 07:00 saved at 07:30 is sent that Monday, once', async () => {
    await startAt('2026-03-08T12:00:00Z');
    const before = await ran('weekly-summary');
    await saveAt('2026-03-09T06:30:00Z', { weekly_summary: '07:00' });
    await pollAt('2026-03-09T06:30:15Z');
    await pollAt('2026-03-09T07:00:00Z');
    await pollAt('2026-03-15T12:00:00Z');
    expect((await ran('weekly-summary')).slice(before.length)).toEqual(['2026-03-09T07:00']);
  });

  it('T1: a summary sent on Monday is not re-sent on Friday of the same week', async () => {
    await startAt('2026-03-09T07:00:00Z');
    await saveAt('2026-03-11T10:00:00Z', { weekly_summary_day: 5 });
    await pollAt('2026-03-13T07:00:00Z');
    expect(await ran('weekly-summary')).toEqual(['2026-03-09T08:00']);
    await pollAt('2026-03-20T07:00:00Z');
    expect(await ran('weekly-summary')).toEqual(['2026-03-09T08:00', '2026-03-20T08:00']);
  });

  it('T1: an added hour that has passed runs once', async () => {
    await startAt('2026-03-04T13:00:00Z');
    await saveAt('2026-03-04T15:30:00Z', { check_notifications: ['09:00', '14:00', '16:00'] });
    await pollAt('2026-03-04T15:30:15Z');
    await pollAt('2026-03-04T16:30:00Z');
    expect(await ran('check-notifications')).toEqual(['2026-03-04T14:00', '2026-03-04T16:00']);
  });

  it('T2: a change of one job’s hour keeps the missed slots of the others due', async () => {
    await startAt('2026-03-03T22:00:00Z');
    // Down from 00:00 to 09:00; an admin reaches a process without the scheduler.
    await saveAt('2026-03-04T08:10:00Z', { weekly_summary: '10:00' });
    await pollAt('2026-03-04T08:10:15Z');
    expect((await ran('update-statuses')).at(-1)).toBe('2026-03-04T00:00');
    expect((await ran('cleanup')).at(-1)).toBe('2026-03-04T02:00');
    expect((await ran('check-notifications')).at(-1)).toBe('2026-03-04T09:00');
    expect((await ran('check-backups')).at(-1)).toBe('2026-03-04T09:00');
  });

  it('a new tenant does not get the check of an hour before it was created', async () => {
    await startAt('2026-03-04T11:00:00Z');
    await world.sql('DELETE FROM job_runs');
    await world.sql('UPDATE tenants SET schedule_from = $1', [clock.now()]);
    await pollAt('2026-03-04T11:00:15Z');
    await saveAt('2026-03-04T11:01:00Z', { check_notifications: ['10:00', '14:00'] });
    await pollAt('2026-03-04T11:01:15Z');
    expect(await ran('check-notifications')).toEqual([]);
    await pollAt('2026-03-04T13:00:00Z');
    expect(await ran('check-notifications')).toEqual(['2026-03-04T14:00']);
  });
});

describe('zones', () => {
  it('T1: Paris → Tokyo at 08:00 in Paris: the checks of that day run once', async () => {
    await startAt('2026-03-03T13:00:00Z');
    await saveAt('2026-03-04T07:00:00Z', {}, { time_zone: 'Asia/Tokyo' });
    await pollAt('2026-03-04T07:00:15Z');
    await pollAt('2026-03-04T08:00:00Z');
    await pollAt('2026-03-04T14:59:00Z');
    expect((await ran('check-notifications')).slice(1)).toEqual(['2026-03-04T14:00']);
    expect((await ran('check-backups')).slice(1)).toEqual(['2026-03-04T09:00']);
  });

  it('T4: next skips a date that has run, if the zone moves west over midnight', async () => {
    await startAt('2026-03-02T15:00:30Z', 'Asia/Tokyo');
    await pollAt('2026-03-03T15:00:30Z');
    // In Tokyo it is the 4th, 00:00:30, and its status update has run; in New York the 3rd, 10:01.
    expect((await status('update-statuses')).last_run?.slot).toBe('2026-03-04T00:00');
    await saveAt('2026-03-03T15:01:00Z', {}, { time_zone: 'America/New_York' });
    expect((await status('update-statuses')).next.slot).toBe('2026-03-05T00:00');
    const path = '/api/v1/admin/scheduler/update-statuses/preview?date=2026-03-04';
    const { body } = await world.http('GET', path, { token: await signIn() });
    const [run] = await world.sql(
      `SELECT id FROM job_runs WHERE job = 'update-statuses' AND slot LIKE '2026-03-04%'`,
    );
    expect(body.slots).toMatchObject([{ slot: '2026-03-04T00:00', run_id: run?.id, will_run: false }]);
    await pollAt('2026-03-04T05:00:00Z');
    const both = ['2026-03-03T00:00', '2026-03-04T00:00'];
    expect(await ran('update-statuses')).toEqual(both);
    await pollAt('2026-03-05T05:00:00Z');
    expect(await ran('update-statuses')).toEqual([...both, '2026-03-05T00:00']);
  });

  it('T4: next is not the slot that has just run, if the clock is set back', async () => {
    await startAt('2026-03-03T13:00:00Z');
    await pollAt('2026-03-04T07:45:00Z');
    await pollAt('2026-03-04T08:00:05Z');
    clock.set('2026-03-04T07:59:50Z');
    const { last_run, next } = await status('check-notifications');
    expect([last_run?.slot, next.slot]).toEqual(['2026-03-04T09:00', '2026-03-04T14:00']);
    expect((await status('scan-backups')).next.slot).toBe('2026-03-04T08:15Z');
  });

  it('zone, hours and day of the summary in one request at 08:59:59: each occasion runs once', async () => {
    await startAt('2026-03-08T12:00:00Z');
    const before = (await ran('weekly-summary')).length;
    await pollAt('2026-03-09T07:00:00Z');
    await saveAt(
      '2026-03-09T07:59:59Z',
      {
        check_notifications: ['09:00', '15:00'],
        check_backups: '08:59',
        weekly_summary_day: 2,
        weekly_summary: '09:00',
      },
      { time_zone: 'Europe/Athens' },
    );
    // 09:59:59 in Athens.
    await pollAt('2026-03-09T08:00:00Z');
    await pollAt('2026-03-09T13:00:00Z');
    await pollAt('2026-03-10T08:00:00Z');
    const ofDay = (slots: string[]) => slots.filter((slot) => slot.startsWith('2026-03-09'));
    expect(ofDay(await ran('check-notifications'))).toEqual(['2026-03-09T09:00', '2026-03-09T15:00']);
    expect(ofDay(await ran('check-backups'))).toEqual(['2026-03-09T08:59']);
    // It was sent on Monday, before the change, and is not re-sent on Tuesday.
    expect((await ran('weekly-summary')).slice(before)).toEqual(['2026-03-09T08:00']);
  });

  it('a run is not written under hours that changed after they were read', async () => {
    await startAt('2026-03-04T07:00:00Z');
    clock.set('2026-03-04T08:00:00Z');
    let poll: Promise<void> | undefined;
    await world.app.get(Database).tenant(tenant, async (tx) => {
      await tx.execute(
        `UPDATE tenants SET settings = '{"schedule": {"check_notifications": ["10:00"]}}', updated_at = $2
         WHERE id = $1`,
        [tenant, clock.now()],
      );
      // It reads the old hours, and its insert waits for this transaction.
      poll = poller.poll();
      await until('a poll that waits', async () => {
        const waiting = await world.sql(
          `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        return waiting.length > 0;
      });
    });
    await poll;
    await pollAt('2026-03-04T08:00:15Z');
    expect(await ran('check-notifications')).toEqual(['2026-03-03T14:00']);
    await pollAt('2026-03-04T09:00:00Z');
    expect(await ran('check-notifications')).toEqual(['2026-03-03T14:00', '2026-03-04T10:00']);
  });
});

it('T6: a run written before its instant by the database’s clock is logged', async () => {
  const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
  await startAt('2126-03-04T08:00:00Z');
  expect(warn).toHaveBeenCalledWith(
    expect.objectContaining({ event: 'slots_ahead_of_clock', tenant_id: tenant, runs: 7 }),
  );
  warn.mockClear();
  await startAt('2026-03-04T08:00:00Z');
  expect(warn).not.toHaveBeenCalled();
  warn.mockRestore();
});
