import fc from 'fast-check';
import { MinuteOracle, clockChanges } from '../../platform/clock/minute-oracle.fixture.js';
import {
  type OperatingHours,
  type QuietHours,
  afterQuiet,
  nextOpen,
  nextPermitted,
  pauseEnd,
} from './hours.js';

const at = (text: string) => new Date(text);
const iso = (instant: Date | null) => instant?.toISOString().replace(':00.000Z', 'Z') ?? null;
const everyDay = [1, 2, 3, 4, 5, 6, 7];
const weekdays = [1, 2, 3, 4, 5];
const open = (from: string, to: string, days = everyDay): OperatingHours => ({ days, from, to });

describe('nextOpen', () => {
  const table: [string, OperatingHours | null, string, string, string | null][] = [
    ['no hours: always open', null, 'Europe/Paris', '2026-06-01T01:23:45Z', '2026-06-01T01:23:45.000Z'],
    ['open', open('08:00', '20:00'), 'Europe/Paris', '2026-06-01T06:00:01Z', '2026-06-01T06:00:01.000Z'],
    ['opens', open('08:00', '20:00'), 'Europe/Paris', '2026-06-01T05:59:59.999Z', '2026-06-01T06:00Z'],
    ['closed', open('08:00', '20:00'), 'Europe/Paris', '2026-06-01T18:00Z', '2026-06-02T06:00Z'],
    [
      'over the weekend',
      open('08:00', '20:00', weekdays),
      'Europe/Paris',
      '2026-06-05T18:00Z',
      '2026-06-08T06:00Z',
    ],
    [
      'a weekend with a clock change',
      open('08:00', '20:00', weekdays),
      'Europe/Paris',
      '2026-03-27T19:00Z',
      '2026-03-30T06:00Z',
    ],
    [
      'to the end of the day',
      open('08:00', '24:00'),
      'Europe/Paris',
      '2026-06-01T21:59:59Z',
      '2026-06-01T21:59:59.000Z',
    ],
    [
      'the same weekday again',
      open('08:00', '09:00', [1]),
      'Europe/Paris',
      '2026-06-01T07:00Z',
      '2026-06-08T06:00Z',
    ],
    [
      'opens in a gap: when the clock has jumped',
      open('02:30', '20:00'),
      'Europe/Paris',
      '2026-03-29T00:00Z',
      '2026-03-29T01:00Z',
    ],
    [
      'within a gap: not that day',
      open('02:15', '02:45'),
      'Europe/Paris',
      '2026-03-29T00:00Z',
      '2026-03-30T00:15Z',
    ],
    [
      'an overlap opens twice',
      open('02:15', '02:45'),
      'Europe/Paris',
      '2026-10-25T00:45Z',
      '2026-10-25T01:15Z',
    ],
    [
      'the day starts at 01:00',
      open('00:00', '12:00'),
      'Africa/Cairo',
      '2026-04-23T12:00Z',
      '2026-04-23T22:00Z',
    ],
    [
      'a date that does not exist',
      open('08:00', '12:00', [5]),
      'Pacific/Apia',
      '2011-12-24T00:00Z',
      '2012-01-05T18:00Z',
    ],
    ['no days', open('08:00', '20:00', []), 'Europe/Paris', '2026-06-01T12:00Z', null],
    // From here on, T10: hours that cross midnight.
    ['T10: closed by day', open('22:00', '06:00'), 'Europe/Paris', '2026-06-01T12:00Z', '2026-06-01T20:00Z'],
    ['T10: open', open('22:00', '06:00'), 'Europe/Paris', '2026-06-01T21:30Z', '2026-06-01T21:30Z'],
    ['T10: to the minute', open('22:00', '06:00'), 'Europe/Paris', '2026-06-02T04:00Z', '2026-06-02T20:00Z'],
    [
      'T10: the night of Friday goes on over the morning of Saturday',
      open('22:00', '06:00', weekdays),
      'Europe/Paris',
      '2026-06-06T03:59Z',
      '2026-06-06T03:59Z',
    ],
    [
      'T10: the morning of Monday belongs to the night of Sunday',
      open('22:00', '06:00', weekdays),
      'Europe/Paris',
      '2026-06-07T22:30Z',
      '2026-06-08T20:00Z',
    ],
    [
      'T10: the same night a week later',
      open('22:00', '06:00', [5]),
      'Europe/Paris',
      '2026-06-06T04:00Z',
      '2026-06-12T20:00Z',
    ],
    [
      'T10: to midnight as 00:00',
      open('20:00', '00:00'),
      'Europe/Paris',
      '2026-06-01T22:00Z',
      '2026-06-02T18:00Z',
    ],
    [
      'T10: ends in a spring gap, when the clock jumps',
      open('22:00', '02:30'),
      'Europe/Paris',
      '2026-03-29T01:00Z',
      '2026-03-29T20:00Z',
    ],
    [
      'T10: a long night, in its second pass',
      open('22:00', '02:30'),
      'Europe/Paris',
      '2026-10-25T01:15Z',
      '2026-10-25T01:15Z',
    ],
    [
      'T10: closes in the first pass, opens again for the second',
      open('22:00', '02:30'),
      'Europe/Paris',
      '2026-10-25T00:45Z',
      '2026-10-25T01:00Z',
    ],
    [
      'T10: a night of New York that is an hour short',
      open('23:00', '05:00'),
      'America/New_York',
      '2026-03-08T09:00Z',
      '2026-03-09T03:00Z',
    ],
  ];

  it.each(table)('%s', (_, hours, zone, now, expected) => {
    expect(iso(nextOpen(at(now), zone, hours))).toBe(expected);
  });
});

