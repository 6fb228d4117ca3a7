import { addPerson, addTenant, createCast, type Person } from '../../test/support/cast.js';
import { createWorld, type World } from '../../test/support/world.js';
import { FixedClock } from '../platform/clock/fixed-clock.js';
import { nextOccasion } from './calendar.js';
import { ProcessReminders } from './process-reminders.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ZONES = ['Europe/Paris', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Pacific/Apia'];
/** A Sunday: clocks change on Sundays. */
const FIRST = '2026-01-04';

const clock = new FixedClock('2026-01-01T00:00:00Z');
let world: World;
let people: Map<string, Person>;
let tenantId: string;

beforeAll(async () => {
  world = await createWorld({ clock });
  tenantId = (await addTenant(world, { time_zone: ZONES[0]! })).id;
  people = new Map();
  for (const zone of ZONES) {
    const person = await addPerson(world, tenantId, { name: zone.replace('/', '-') });
    people.set(zone, person);
    // The first has the tenant's zone.
    await world.sql('UPDATE users SET time_zone = $2 WHERE id = $1', [
      person.id,
      zone === ZONES[0] ? null : zone,
    ]);
  }
});
afterAll(() => world.close());
beforeEach(async () => {
  await world.sql('DELETE FROM notifications');
  await world.sql('DELETE FROM reminders');
  clock.set('2026-01-01T00:00:00Z');
});

async function remindAll(frequency_days: number, local_time: string): Promise<void> {
  for (const [zone, { id }] of people) {
    const rhythm = { starts_on: FIRST, frequency_days, local_time };
    const next = nextOccasion(rhythm, zone, clock.now());
    await world.sql(
      `INSERT INTO reminders (tenant_id, user_id, frequency_days, local_time, starts_on, channels, mode, active, next_on,
                              next_at, time_zone, created_at, updated_at)
       VALUES ($1, $2, $3, $4, $5, '[{"channel": "email", "enabled": true}]', 'all', true, $6, $7, $8, $9, $9)`,
      [tenantId, id, frequency_days, local_time, FIRST, next.on, next.at, zone, clock.now()],
    );
  }
}

/** Lets the hourly job run, by default until the end of 2026; skips the hours at which nothing is due. */
async function liveThrough({
  end = new Date('2027-01-02T00:00:00Z'),
  isDown = (_at: Date): boolean => false,
} = {}): Promise<void> {
  for (;;) {
    const [due] = await world.sql<{ at: Date }>('SELECT min(next_at) AS at FROM reminders');
    let hour = new Date(Math.ceil(due!.at.getTime() / HOUR) * HOUR);
    while (isDown(hour)) hour = new Date(hour.getTime() + HOUR);
    if (hour >= end) return;
    clock.set(hour);
    await world.app.get(ProcessReminders).process(tenantId);
  }
}

/** When the notifications of a zone's user came, on the clocks there, by ICU: the product does not use it. */
async function arrivals(zone: string): Promise<string[]> {
  const rows = await world.sql<{ created_at: Date }>(
    `SELECT created_at FROM notifications WHERE user_id = $1 ORDER BY created_at`,
    [people.get(zone)!.id],
  );
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    dateStyle: 'short',
    timeStyle: 'short',
    hourCycle: 'h23',
  });
  return rows.map(({ created_at }) => format.format(created_at).replace(', ', 'T'));
}

function expectedDates(frequency_days: number): string[] {
  const dates: string[] = [];
  for (let day = Date.parse(FIRST); day < Date.parse('2027-01-01'); day += frequency_days * DAY) {
    dates.push(new Date(day).toISOString().slice(0, 10));
  }
  return dates;
}

const inYear = (date: string) => date.startsWith('2026');

