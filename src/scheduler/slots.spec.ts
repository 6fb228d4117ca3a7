import type { Schedule } from '../contracts/jobs.js';
import { type Slot, latestOwedSlot, nextSlot, owedSlots, slotsBetween } from './slots.js';

const at = (text: string) => new Date(text);
const longAgo = at('1990-01-01T00:00Z');
const daily = (...times: string[]): Schedule => ({ kind: 'fixed', times });
const weekly = (weekday: number, time: string): Schedule => ({
  kind: 'fixed',
  times: [time],
  weekdays: [weekday],
});
const every = (minutes: number): Schedule => ({ kind: 'interval', minutes });
const shown = (slots: Slot[]) =>
  slots.map(({ slot, instant }) => `${slot} @ ${instant.toISOString().slice(0, 16)}Z`);

describe('slotsBetween', () => {
  const table: [string, Schedule, string, string, string, string[]][] = [
    [
      'spring gap',
      daily('09:00', '02:30', '14:00'),
      'Europe/Paris',
      '2026-03-28T23:00Z',
      '2026-03-29T22:00Z',
      [
        '2026-03-29T02:30 @ 2026-03-29T01:30Z',
        '2026-03-29T09:00 @ 2026-03-29T07:00Z',
        '2026-03-29T14:00 @ 2026-03-29T12:00Z',
      ],
    ],
    [
      'two slots on one instant of a gap, and one overtaking',
      daily('03:30', '02:30', '03:15'),
      'Europe/Berlin',
      '2027-03-27T23:00Z',
      '2027-03-28T22:00Z',
      [
        '2027-03-28T03:15 @ 2027-03-28T01:15Z',
        '2027-03-28T02:30 @ 2027-03-28T01:30Z',
        '2027-03-28T03:30 @ 2027-03-28T01:30Z',
      ],
    ],
    [
      'autumn overlap',
      daily('01:30', '02:00'),
      'America/New_York',
      '2026-11-01T04:00Z',
      '2026-11-02T05:00Z',
      ['2026-11-01T01:30 @ 2026-11-01T05:30Z', '2026-11-01T02:00 @ 2026-11-01T07:00Z'],
    ],
    [
      'half an hour',
      daily('02:15', '02:30'),
      'Australia/Lord_Howe',
      '2026-10-03T00:00Z',
      '2026-10-04T00:00Z',
      ['2026-10-04T02:30 @ 2026-10-03T15:30Z', '2026-10-04T02:15 @ 2026-10-03T15:45Z'],
    ],
    [
      'midnight gap',
      daily('00:00'),
      'Africa/Cairo',
      '2026-04-22T12:00Z',
      '2026-04-24T22:00Z',
      [
        '2026-04-23T00:00 @ 2026-04-22T22:00Z',
        '2026-04-24T00:00 @ 2026-04-23T22:00Z',
        '2026-04-25T00:00 @ 2026-04-24T21:00Z',
      ],
    ],
    [
      'missing date',
      daily('09:00'),
      'Pacific/Apia',
      '2011-12-29T00:00Z',
      '2011-12-31T12:00Z',
      ['2011-12-29T09:00 @ 2011-12-29T19:00Z', '2011-12-31T09:00 @ 2011-12-30T19:00Z'],
    ],
    [
      'a gap that ends a day',
      daily('00:15', '23:30'),
      'America/Nuuk',
      '2024-03-30T12:00Z',
      '2024-03-31T12:00Z',
      ['2024-03-31T00:15 @ 2024-03-31T01:15Z', '2024-03-30T23:30 @ 2024-03-31T01:30Z'],
    ],
    [
      'weekday of the local date',
      weekly(1, '08:00'),
      'Pacific/Apia',
      '2026-06-01T00:00Z',
      '2026-06-15T00:00Z',
      ['2026-06-08T08:00 @ 2026-06-07T19:00Z', '2026-06-15T08:00 @ 2026-06-14T19:00Z'],
    ],
    [
      'an interval runs in both passes of an overlap',
      every(30),
      'Europe/Paris',
      '2026-10-25T00:00Z',
      '2026-10-25T02:00Z',
      [
        '2026-10-25T00:30Z @ 2026-10-25T00:30Z',
        '2026-10-25T01:00Z @ 2026-10-25T01:00Z',
        '2026-10-25T01:30Z @ 2026-10-25T01:30Z',
        '2026-10-25T02:00Z @ 2026-10-25T02:00Z',
      ],
    ],
    ['no hours', daily(), 'Europe/Paris', '2026-06-01T00:00Z', '2026-06-08T00:00Z', []],
    ['backwards', daily('09:00'), 'Europe/Paris', '2026-06-08T00:00Z', '2026-06-01T00:00Z', []],
  ];

  it.each(table)('%s', (_, schedule, zone, after, until, expected) => {
    expect(shown(slotsBetween(schedule, zone, at(after), at(until)))).toEqual(expected);
  });

  it('excludes its start and includes its end', () => {
    const [from, to] = [at('2026-06-01T07:00Z'), at('2026-06-02T07:00Z')];
    expect(slotsBetween(daily('09:00'), 'Europe/Paris', from, to)).toEqual([
      { slot: '2026-06-02T09:00', instant: to },
    ]);
    expect(slotsBetween(every(60), 'Europe/Paris', at('2026-06-01T07:00Z'), at('2026-06-01T08:00Z'))).toEqual(
      [{ slot: '2026-06-01T08:00Z', instant: at('2026-06-01T08:00Z') }],
    );
  });

  it('stops at its limit in an endless range', () => {
    const forever = at('9999-12-31T23:59Z');
    expect(
      slotsBetween(daily('09:00', '14:00'), 'Europe/Paris', longAgo, forever, 3).map((s) => s.slot),
    ).toEqual(['1990-01-01T09:00', '1990-01-01T14:00', '1990-01-02T09:00']);
    expect(slotsBetween(every(15), 'Europe/Paris', longAgo, forever, 1).map((s) => s.slot)).toEqual([
      '1990-01-01T00:15Z',
    ]);
    expect(slotsBetween(every(15), 'Europe/Paris', longAgo, forever, 0)).toEqual([]);
  });
});

