import { until } from '../../test/support/until.js';
import { FixedClock } from '../platform/clock/fixed-clock.js';
import { createInstallation, type Installation } from './scheduler.fixture.js';

/** A Wednesday, 10:00 in Paris. */
const WEDNESDAY = '2026-03-04T09:00:00Z';
const WORKER = { env: { VIGIE_ROLES: 'worker' } };

let vigie: Installation;

async function install(now: string): Promise<Installation> {
  vigie = await createInstallation(now);
  return vigie;
}

afterEach(() => vigie.close());

/** `job slot`, in the order of the ledger. */
async function slots(): Promise<string[]> {
  return (await vigie.runs()).map(({ job, slot }) => `${job} ${slot ?? '-'}`);
}

describe('which slots run', () => {
  test('after a downtime the latest slot of each job runs once', async () => {
    await install(WEDNESDAY);
    await vigie.tenant();
    const { poller } = await vigie.replica();
    await poller.poll();
    const caughtUp = [
      'weekly-summary 2026-03-02T08:00',
      'update-statuses 2026-03-04T00:00',
      'cleanup 2026-03-04T02:00',
      'check-backups 2026-03-04T09:00',
      'check-notifications 2026-03-04T09:00',
      'process-reminders 2026-03-04T09:00Z',
      'scan-backups 2026-03-04T09:00Z',
    ];
    expect(await slots()).toEqual(caughtUp);

    await poller.poll();
    const restarted = await vigie.replica();
    await restarted.poller.poll();
    expect(await slots()).toEqual(caughtUp);

    // Of the missed scans, the latest.
    vigie.clock.set('2026-03-04T13:00:00Z');
    await poller.poll();
    expect(await slots()).toEqual([
      ...caughtUp,
      'check-notifications 2026-03-04T14:00',
      'process-reminders 2026-03-04T13:00Z',
      'scan-backups 2026-03-04T13:00Z',
    ]);
  });

  test('B3: the inbox is scanned every 15 minutes, or at the tenant’s interval', async () => {
    await install('2026-03-04T09:07:00Z');
    const from = { schedule_from: '2026-03-04T09:07:00Z' };
    const every15 = await vigie.tenant(from);
    const every20 = await vigie.tenant({ ...from, settings: { schedule: { scan_backups_minutes: 20 } } });
    const { poller } = await vigie.replica();
    for (const time of ['09:07', '09:14', '09:15', '09:16', '09:20', '09:30', '09:40', '09:45']) {
      vigie.clock.set(`2026-03-04T${time}:00Z`);
      await poller.poll();
    }
    const scans = (tenant: string) =>
      vigie
        .runs()
        .then((runs) =>
          runs
            .filter((run) => run.tenant_id === tenant && run.job === 'scan-backups')
            .map(({ slot }) => slot),
        );
    expect(await scans(every15)).toEqual(['2026-03-04T09:15Z', '2026-03-04T09:30Z', '2026-03-04T09:45Z']);
    expect(await scans(every20)).toEqual(['2026-03-04T09:20Z', '2026-03-04T09:40Z']);
  });

  test('a slot older than its job’s period is not caught up', async () => {
    // Before the first slot of a settings change that keeps the weekly summary.
    await install('2026-03-09T06:59:00Z');
    await vigie.tenant({ schedule_from: '2026-03-03T00:00:00Z' });
    const { poller } = await vigie.replica();
    await poller.poll();
    expect(await slots()).toEqual([
      'check-backups 2026-03-08T09:00',
      'check-notifications 2026-03-08T14:00',
      'update-statuses 2026-03-09T00:00',
      'cleanup 2026-03-09T02:00',
      'process-reminders 2026-03-09T06:00Z',
      'scan-backups 2026-03-09T06:45Z',
    ]);
  });

  test('slots before schedule_from are not due', async () => {
    await install(WEDNESDAY);
    // A moment after 10:00 in Paris.
    await vigie.tenant({ schedule_from: '2026-03-04T09:00:00.001Z' });
    const { poller } = await vigie.replica();
    await poller.poll();
    vigie.clock.set('2026-03-04T09:14:59Z');
    await poller.poll();
    expect(await slots()).toEqual([]);

    vigie.clock.set('2026-03-04T13:00:30Z');
    await poller.poll();
    expect(await slots()).toEqual([
      'check-notifications 2026-03-04T14:00',
      'process-reminders 2026-03-04T13:00Z',
      'scan-backups 2026-03-04T13:00Z',
    ]);
  });

  test('a suspended tenant has no runs, and only new ones afterwards', async () => {
    await install(WEDNESDAY);
    const id = await vigie.tenant({ suspended_at: '2026-03-01T00:00:00Z' });
    const { poller, scheduler } = await vigie.replica();
    await poller.poll();
    expect(await slots()).toEqual([]);
    expect(await scheduler.trigger('cleanup', 'all', 'operator:1')).toEqual([]);
    expect(await scheduler.trigger('cleanup', { tenant_ids: [id] }, 'operator:1')).toEqual([]);

    vigie.clock.advance(1_000);
    await vigie.sql('UPDATE tenants SET suspended_at = NULL, schedule_from = $1', [vigie.clock.now()]);
    await poller.poll();
    expect(await slots()).toEqual([]);
    vigie.clock.set('2026-03-04T13:00:00Z');
    await poller.poll();
    expect(await slots()).toEqual([
      'check-notifications 2026-03-04T14:00',
      'process-reminders 2026-03-04T13:00Z',
      'scan-backups 2026-03-04T13:00Z',
    ]);
  });

  test('each tenant has its own hours in its own zone; a change takes effect at once', async () => {
    await install('2026-03-04T00:00:00Z');
    const from = { schedule_from: '2026-03-04T00:00:00Z' };
    const fixed = async () => (await vigie.runs()).filter(({ slot }) => slot?.endsWith('Z') === false);
    const tokyo = await vigie.tenant({ ...from, time_zone: 'Asia/Tokyo' });
    const paris = await vigie.tenant({ ...from, settings: { schedule: { check_notifications: ['07:15'] } } });
    const { poller } = await vigie.replica();
    await poller.poll();
    expect((await fixed()).map(({ tenant_id, job, slot }) => [tenant_id, job, slot])).toEqual([
      [tokyo, 'check-backups', '2026-03-04T09:00'],
      [tokyo, 'check-notifications', '2026-03-04T09:00'],
    ]);

    const checks = async () =>
      (await vigie.runs())
        .filter(({ tenant_id, job }) => tenant_id === paris && job === 'check-notifications')
        .map(({ slot }) => slot);
    vigie.clock.set('2026-03-04T06:11:59Z');
    await poller.poll();
    expect(await checks()).toEqual([]);
    await vigie.sql(
      `UPDATE tenants SET settings = '{"schedule": {"check_notifications": ["07:12"]}}' WHERE id = $1`,
      [paris],
    );
    vigie.clock.set('2026-03-04T06:12:00Z');
    await poller.poll();
    expect(await checks()).toEqual(['2026-03-04T07:12']);
    vigie.clock.set('2026-03-04T06:15:00Z');
    await poller.poll();
    expect(await checks()).toEqual(['2026-03-04T07:12']);
  });

  test('one tenant with an unknown zone does not block the others', async () => {
    await install(WEDNESDAY);
    await vigie.tenant({ time_zone: 'Atlantis/Capital' });
    const sound = await vigie.tenant();
    const { poller } = await vigie.replica();
    await poller.poll();
    expect(new Set((await vigie.runs()).map(({ tenant_id }) => tenant_id))).toEqual(new Set([sound]));
  });

  test('in a spring gap a slot runs at the shifted instant, once', async () => {
    await install('2026-03-29T00:59:59Z');
    // 02:00 does not exist that night in Paris: 01:59 is followed by 03:00.
    await vigie.tenant({ schedule_from: '2026-03-28T12:00:00Z' });
    const { poller } = await vigie.replica();
    const cleanups = async () => (await vigie.runs()).filter(({ job }) => job === 'cleanup');
    await poller.poll();
    expect(await cleanups()).toEqual([]);

    vigie.clock.set('2026-03-29T01:00:00Z');
    await poller.poll();
    expect(await cleanups()).toMatchObject([
      { slot: '2026-03-29T02:00', due_at: new Date('2026-03-29T01:00:00Z') },
    ]);

    vigie.clock.set('2026-03-29T02:30:00Z');
    await poller.poll();
    expect(await cleanups()).toHaveLength(1);
  });

  test('in an autumn overlap a slot runs at the first instant, once', async () => {
    await install('2026-10-24T23:59:59Z');
    await vigie.tenant({ schedule_from: '2026-10-24T12:00:00Z' });
    const { poller } = await vigie.replica();
    const cleanups = async () => (await vigie.runs()).filter(({ job }) => job === 'cleanup');
    await poller.poll();
    expect(await cleanups()).toEqual([]);

    vigie.clock.set('2026-10-25T00:00:00Z');
    await poller.poll();
    const once = [{ slot: '2026-10-25T02:00', due_at: new Date('2026-10-25T00:00:00Z') }];
    expect(await cleanups()).toMatchObject(once);

    // 02:00 again.
    vigie.clock.set('2026-10-25T01:00:00Z');
    await poller.poll();
    expect(await cleanups()).toMatchObject(once);
  });
});

