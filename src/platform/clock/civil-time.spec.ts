import fc from 'fast-check';
import {
  addDays,
  civilDate,
  dateOfDay,
  dayOfDate,
  instantAt,
  isCivilDate,
  isTimeZone,
  minuteOfDay,
  offsetAt,
  weekdayOf,
} from './civil-time.js';
import { MinuteOracle, clockChanges } from './minute-oracle.fixture.js';

const iso = (instant: Date | null) => instant?.toISOString().replace(':00.000Z', 'Z') ?? null;

describe('instantAt', () => {
  it.each([
    // an ordinary day
    ['Europe/Paris', '2026-06-01', '09:00', '2026-06-01T07:00Z'],
    // 02:00 → 03:00
    ['Europe/Paris', '2026-03-29', '01:59', '2026-03-29T00:59Z'],
    ['Europe/Paris', '2026-03-29', '02:00', '2026-03-29T01:00Z'],
    ['Europe/Paris', '2026-03-29', '02:30', '2026-03-29T01:30Z'],
    ['Europe/Paris', '2026-03-29', '03:00', '2026-03-29T01:00Z'],
    ['Europe/Paris', '2026-03-29', '03:30', '2026-03-29T01:30Z'],
    // 03:00 → 02:00
    ['Europe/Paris', '2026-10-25', '01:59', '2026-10-24T23:59Z'],
    ['Europe/Paris', '2026-10-25', '02:00', '2026-10-25T00:00Z'],
    ['Europe/Paris', '2026-10-25', '02:30', '2026-10-25T00:30Z'],
    ['Europe/Paris', '2026-10-25', '03:00', '2026-10-25T02:00Z'],
    ['Europe/Berlin', '2027-03-28', '02:30', '2027-03-28T01:30Z'],
    ['Europe/Berlin', '2027-10-31', '02:30', '2027-10-31T00:30Z'],
    ['America/New_York', '2026-03-08', '02:30', '2026-03-08T07:30Z'],
    ['America/New_York', '2026-11-01', '01:30', '2026-11-01T05:30Z'],
    ['America/New_York', '2026-11-01', '02:00', '2026-11-01T07:00Z'],
    // 02:00 → 02:30, and back
    ['Australia/Lord_Howe', '2026-10-04', '01:45', '2026-10-03T15:15Z'],
    ['Australia/Lord_Howe', '2026-10-04', '02:15', '2026-10-03T15:45Z'],
    ['Australia/Lord_Howe', '2026-10-04', '02:30', '2026-10-03T15:30Z'],
    ['Australia/Lord_Howe', '2026-04-05', '01:45', '2026-04-04T14:45Z'],
    ['Australia/Lord_Howe', '2026-04-05', '02:00', '2026-04-04T15:30Z'],
    // 00:00 → 01:00, and 24:00 → 23:00
    ['Africa/Cairo', '2026-04-24', '00:00', '2026-04-23T22:00Z'],
    ['Africa/Cairo', '2026-04-24', '00:30', '2026-04-23T22:30Z'],
    ['Africa/Cairo', '2026-04-24', '01:00', '2026-04-23T22:00Z'],
    ['Africa/Cairo', '2026-10-29', '23:30', '2026-10-29T20:30Z'],
    ['Africa/Cairo', '2026-10-30', '00:00', '2026-10-29T22:00Z'],
    // no 2011-12-30
    ['Pacific/Apia', '2011-12-29', '23:59', '2011-12-30T09:59Z'],
    ['Pacific/Apia', '2011-12-30', '00:00', null],
    ['Pacific/Apia', '2011-12-30', '12:00', null],
    ['Pacific/Apia', '2011-12-30', '23:59', null],
    ['Pacific/Apia', '2011-12-31', '00:00', '2011-12-30T10:00Z'],
    ['Pacific/Kwajalein', '1993-08-21', '12:00', null],
    ['Pacific/Kiritimati', '1994-12-31', '12:00', null],
    // 23:00 → 24:00: the shifted instant falls on the next date
    ['America/Nuuk', '2024-03-30', '23:30', '2024-03-31T01:30Z'],
    ['America/Nuuk', '2024-03-31', '00:00', '2024-03-31T01:00Z'],
  ])('%s %s %s is %s', (zone, date, time, expected) => {
    expect(iso(instantAt(date, time, zone))).toBe(expected);
  });

  it('accepts a zone in any case', () => {
    expect(instantAt('2026-06-01', '09:00', 'europe/PARIS')).toEqual(
      instantAt('2026-06-01', '09:00', 'Europe/Paris'),
    );
  });

  it.each([
    ['2026-02-29', '09:00', 'Europe/Paris'],
    ['2026-2-28', '09:00', 'Europe/Paris'],
    ['2026-02-28', '24:00', 'Europe/Paris'],
    ['2026-02-28', '9:00', 'Europe/Paris'],
    ['2026-02-28', '09:00', 'Europe/Lutetia'],
  ])('refuses %s %s %s', (date, time, zone) => {
    expect(() => instantAt(date, time, zone)).toThrow(RangeError);
  });
});