describe('latestOwedSlot', () => {
  const table: [string, Schedule, string, string, string | null][] = [
    ['on the minute', daily('09:00'), 'Europe/Paris', '2026-06-02T07:00Z', '2026-06-02T09:00'],
    ['just before it', daily('09:00'), 'Europe/Paris', '2026-06-02T06:59:59.999Z', '2026-06-01T09:00'],
    [
      'only the latest, however long the downtime',
      daily('09:00', '14:00'),
      'Europe/Paris',
      '2026-06-02T20:00Z',
      '2026-06-02T14:00',
    ],
    [
      '23 hours later, to the minute',
      daily('02:30'),
      'Europe/Paris',
      '2026-03-29T01:29Z',
      '2026-03-28T02:30',
    ],
    ['in the gap', daily('02:30'), 'Europe/Paris', '2026-03-29T01:30Z', '2026-03-29T02:30'],
    ['the overlap second time', daily('02:30'), 'Europe/Paris', '2026-10-25T01:30Z', '2026-10-25T02:30'],
    ['weekly, six days late', weekly(1, '08:00'), 'Europe/Paris', '2026-06-07T21:00Z', '2026-06-01T08:00'],
    // 2011-12-30 would have been a Friday.
    [
      'weekly, the date does not exist: a week is over a day later',
      weekly(5, '08:00'),
      'Pacific/Apia',
      '2011-12-30T17:59Z',
      '2011-12-23T08:00',
    ],
    ['weekly, older than its week', weekly(5, '08:00'), 'Pacific/Apia', '2011-12-30T18:00Z', null],
    ['weekly, a week after', weekly(5, '08:00'), 'Pacific/Apia', '2012-01-05T18:00Z', '2012-01-06T08:00'],
    [
      'daily, over the date that does not exist',
      daily('08:00'),
      'Pacific/Apia',
      '2011-12-30T17:59Z',
      '2011-12-29T08:00',
    ],
    // 00:01 goes back to 23:01 of the day before: "today" is again the 6th.
    [
      'a slot of tomorrow, in the second pass',
      daily('00:00'),
      'America/St_Johns',
      '2010-11-07T03:00Z',
      '2010-11-07T00:00',
    ],
    ['interval', every(15), 'Europe/Paris', '2026-06-01T07:14:59Z', '2026-06-01T07:00Z'],
    ['no hours', daily(), 'Europe/Paris', '2026-06-01T07:00Z', null],
    [
      'no weekdays',
      { kind: 'fixed', times: ['09:00'], weekdays: [] },
      'Europe/Paris',
      '2026-06-01T07:00Z',
      null,
    ],
  ];

  it.each(table)('%s', (_, schedule, zone, now, expected) => {
    expect(latestOwedSlot(schedule, zone, at(now), longAgo)?.slot ?? null).toBe(expected);
  });

  it.each([daily('09:00'), every(60)])('has no due slot before schedule_from: %j', (schedule) => {
    const now = at('2026-06-01T07:30Z');
    expect(latestOwedSlot(schedule, 'Europe/Paris', now, at('2026-06-01T07:00Z'))?.instant).toEqual(
      at('2026-06-01T07:00Z'),
    );
    expect(latestOwedSlot(schedule, 'Europe/Paris', now, at('2026-06-01T07:00:00.001Z'))).toBeNull();
    expect(latestOwedSlot(schedule, 'Europe/Paris', now, at('2026-07-01T00:00Z'))).toBeNull();
  });

  it('owedSlots has every slot of one instant', () => {
    const owed = owedSlots(daily('03:30', '02:30'), 'Europe/Paris', at('2026-03-29T01:30Z'), longAgo);
    expect(owed.map((s) => s.slot)).toEqual(['2026-03-29T02:30', '2026-03-29T03:30']);
  });
});

