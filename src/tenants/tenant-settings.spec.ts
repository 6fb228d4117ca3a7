import { FixedClock } from '../platform/clock/fixed-clock.js';
import { addPerson, addTenant, type Cast, type CastTenant, createCast } from '../../test/support/cast.js';
import { createWorld, type World } from '../../test/support/world.js';
import { TenantEvents } from './tenant-events.js';

const clock = new FixedClock('2026-03-02T09:00:00Z');
let world: World;
let cast: Cast;
let tenant: CastTenant;
let token: string;
const changed: string[] = [];

beforeAll(async () => {
  world = await createWorld({ clock, env: { ACCESS_TOKEN_MINUTES: '1440' } });
  cast = await createCast(world);
  world.app.get(TenantEvents, { strict: false }).onSettingsChanged((tx) => {
    changed.push(tx.tenant_id);
    return Promise.resolve();
  });
});

beforeEach(async () => {
  changed.length = 0;
  tenant = await addTenant(world, { name: 'Firm' });
  ({ token } = await addPerson(world, tenant.id, { name: 'Ines', role: 'admin' }));
});

afterAll(() => world.close());

const get = async () => (await world.http('GET', '/api/v1/tenant/settings', { token })).body;
const put = (body: unknown) => world.http('PUT', '/api/v1/tenant/settings', { token, body });
const scheduleFrom = async () =>
  (await world.http('GET', `/api/v1/tenants/${tenant.id}`, { token: cast.operator.token })).body
    .schedule_from;