describe('several replicas', () => {
  test('two at 09:00: one run per tenant and slot, and each is done once', async () => {
    await install('2026-03-04T08:00:00Z');
    const tenants = new Set<string>();
    for (let count = 0; count < 40; count += 1) {
      tenants.add(await vigie.tenant({ schedule_from: '2026-03-04T07:00:00Z' }));
    }
    const due = [
      'check-backups 2026-03-04T09:00',
      'check-notifications 2026-03-04T09:00',
      'process-reminders 2026-03-04T08:00Z',
      'scan-backups 2026-03-04T08:00Z',
    ];
    const one = await vigie.replica();
    // Its clock is a little ahead.
    const other = await vigie.replica({ clock: new FixedClock('2026-03-04T08:00:03Z') });
    await Promise.all([one.poller.poll(), other.poller.poll(), one.poller.poll(), other.poller.poll()]);
    expect((await vigie.runs()).map((run) => `${run.tenant_id} ${run.job} ${run.slot}`).sort()).toEqual(
      [...tenants].flatMap((id) => due.map((slot) => `${id} ${slot}`)).sort(),
    );

    await vigie.replica(WORKER);
    await until('all runs', async () => {
      // A scan and a check of backups of one tenant wait for each other.
      await one.poller.reap();
      return (await vigie.runs()).every(({ state }) => state === 'succeeded');
    });
    expect(vigie.begun).toHaveLength(160);
    expect((await vigie.runs()).every(({ attempts }) => attempts === 1)).toBe(true);
  });

  test('with clocks an hour apart run a slot once', async () => {
    await install('2026-03-04T08:00:00Z');
    await vigie.tenant({ schedule_from: '2026-03-04T07:00:00Z' });
    const behind = await vigie.replica({ clock: new FixedClock('2026-03-04T07:00:00Z') });
    const ahead = await vigie.replica();
    await ahead.poller.poll();
    await behind.poller.poll();
    expect(await slots()).toEqual([
      // Each uses its own clock for the latest slot of an interval; a slot runs on only one of them.
      'process-reminders 2026-03-04T07:00Z',
      'scan-backups 2026-03-04T07:00Z',
      'check-backups 2026-03-04T09:00',
      'check-notifications 2026-03-04T09:00',
      'process-reminders 2026-03-04T08:00Z',
      'scan-backups 2026-03-04T08:00Z',
    ]);
  });
});