it('N1, N2: over a year in five zones, a reminder every 7 days comes on its local dates, in its local hour', async () => {
  await remindAll(7, '09:00');
  await liveThrough();
  // The job runs at full hours of UTC.
  const hours: Record<string, string> = {
    'Australia/Lord_Howe': '(09:00|09:30)',
    'Asia/Kathmandu': '09:45',
  };
  for (const zone of ZONES) {
    const came = (await arrivals(zone)).filter(inYear);
    expect([zone, came.map((at) => at.slice(0, 10))]).toEqual([zone, expectedDates(7)]);
    const odd = came.filter((at) => !new RegExp(`T${hours[zone] ?? '09:00'}$`).test(at));
    expect([zone, odd]).toEqual([zone, []]);
  }
}, 60_000);

it('N1: one at 02:15 comes also on the nights of the clock changes, once', async () => {
  await remindAll(7, '02:15');
  await liveThrough();
  for (const zone of ZONES) {
    const came = (await arrivals(zone)).filter(inYear);
    expect([zone, came.map((at) => at.slice(0, 10))]).toEqual([zone, expectedDates(7)]);
  }
}, 60_000);

it('N2: over four months with an outage of three days in each, one for each outage, and every other day as usual', async () => {
  const isDown = (at: Date) => at.getUTCDate() >= 10 && at.getUTCDate() <= 12;
  await remindAll(1, '09:00');
  // Clocks change in March and April.
  await liveThrough({ end: new Date('2026-05-01T00:00:00Z'), isDown });
  for (const zone of ZONES) {
    const rhythm = { starts_on: FIRST, frequency_days: 1, local_time: '09:00' };
    const expected: string[] = [];
    let late = false;
    for (let at = clock.now(), next = nextOccasion(rhythm, zone, new Date(0)); next.at <= at;) {
      // The job runs at full hours.
      const down = isDown(new Date(Math.ceil(next.at.getTime() / HOUR) * HOUR));
      if (!(down && late)) expected.push(next.on);
      late = down;
      next = nextOccasion(rhythm, zone, next.at);
    }
    const sent = await world.sql<{ date: string }>(
      `SELECT right(dedupe_key, 10) AS date FROM notifications WHERE user_id = $1 ORDER BY 1`,
      [people.get(zone)!.id],
    );
    expect([zone, sent.map(({ date }) => date)]).toEqual([zone, expected]);
    expect(expected.length).toBeGreaterThan(105);
  }
}, 60_000);

it('N1: a user who moves keeps the date, at the hour of the new zone', async () => {
  await remindAll(7, '09:00');
  const paris = people.get('Europe/Paris')!;
  const admin = await addPerson(world, tenantId, { name: 'Admin', role: 'admin' });
  const nextOf = async (person: Person) => {
    const [row] = await world.sql<{ next_on: string; next_at: Date; time_zone: string }>(
      'SELECT next_on::text, next_at, time_zone FROM reminders WHERE user_id = $1',
      [person.id],
    );
    return [row!.next_on, row!.next_at.toISOString(), row!.time_zone];
  };
  expect(await nextOf(paris)).toEqual(['2026-01-04', '2026-01-04T08:00:00.000Z', 'Europe/Paris']);
  const patch = await world.http('PATCH', `/api/v1/users/${paris.id}`, {
    token: admin.token,
    body: { time_zone: 'America/New_York' },
  });
  expect(patch.status).toBe(200);
  expect(await nextOf(paris)).toEqual(['2026-01-04', '2026-01-04T14:00:00.000Z', 'America/New_York']);
});

it('N1: if the tenant moves, so do the reminders of users without a zone, and no others', async () => {
  await world.sql('UPDATE users SET time_zone = NULL WHERE id = $1', [people.get('Europe/Paris')!.id]);
  await remindAll(7, '09:00');
  const zones = async () =>
    (await world.sql<{ time_zone: string }>('SELECT time_zone FROM reminders ORDER BY id')).map(
      ({ time_zone }) => time_zone,
    );
  const { operator } = await createCast(world);
  const moved = await world.http('PATCH', `/api/v1/tenants/${tenantId}`, {
    token: operator.token,
    body: { time_zone: 'Asia/Tokyo' },
  });
  expect(moved.status).toBe(200);
  expect(await zones()).toEqual(['Asia/Tokyo', ...ZONES.slice(1)]);
});