describe('afterQuiet', () => {
  const table: [string, QuietHours | null, string, string, string][] = [
    ['none', null, 'Europe/Paris', '2026-06-01T01:23:45Z', '2026-06-01T01:23:45.000Z'],
    [
      'from equals to',
      { from: '08:00', to: '08:00' },
      'Europe/Paris',
      '2026-06-01T06:00Z',
      '2026-06-01T06:00Z',
    ],
    [
      'before midnight',
      { from: '22:00', to: '07:00' },
      'Europe/Paris',
      '2026-06-01T20:00Z',
      '2026-06-02T05:00Z',
    ],
    [
      'after midnight',
      { from: '22:00', to: '07:00' },
      'Europe/Paris',
      '2026-06-02T04:59:59Z',
      '2026-06-02T05:00Z',
    ],
    ['over', { from: '22:00', to: '07:00' }, 'Europe/Paris', '2026-06-02T05:00Z', '2026-06-02T05:00Z'],
    [
      'not yet',
      { from: '22:00', to: '07:00' },
      'Europe/Paris',
      '2026-06-02T19:59:59Z',
      '2026-06-02T19:59:59.000Z',
    ],
    ['by day', { from: '12:00', to: '14:00' }, 'Europe/Paris', '2026-06-02T10:00Z', '2026-06-02T12:00Z'],
    [
      'a short night',
      { from: '22:00', to: '07:00' },
      'America/New_York',
      '2026-03-08T03:00Z',
      '2026-03-08T11:00Z',
    ],
    [
      'a long night',
      { from: '22:00', to: '07:00' },
      'America/New_York',
      '2026-11-01T02:00Z',
      '2026-11-01T12:00Z',
    ],
    [
      'ends in a gap: when the clock has jumped',
      { from: '22:00', to: '02:30' },
      'Europe/Paris',
      '2026-03-28T22:00Z',
      '2026-03-29T01:00Z',
    ],
    [
      'to midnight, which does not exist',
      { from: '22:00', to: '00:00' },
      'Africa/Cairo',
      '2026-04-23T21:00Z',
      '2026-04-23T22:00Z',
    ],
    [
      'over a date that does not exist',
      { from: '22:00', to: '07:00' },
      'Pacific/Apia',
      '2011-12-30T09:00Z',
      '2011-12-30T17:00Z',
    ],
    [
      'all but a minute',
      { from: '12:01', to: '12:00' },
      'Europe/Paris',
      '2026-06-02T10:01Z',
      '2026-06-03T10:00Z',
    ],
  ];

  it.each(table)('%s', (_, quiet, zone, now, expected) => {
    expect(iso(afterQuiet(at(now), zone, quiet))).toBe(expected);
  });
});