describe('against the minute-by-minute oracle', () => {
  const oracles = clockChanges.flatMap(([zone, ...dates]) =>
    dates.map((date) => new MinuteOracle(zone, date, 5, 6)),
  );
  const oracle = fc.constantFrom(...oracles);

  it('instantAt returns the instant at which the clock shows that time', () => {
    const slot = oracle.chain((world) =>
      fc.record({
        world: fc.constant(world),
        days: fc.integer({ min: -3, max: 3 }),
        minute: fc.oneof(fc.nat(1439), fc.constantFrom(...world.edgeMinutes)),
      }),
    );
    fc.assert(
      fc.property(slot, ({ world, days, minute }) => {
        const day = dayOfDate(world.date) + days;
        const fires = world.fires(day, minute);
        const [date = '', time = ''] = MinuteOracle.text(day * 1440 + minute).split('T');
        const expected = fires === null ? null : MinuteOracle.text(fires) + 'Z';
        expect(iso(instantAt(date, time, world.zone))).toBe(expected);
      }),
      { numRuns: 10_000 },
    );
  });

  it('civilDate and offsetAt match what the clock shows', () => {
    fc.assert(
      fc.property(
        oracle,
        fc.oneof(fc.integer({ min: -4000, max: 4000 }), fc.integer({ min: -90, max: 90 })),
        fc.integer({ min: 0, max: 59_999 }),
        (world, minutes, ms) => {
          const utc = world.focus + minutes;
          const instant = utc * 60_000 + ms;
          const wall = world.wallAt(utc);
          const { offset, until } = offsetAt(instant, world.zone);
          const last = Math.min(Math.ceil(until / 60_000), world.end) - 1;
          expect([
            civilDate(new Date(instant), world.zone),
            offset,
            until > instant,
            world.wallAt(last) - last,
          ]).toEqual([MinuteOracle.text(wall).slice(0, 10), (wall - utc) * 60_000, true, wall - utc]);
        },
      ),
      { numRuns: 5_000 },
    );
  });
});

describe('isTimeZone', () => {
  it.each([
    'Europe/Paris',
    'america/argentina/buenos_aires',
    'Asia/Kolkata',
    'Europe/Kyiv',
    'UTC',
    'GMT',
    'Etc/GMT+2',
    'EST5EDT',
    'Cuba',
  ])('accepts %s', (name) => {
    expect(isTimeZone(name)).toBe(true);
  });

  it.each([
    '',
    ' ',
    '+02:00',
    '-0500',
    'UTC+2',
    'Europe/Lutetia',
    ' Europe/Paris',
    'Europe/Paris\n',
    'local',
    'system',
    'IST', // India, Ireland or Israel
    'PST',
    'CET', // PostgreSQL's has no summer time
    'WET',
    'SystemV/PST8',
    '__proto__',
  ])('refuses %j', (name) => {
    expect(isTimeZone(name)).toBe(false);
  });
});

describe('dates', () => {
  it.each(['2026-01-31', '2024-02-29', '0001-01-01', '9999-12-31'])('accepts %s', (date) => {
    expect(isCivilDate(date)).toBe(true);
    expect(dateOfDay(dayOfDate(date))).toBe(date);
  });

  it.each([
    '',
    '2026-02-29',
    '2026-13-01',
    '2026-00-10',
    '2026-01-32',
    '0000-01-01',
    '26-01-01',
    '2026-01-01T00:00',
  ])('refuses %j', (date) => {
    expect(isCivilDate(date)).toBe(false);
    expect(() => dayOfDate(date)).toThrow(RangeError);
  });

  it('are added across months, years and clock changes', () => {
    expect(addDays('2026-12-31', 1)).toBe('2027-01-01');
    expect(addDays('2024-03-01', -1)).toBe('2024-02-29');
    expect(addDays('2026-03-28', 2)).toBe('2026-03-30');
    expect(() => addDays('9999-12-31', 1)).toThrow(RangeError);
    expect(() => addDays('2026-02-29', 1)).toThrow(RangeError);
  });

  it('have a weekday', () => {
    fc.assert(
      fc.property(fc.integer({ min: -700_000, max: 2_900_000 }), (day) => {
        expect(weekdayOf(day)).toBe(new Date(day * 86_400_000).getUTCDay() || 7);
      }),
    );
  });

  it('count minutes', () => {
    expect(minuteOfDay('00:00')).toBe(0);
    expect(minuteOfDay('23:59')).toBe(1439);
  });
});
