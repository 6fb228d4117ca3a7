import fc from 'fast-check';
import type { Schedule } from '../contracts/jobs.js';
import { MinuteOracle } from '../platform/clock/minute-oracle.fixture.js';
import { hoursOf, type RunOfSlot, runFor } from './occasions.js';
import { slotsToRun } from './schedules.js';

const daily = (...times: string[]): Schedule => ({ kind: 'fixed', times });
const weekly = (weekday: number, time: string): Schedule => ({
  kind: 'fixed',
  times: [time],
  weekdays: [weekday],
});
const LONG_AGO = new Date('1990-01-01T00:00:00Z');
const MINUTE_MS = 60_000;

const ran = (schedule: Schedule, slot: string): RunOfSlot => ({
  slot,
  due_at: LONG_AGO,
  time_zone: 'Europe/Paris',
  hours: hoursOf(schedule),
});

describe('which run counts for a slot', () => {
  const table: [string, Schedule, string, Schedule, string, boolean][] = [
    ['its own', daily('09:00'), '2026-03-04T09:00', daily('09:00'), '2026-03-04T09:00', true],
    [
      'not that of another day',
      daily('09:00'),
      '2026-03-04T09:00',
      daily('09:00'),
      '2026-03-05T09:00',
      false,
    ],
    [
      'T1: an hour that moved ahead',
      daily('09:00'),
      '2026-03-04T09:00',
      daily('08:00'),
      '2026-03-04T08:00',
      true,
    ],
    [
      'T1: an hour that moved back',
      daily('09:00'),
      '2026-03-04T09:00',
      daily('20:00'),
      '2026-03-04T20:00',
      true,
    ],
    [
      'the nearest one that went',
      daily('09:00', '14:00'),
      '2026-03-04T09:00',
      daily('15:00'),
      '2026-03-04T15:00',
      false,
    ],
    [
      'not an hour that was added',
      daily('09:00'),
      '2026-03-04T09:00',
      daily('09:00', '14:00'),
      '2026-03-04T14:00',
      false,
    ],
    [
      'not an hour beyond one that stayed',
      daily('09:00', '14:00'),
      '2026-03-04T09:00',
      daily('14:00', '16:00'),
      '2026-03-04T16:00',
      false,
    ],
    [
      'not an hour that stayed, for one that went',
      daily('09:00', '14:00'),
      '2026-03-04T09:00',
      daily('14:00'),
      '2026-03-04T14:00',
      false,
    ],
    [
      'each its own, when all moved',
      daily('09:00', '14:00'),
      '2026-03-04T14:00',
      daily('08:00', '10:00'),
      '2026-03-04T10:00',
      true,
    ],
    [
      'T1: another day of the same week',
      weekly(1, '08:00'),
      '2026-03-02T08:00',
      weekly(7, '20:00'),
      '2026-03-08T20:00',
      true,
    ],
    [
      'not one of the week before',
      weekly(7, '08:00'),
      '2026-03-01T08:00',
      weekly(1, '08:00'),
      '2026-03-02T08:00',
      false,
    ],
  ];

  it.each(table)('%s', (_, then, slot, now, wanted, expected) => {
    expect(runFor(wanted, now, [ran(then, slot)]) !== undefined).toBe(expected);
  });

  it('a run of an interval counts only for its own slot', () => {
    const runs = [{ slot: '2026-03-04T09:15Z', due_at: LONG_AGO, time_zone: null, hours: null }];
    const every = (minutes: number): Schedule => ({ kind: 'interval', minutes });
    expect(runFor('2026-03-04T09:15Z', every(5), runs)).toBe(runs[0]);
    expect(runFor('2026-03-04T09:20Z', every(20), runs)).toBeUndefined();
  });
});

/**
 * Any hours and zones, changed at any time, with repeated polls: compares the runs with clocks read minute by minute.
 */