describe('nextPermitted', () => {
  const paris = {
    zone: 'Europe/Paris',
    user_zone: 'Europe/Paris',
    operating_hours: null,
    quiet_hours: null,
    receiving_hours: null,
    paused_until: null,
  };
  const office = open('08:00', '18:00', weekdays);

  it('is now if nothing forbids it', () => {
    const now = at('2026-06-01T01:23:45.678Z');
    expect(nextPermitted(now, paris)).toEqual(now);
  });

  it('waits for both', () => {
    const quiet_hours = { from: '20:00', to: '09:30' };
    expect(
      iso(nextPermitted(at('2026-06-05T19:00Z'), { ...paris, operating_hours: office, quiet_hours })),
    ).toBe('2026-06-08T07:30Z');
  });

  it("reads the quiet hours in the user's zone", () => {
    // 08:00–18:00 in Paris is 15:00–01:00 in Tokyo: open and not quiet from 15:00 to 22:00 there.
    const hours = {
      ...paris,
      operating_hours: office,
      user_zone: 'Asia/Tokyo',
      quiet_hours: { from: '22:00', to: '07:00' },
    };
    expect(iso(nextPermitted(at('2026-06-01T13:00Z'), hours))).toBe('2026-06-02T06:00Z');
  });

  describe('E6: receiving hours by weekday', () => {
    const office = [open('08:00', '19:00', weekdays)];
    const table: [string, OperatingHours[], string, string][] = [
      ['inside', office, '2026-06-05T16:59:59Z', '2026-06-05T16:59:59.000Z'],
      ['Friday evening waits until Monday', office, '2026-06-05T17:00Z', '2026-06-08T06:00Z'],
      ['Saturday waits until Monday', office, '2026-06-06T10:00Z', '2026-06-08T06:00Z'],
      ['a weekend with a clock change', office, '2026-10-23T17:00Z', '2026-10-26T07:00Z'],
      [
        'a lunch break',
        [open('08:00', '12:00', weekdays), open('14:00', '19:00', weekdays)],
        '2026-06-01T10:00Z',
        '2026-06-01T12:00Z',
      ],
      [
        'other hours on Saturday',
        [open('08:00', '19:00', weekdays), open('10:00', '12:00', [6])],
        '2026-06-05T18:00Z',
        '2026-06-06T08:00Z',
      ],
      [
        'hours that overlap are one',
        [open('08:00', '12:00'), open('11:00', '15:00')],
        '2026-06-01T10:00Z',
        '2026-06-01T10:00Z',
      ],
      ['a gap of six days', [open('08:00', '09:00', [3])], '2026-06-03T07:00Z', '2026-06-10T06:00Z'],
      ['past midnight', [open('22:00', '02:00', [5])], '2026-06-05T23:30Z', '2026-06-05T23:30Z'],
    ];

    it.each(table)('E6: %s', (_, receiving_hours, now, expected) => {
      expect(iso(nextPermitted(at(now), { ...paris, receiving_hours }))).toBe(expected);
    });

    it('E6: apply together with operating and quiet hours', () => {
      const hours = {
        ...paris,
        operating_hours: open('09:00', '18:00', [1, 2]),
        receiving_hours: [open('08:00', '19:00', [2, 3])],
        quiet_hours: { from: '19:00', to: '09:30' },
      };
      expect(iso(nextPermitted(at('2026-06-03T08:00Z'), hours))).toBe('2026-06-09T07:30Z');
    });

    it('E6: that never meet the operating hours permit nothing', () => {
      const hours = { ...paris, operating_hours: open('08:00', '18:00', [1]), receiving_hours: office };
      const weekend = { ...hours, receiving_hours: [open('08:00', '18:00', [6])] };
      expect(nextPermitted(at('2026-06-01T10:00Z'), hours)).not.toBeNull();
      expect(nextPermitted(at('2026-06-01T10:00Z'), weekend)).toBeNull();
    });
  });

  describe('E6: a pause', () => {
    const table: [string, string, string, string, string][] = [
      ['ends at midnight', 'Europe/Paris', '2026-08-24', '2026-08-01T10:00Z', '2026-08-23T22:00Z'],
      ['has ended', 'Europe/Paris', '2026-08-24', '2026-08-23T22:00Z', '2026-08-23T22:00Z'],
      ['ended long ago', 'Europe/Paris', '2025-08-24', '2026-08-23T22:00Z', '2026-08-23T22:00Z'],
      ['ends after a clock change', 'Europe/Paris', '2026-10-26', '2026-10-01T10:00Z', '2026-10-25T23:00Z'],
      [
        'ends at the first midnight of two',
        'America/Havana',
        '2026-11-01',
        '2026-10-31T10:00Z',
        '2026-11-01T04:00Z',
      ],
      [
        'ends on a day without midnight',
        'Africa/Cairo',
        '2026-04-24',
        '2026-04-20T10:00Z',
        '2026-04-23T22:00Z',
      ],
      [
        'ends on a date that does not exist',
        'Pacific/Apia',
        '2011-12-30',
        '2011-12-20T10:00Z',
        '2011-12-30T10:00Z',
      ],
    ];

    it.each(table)('E6: %s', (_, user_zone, paused_until, now, expected) => {
      expect(iso(nextPermitted(at(now), { ...paris, user_zone, paused_until }))).toBe(expected);
    });

    it('E6: is followed by the first hours that are open, even if it is long', () => {
      const hours = {
        ...paris,
        operating_hours: open('08:00', '20:00'),
        receiving_hours: [open('08:00', '19:00', weekdays)],
        quiet_hours: { from: '20:00', to: '09:00' },
        paused_until: '2027-01-02',
      };
      expect(iso(nextPermitted(at('2026-06-01T10:00Z'), hours))).toBe('2027-01-04T08:00Z');
    });

    it('E6: ends once', () => {
      const hours = { ...paris, paused_until: '2026-08-24' };
      expect(iso(pauseEnd(at('2026-08-23T21:59:59Z'), hours))).toBe('2026-08-23T22:00Z');
      expect(pauseEnd(at('2026-08-23T22:00Z'), hours)).toBeNull();
      expect(pauseEnd(at('2026-08-23T22:00Z'), paris)).toBeNull();
    });
  });

  it.each([
    ['no operating days', open('08:00', '18:00', []), null],
    ['all operating hours are quiet', office, { from: '07:00', to: '19:00' }],
    ['an empty window', open('18:00', '18:00'), null],
  ])('is null: %s', (_, operating_hours, quiet_hours) => {
    expect(nextPermitted(at('2026-06-01T10:00Z'), { ...paris, operating_hours, quiet_hours })).toBeNull();
  });

  it('refuses invalid times', () => {
    const now = at('2026-06-01T10:00Z');
    expect(() => nextOpen(now, 'Europe/Paris', open('8:00', '18:00'))).toThrow(RangeError);
    expect(() => afterQuiet(now, 'Europe/Paris', { from: '22:00', to: '24:00' })).toThrow(RangeError);
  });
});