describe('nextSlot', () => {
  const table: [string, Schedule, string, string, string | null][] = [
    ['today', daily('09:00', '14:00'), 'Europe/Paris', '2026-06-01T07:00Z', '2026-06-01T14:00'],
    ['tomorrow', daily('09:00', '14:00'), 'Europe/Paris', '2026-06-01T12:00Z', '2026-06-02T09:00'],
    [
      'in the gap, after one that overtook it',
      daily('02:30', '03:15'),
      'Europe/Paris',
      '2026-03-29T01:15Z',
      '2026-03-29T02:30',
    ],
    [
      "yesterday's, moved past midnight",
      daily('23:30'),
      'America/Nuuk',
      '2024-03-31T01:00Z',
      '2024-03-30T23:30',
    ],
    ['not the overlap again', daily('02:30'), 'Europe/Paris', '2026-10-25T00:30Z', '2026-10-26T02:30'],
    ['over the missing date', weekly(5, '08:00'), 'Pacific/Apia', '2011-12-23T18:00Z', '2012-01-06T08:00'],
    ['interval', every(15), 'Europe/Paris', '2026-06-01T07:15Z', '2026-06-01T07:30Z'],
    ['no hours', daily(), 'Europe/Paris', '2026-06-01T07:00Z', null],
    [
      'no weekdays',
      { kind: 'fixed', times: ['09:00'], weekdays: [] },
      'Europe/Paris',
      '2026-06-01T07:00Z',
      null,
    ],
  ];

  it.each(table)('%s', (_, schedule, zone, after, expected) => {
    expect(nextSlot(schedule, zone, at(after))?.slot ?? null).toBe(expected);
  });
});

it.each([daily('9:00'), daily('24:00'), every(0), every(-5), every(1.5), every(NaN)])(
  'refuses %j',
  (schedule) => {
    const now = at('2026-06-01T07:00Z');
    expect(() => latestOwedSlot(schedule, 'Europe/Paris', now, longAgo)).toThrow(RangeError);
    expect(() => nextSlot(schedule, 'Europe/Paris', now)).toThrow(RangeError);
    expect(() => slotsBetween(schedule, 'Europe/Paris', longAgo, now)).toThrow(RangeError);
  },
);