describe('settings', () => {
  it('are the defaults until changed', async () => {
    expect(await get()).toEqual({
      name: 'Firm',
      locale: 'fr',
      time_zone: 'Europe/Paris',
      schedule: {
        check_notifications: ['09:00', '14:00'],
        weekly_summary_day: 1,
        weekly_summary: '08:00',
        update_statuses: '00:00',
        cleanup: '02:00',
        check_backups: '09:00',
        scan_backups_minutes: 15,
        process_reminders_minutes: 60,
      },
      operating_hours: null,
      limits: { per_user_per_hour: null, per_user_per_day: null },
      bundling: 'together',
      stages: { deadlines: [7, 3, 1, 0, -1], documents: [0], tasks: [-1] },
      alert_recipients: [],
      backups: { repeat_after_hours: 24, retention: null },
      retention: { sent_days: null, failed_days: null, unread_days: null },
    });
  });

  it('are replaced as a whole: a changed document is stored, and omitted parts return to their defaults', async () => {
    const settings = await get();
    settings.name = 'Renamed';
    settings.operating_hours = { days: [1, 2], from: '08:00', to: '24:00' };
    settings.limits.per_user_per_day = 10;
    settings.schedule.check_backups = '07:30';
    settings.schedule.scan_backups_minutes = 5;
    settings.alert_recipients = ['dba@example.com', 'Boss@example.com'];
    settings.backups = {
      repeat_after_hours: 72,
      retention: { keep_last: 7, keep_weekly: 4, keep_monthly: 12 },
    };
    const answer = await put(settings);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(settings);
    expect(await get()).toEqual(settings);
    expect(changed).toEqual([tenant.id]);
    const { name, locale, time_zone } = settings;
    expect((await put({ name, locale, time_zone })).body).toMatchObject({
      operating_hours: null,
      limits: { per_user_per_day: null },
      schedule: { check_backups: '09:00', scan_backups_minutes: 15 },
      alert_recipients: [],
      backups: { repeat_after_hours: 24, retention: null },
    });
  });

  it('B9: name several people to notify of incidents, each address as stored', async () => {
    const { name, locale, time_zone } = await get();
    const given = [' dba@EXAMPLE.com ', 'Boss@bücher.example'];
    const { body } = await put({ name, locale, time_zone, alert_recipients: given });
    expect(body.alert_recipients).toEqual(['dba@example.com', 'Boss@xn--bcher-kva.example']);
    const most = Array.from({ length: 20 }, (_none, place) => `dba-${place}@example.com`);
    expect((await put({ name, locale, time_zone, alert_recipients: most })).body.alert_recipients).toEqual(
      most,
    );
    expect((await put({ name, locale, time_zone, alert_recipients: [] })).body.alert_recipients).toEqual([]);
  });

  it('default omitted retention counts to 0 when others are given', async () => {
    const { name, locale, time_zone } = await get();
    const backups = { retention: { keep_last: 3 } };
    const { body } = await put({ name, locale, time_zone, backups });
    expect(body.backups).toEqual({
      repeat_after_hours: 24,
      retention: { keep_last: 3, keep_weekly: 0, keep_monthly: 0 },
    });
    expect(await get()).toEqual(body);
  });

  it('leave the start of the schedule unchanged: the ledger records what ran under other hours', async () => {
    const before = await scheduleFrom();
    const settings = await get();
    clock.advance(1_000);
    await put({ ...settings, schedule: { ...settings.schedule, cleanup: '03:00' }, time_zone: 'Asia/Tokyo' });
    expect(await scheduleFrom()).toBe(before);
  });

  it('T10: accept operating hours that cross midnight', async () => {
    const { name, locale, time_zone } = await get();
    for (const operating_hours of [
      { days: [1, 2, 3, 4, 5], from: '22:00', to: '06:00' },
      { days: [7], from: '18:00', to: '00:00' },
    ]) {
      const answer = await put({ name, locale, time_zone, operating_hours });
      expect([answer.status, answer.body.operating_hours]).toEqual([200, operating_hours]);
    }
  });

  it('are checked, each fault at its place', async () => {
    const settings = await get();
    const faults: [object, string][] = [
      [{ operating_hours: { days: [1], from: '08:00', to: '08:00' } }, '/operating_hours/to'],
      [{ operating_hours: { days: [1], from: '24:00', to: '24:00' } }, '/operating_hours/from'],
      [{ operating_hours: { days: [8], from: '08:00', to: '19:00' } }, '/operating_hours/days'],
      [{ operating_hours: { days: [], from: '08:00', to: '19:00' } }, '/operating_hours/days'],
      [{ operating_hours: 'always' }, '/operating_hours'],
      [{ operating_hours: [] }, '/operating_hours'],
      [{ schedule: null }, '/schedule'],
      [{ schedule: { ...settings.schedule, cleanup: '25:00' } }, '/schedule/cleanup'],
      [{ schedule: { ...settings.schedule, cleanup: 2 } }, '/schedule/cleanup'],
      [{ schedule: { ...settings.schedule, check_notifications: [] } }, '/schedule/check_notifications'],
      [{ schedule: { ...settings.schedule, hourly: true } }, '/schedule/hourly'],
      [{ schedule: { ...settings.schedule, check_backups: '9:00' } }, '/schedule/check_backups'],
      ...[4, 1441, 15.5, '15', null].map((scan_backups_minutes): [object, string] => [
        { schedule: { ...settings.schedule, scan_backups_minutes } },
        '/schedule/scan_backups_minutes',
      ]),
      ...[
        'dba@example.com',
        null,
        ['dba'],
        ['dba@example.com', ''],
        ['dba@example.com', 7],
        [['dba@example.com']],
        ['Duty <dba@example.com>'],
        ['"quoted"@example.com'],
        ['dba@example.com', 'DBA@example.com'],
        Array.from({ length: 21 }, (_none, place) => `dba-${place}@example.com`),
      ].map((alert_recipients): [object, string] => [{ alert_recipients }, '/alert_recipients']),
      [{ backups: null }, '/backups'],
      [{ backups: { repeat: 1 } }, '/backups/repeat'],
      ...[0, 721, 1.5, '24', null].map((repeat_after_hours): [object, string] => [
        { backups: { repeat_after_hours } },
        '/backups/repeat_after_hours',
      ]),
      [{ backups: { retention: 7 } }, '/backups/retention'],
      [{ backups: { retention: [] } }, '/backups/retention'],
      // The last good one is never removed, so keeping none is refused.
      ...[{}, { keep_last: 0 }, { keep_last: null }, { keep_weekly: 1 }].map(
        (retention): [object, string] => [{ backups: { retention } }, '/backups/retention/keep_last'],
      ),
      [{ backups: { retention: { keep_last: 1, keep_weekly: 521 } } }, '/backups/retention/keep_weekly'],
      [{ backups: { retention: { keep_last: 1, keep_monthly: -1 } } }, '/backups/retention/keep_monthly'],
      [{ backups: { retention: { keep_last: 1, keep_yearly: 1 } } }, '/backups/retention/keep_yearly'],
      [{ limits: { per_user_per_hour: -1 } }, '/limits/per_user_per_hour'],
      [{ stages: { ...settings.stages, deadlines: [1.5] } }, '/stages/deadlines'],
      [{ stages: { ...settings.stages, tasks: [0] } }, '/stages/tasks'],
      [{ time_zone: 'Mars/Olympus' }, '/time_zone'],
      [{ locale: null }, '/locale'],
      [{ name: undefined }, '/name'],
      [{ suspended: false }, '/suspended'],
    ];
    for (const [fault, pointer] of faults) {
      const answer = await put({ ...settings, ...fault });
      expect([answer.status, answer.body.errors?.[0]?.pointer]).toEqual([400, pointer]);
    }
    expect(await get()).toEqual(settings);
  });
});