describe('against the minute-by-minute oracle', () => {
  const oracles = clockChanges.flatMap(([zone, ...dates]) =>
    dates.map((date) => new MinuteOracle(zone, date, 3, 18)),
  );
  const oracle = fc.constantFrom(...oracles);
  const edges = [...new Set(oracles.flatMap((world) => world.edgeMinutes))];
  const minute = fc.oneof(fc.nat(1439), fc.constantFrom(...edges));
  /** Minutes from the change. */
  const near = fc.oneof(fc.integer({ min: -2 * 1440, max: 2 * 1440 }), fc.integer({ min: -180, max: 180 }));
  const ms = fc.integer({ min: 0, max: 59_999 });
  const operating = fc.option(
    fc
      .record({
        days: fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { maxLength: 7 }),
        from: minute,
        length: fc.oneof(fc.integer({ min: 1, max: 1439 }), fc.integer({ min: 1, max: 90 })),
        midnight: fc.boolean(),
      })
      // Past midnight, up to midnight, or on the same day.
      .map(({ days, from, length, midnight }) => ({
        days,
        from,
        to: midnight ? 1440 : (from + length) % 1440,
      })),
  );
  const quiet = fc.option(fc.record({ from: minute, to: minute }));
  type Operating = typeof operating extends fc.Arbitrary<infer T> ? T : never;
  type Quiet = typeof quiet extends fc.Arbitrary<infer T> ? T : never;

  const time = (m: number) => (m === 1440 ? '24:00' : MinuteOracle.text(m).slice(11));
  const hoursOf = (o: Operating) => o && { days: o.days, from: time(o.from), to: time(o.to) };
  const quietOf = (q: Quiet) => q && { from: time(q.from), to: time(q.to) };

  function isOpen(world: MinuteOracle, o: Operating, utc: number): boolean {
    if (!o) return true;
    const wall = world.wallAt(utc);
    const shown = wall % 1440;
    const begins = (day: number) => o.days.includes(MinuteOracle.weekday(day));
    const day = Math.floor(wall / 1440);
    if (o.from < o.to) return begins(day) && shown >= o.from && shown < o.to;
    return (begins(day) && shown >= o.from) || (begins(day - 1) && shown < o.to);
  }

  /** The quiet minutes, one by one around the clock. */
  function quietMinutes(q: Quiet): Set<number> {
    const minutes = new Set<number>();
    for (let m = q?.from ?? 0; m !== (q?.to ?? 0); m = (m + 1) % 1440) minutes.add(m);
    return minutes;
  }

  /** The first permitted minute from `now` on: `now` itself in its own minute. */
  function first(now: number, ms: number, permitted: (utc: number) => boolean): Date | null {
    for (let utc = now; utc <= now + 14 * 1440; utc++) {
      if (permitted(utc)) return new Date(utc * 60_000 + (utc === now ? ms : 0));
    }
    return null;
  }

  it('opens when the clock says so', () => {
    fc.assert(
      fc.property(oracle, operating, near, ms, (world, hours, offset, ms) => {
        const now = world.focus + offset;
        const expected = first(now, ms, (utc) => isOpen(world, hours, utc));
        expect(nextOpen(new Date(now * 60_000 + ms), world.zone, hoursOf(hours))).toEqual(expected);
      }),
      { numRuns: 800 },
    );
  });

  it('stays quiet as long as the clock says so', () => {
    fc.assert(
      fc.property(oracle, quiet, near, ms, (world, hours, offset, ms) => {
        const now = world.focus + offset;
        const quiet = quietMinutes(hours);
        const expected = first(now, ms, (utc) => !quiet.has(world.wallAt(utc) % 1440));
        expect(afterQuiet(new Date(now * 60_000 + ms), world.zone, quietOf(hours))).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  // Two zones whose clocks change around the same days, or the same zone twice.
  const pairs = oracles.flatMap((a) => oracles.filter((b) => a.date === b.date).map((b) => [a, b] as const));

  it('permits when both clocks say so, in two zones', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...pairs),
        operating,
        quiet,
        near,
        ms,
        ([tenant, user], o, q, offset, ms) => {
          const now = tenant.focus + offset;
          const quiet = quietMinutes(q);
          const expected = first(
            now,
            ms,
            (utc) => isOpen(tenant, o, utc) && !quiet.has(user.wallAt(utc) % 1440),
          );
          const hours = {
            zone: tenant.zone,
            operating_hours: hoursOf(o),
            user_zone: user.zone,
            quiet_hours: quietOf(q),
            receiving_hours: null,
            paused_until: null,
          };
          const found = nextPermitted(new Date(now * 60_000 + ms), hours);
          expect(found).toEqual(expected);
          if (found) expect(nextPermitted(found, hours)).toEqual(found);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('E6: permits inside the receiving hours of the week, after a pause, in two zones', () => {
    const windows = fc.option(fc.array(operating, { minLength: 1, maxLength: 4 }));
    /** Days from the change to the end of a pause. */
    const pause = fc.option(fc.integer({ min: -2, max: 2 }));
    fc.assert(
      fc.property(
        fc.constantFrom(...pairs),
        operating,
        windows,
        quiet,
        pause,
        near,
        ms,
        ([tenant, user], o, w, q, days, offset, ms) => {
          const now = tenant.focus + offset;
          const quiet = quietMinutes(q);
          const receiving = w?.filter((each) => each !== null) ?? null;
          const lastDay = days === null ? null : Math.floor(user.wallAt(user.focus) / 1440) + days;
          let ended = now;
          // The minutes before `now` count as well: an overlap may show the last evening of a pause twice.
          let over = lastDay === null;
          for (let utc = Math.min(now, user.focus - 2 * 1440); lastDay !== null && !over; utc++) {
            over = Math.floor(user.wallAt(utc) / 1440) >= lastDay;
            if (over) ended = Math.max(now, utc);
          }
          const permitted = (utc: number) =>
            isOpen(tenant, o, utc) &&
            (receiving === null || receiving.some((each) => isOpen(user, each, utc))) &&
            !quiet.has(user.wallAt(utc) % 1440);
          const hours = {
            zone: tenant.zone,
            operating_hours: hoursOf(o),
            user_zone: user.zone,
            quiet_hours: quietOf(q),
            receiving_hours: receiving?.map((each) => hoursOf(each)).filter((each) => each !== null) ?? null,
            paused_until: lastDay === null ? null : MinuteOracle.text(lastDay * 1440).slice(0, 10),
          };
          const found = nextPermitted(new Date(now * 60_000 + ms), hours);
          expect(found).toEqual(first(ended, ended === now ? ms : 0, permitted));
          if (found) expect(nextPermitted(found, hours)).toEqual(found);
        },
      ),
      { numRuns: 400 },
    );
  });
});