describe('T1: against the minute-by-minute oracle', () => {
  const ZONES = ['Europe/Paris', 'Asia/Tokyo', 'America/Los_Angeles', 'Africa/Cairo', 'Australia/Lord_Howe'];
  /** Clocks change in some of the zones, or in none. */
  const DATES = ['2026-03-29', '2026-06-10', '2026-10-04', '2026-10-30'];
  const worlds = new Map(
    ZONES.flatMap((zone) =>
      DATES.map((date) => [`${zone} ${date}`, new MinuteOracle(zone, date, 10, 12)] as const),
    ),
  );
  const worldOf = (zone: string, date: string) => worlds.get(`${zone} ${date}`)!;
  const quarter = fc.integer({ min: 0, max: 95 }).map((n) => MinuteOracle.text(n * 15).slice(11));

  interface Settings {
    zone: string;
    schedule: Extract<Schedule, { kind: 'fixed' }>;
  }

  interface Case {
    date: string;
    /** Settings, and the poll (from 0) before which they are saved. */
    steps: (Settings & { at: number })[];
    minute: number;
  }

  function cases(schedule: fc.Arbitrary<Settings['schedule']>, polls: number): fc.Arbitrary<Case> {
    const step = fc.record({
      zone: fc.constantFrom(...ZONES),
      schedule,
      at: fc.nat(polls),
    });
    return fc.record({
      date: fc.constantFrom(...DATES),
      steps: fc.array(step, { minLength: 2, maxLength: 4 }),
      minute: fc.nat(59),
    });
  }

  interface Poll {
    now: number;
    settings: Settings;
    written: string[];
  }

  /** Polls every `every` minutes from the date on, with the current settings. */
  function* polls({ date, steps, minute }: Case, count: number, every: number): Generator<Poll> {
    const ledger: RunOfSlot[] = [];
    const start = Date.parse(`${date}T00:00:00Z`) / MINUTE_MS + minute;
    const inOrder = [...steps].sort((a, b) => a.at - b.at);
    for (let poll = 0; poll < count; poll += 1) {
      const now = start + poll * every;
      const settings = inOrder.filter(({ at }) => at <= poll).at(-1) ?? inOrder[0]!;
      const owed = slotsToRun(settings, ledger, new Date(now * MINUTE_MS), LONG_AGO);
      for (const { slot, instant } of owed) {
        ledger.push({ slot, due_at: instant, time_zone: settings.zone, hours: hoursOf(settings.schedule) });
      }
      yield { now, settings, written: owed.map(({ slot }) => slot) };
    }
  }

  const minutesOf = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
  const dayOf = (slot: string) => Date.parse(`${slot.slice(0, 10)}T00:00:00Z`) / 86_400_000;
  const weekOf = (day: number) => day + 1 - MinuteOracle.weekday(day);

  /** The latest day around `now` whose slot is due by the clock. */
  function latestFired(world: MinuteOracle, schedule: Settings['schedule'], now: number): number | null {
    const today = Math.floor(world.wallAt(now) / 1_440);
    for (let day = today + 1; day >= today - 8; day -= 1) {
      if (schedule.weekdays !== undefined && !schedule.weekdays.includes(MinuteOracle.weekday(day))) continue;
      const fired = world.fires(day, minutesOf(schedule.times[0] ?? ''));
      if (fired !== null && fired <= now) return day;
    }
    return null;
  }

  /** The faults of a job of one hour a period, by period (a day or a week of `periodOf`); empty if there are none. */
  function faultsOf(example: Case, seen: Iterable<Poll>, periodOf: (day: number) => number): string[] {
    const faults: string[] = [];
    const periods = new Set<number>();
    for (const { now, settings, written } of seen) {
      const world = worldOf(settings.zone, example.date);
      const latest = latestFired(world, settings.schedule, now);
      for (const slot of written) {
        const period = periodOf(dayOf(slot));
        if (periods.has(period)) faults.push(`${slot} is the second of its period`);
        periods.add(period);
        if (dayOf(slot) !== latest) faults.push(`${slot} is not the slot that has passed last`);
      }
      const present = periodOf(Math.floor(world.wallAt(now) / 1_440));
      if (latest !== null && periodOf(latest) >= present && !periods.has(periodOf(latest))) {
        faults.push(`nothing has run for ${MinuteOracle.text(latest * 1_440)}`);
      }
    }
    return faults;
  }

  it('a job of one hour a day runs exactly once for each day whose hour has passed', () => {
    const schedule = quarter.map((time) => ({ kind: 'fixed' as const, times: [time] }));
    fc.assert(
      fc.property(cases(schedule, 24), (example) => {
        expect(faultsOf(example, polls(example, 24, 180), (day) => day)).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('a job of one hour a week runs exactly once for each week whose hour has passed', () => {
    const schedule = fc.record({
      kind: fc.constant('fixed' as const),
      times: quarter.map((time) => [time]),
      weekdays: fc.integer({ min: 1, max: 7 }).map((weekday) => [weekday]),
    });
    fc.assert(
      fc.property(cases(schedule, 20), (example) => {
        expect(faultsOf(example, polls(example, 20, 720), weekOf)).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  it('of two hours a day, an unchanged one runs once, and a change adds no third run', () => {
    const times = fc
      .tuple(fc.integer({ min: 0, max: 47 }), fc.integer({ min: 0, max: 36 }))
      // On either side of noon, and not near midnight: with polls every three hours, no two of them share a run.
      .map((halves) => halves.map((half, n) => MinuteOracle.text((n * 48 + half) * 15).slice(11)))
      .filter(([one = '', other = '']) => minutesOf(other) - minutesOf(one) >= 180);
    const schedule = times.map((chosen) => ({ kind: 'fixed' as const, times: chosen }));
    fc.assert(
      fc.property(fc.tuple(schedule, schedule, fc.nat(23)), ([then, after, at]) => {
        const zone = 'Europe/Paris';
        const steps = [
          { zone, schedule: then, at: 0 },
          { zone, schedule: after, at },
        ];
        const slots = [...polls({ date: '2026-06-10', steps, minute: 7 }, 24, 180)].flatMap(
          ({ written }) => written,
        );
        const ofDate = slots.filter((slot) => slot.startsWith('2026-06-11'));
        const kept = then.times.filter((time) => after.times.includes(time));
        const missed = kept.filter((time) => !ofDate.includes(`2026-06-11T${time}`));
        const twice = slots.filter((slot, place) => slots.indexOf(slot) !== place);
        expect({ missed, twice, third: ofDate.slice(2) }).toEqual({ missed: [], twice: [], third: [] });
      }),
      { numRuns: 500 },
    );
  });
});