describe('the timers', () => {
  test('a process with the scheduler role polls automatically, and stops on request', async () => {
    await install(WEDNESDAY);
    await vigie.tenant({ schedule_from: '2026-03-04T08:00:00Z' });
    const replica = await vigie.replica({ env: { VIGIE_ROLES: 'scheduler', SCHEDULER_POLL_SECONDS: '1' } });
    await until('the first round', async () => (await slots()).length === 4);
    vigie.clock.set('2026-03-04T13:00:00Z');
    await until('a later round', async () => (await slots()).length === 7);

    vigie.clock.set('2026-03-05T13:00:00Z');
    await replica.close();
    const atTheEnd = await slots();
    await replica.close();
    expect(await slots()).toEqual(atTheEnd);
  });

  test('switched off, no slot runs automatically, but lost manual runs are recovered', async () => {
    await install(WEDNESDAY);
    const tenant = await vigie.tenant();
    const web = await vigie.replica();
    jest.spyOn(web.queues, 'enqueue').mockResolvedValue();
    await web.scheduler.trigger('cleanup', { tenant_ids: [tenant] }, 'user:1');
    await vigie.expireLeases();
    await vigie.replica({ env: { VIGIE_ROLES: 'scheduler,worker', SCHEDULER_ENABLED: 'false' } });
    await until('the run', async () => (await vigie.runs())[0]?.state === 'succeeded');
    expect(await slots()).toEqual(['cleanup -']);
  });

  test('a process without the role does not poll', async () => {
    await install(WEDNESDAY);
    await vigie.tenant();
    const replica = await vigie.replica({ env: { VIGIE_ROLES: 'web', SCHEDULER_POLL_SECONDS: '1' } });
    // Closing waits for running rounds.
    await replica.close();
    expect(await slots()).toEqual([]);
  });
});
