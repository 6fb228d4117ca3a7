import { expectedBetween, expectedOn, nearestExpected, nextExpected } from './expected-times.js';

const DAILY = [1, 2, 3, 4, 5, 6, 7];
const at = (expected_time: string, days_of_week: readonly number[] = DAILY) => ({
  expected_time,
  days_of_week,
});
const between = (hours: ReturnType<typeof at>, zone: string, after: string, until: string) =>
  expectedBetween(hours, zone, new Date(after), new Date(until)).map(({ expected_on, expected_at }) => [
    expected_on,
    expected_at.toISOString(),
  ]);

describe('expected times (B1)', () => {
  it('are in the tenant’s zone, after one instant and up to another', () => {
    const hours = at('02:00');
    const expected = [
      ['2026-03-02', '2026-03-02T01:00:00.000Z'],
      ['2026-03-03', '2026-03-03T01:00:00.000Z'],
    ];
    expect(between(hours, 'Europe/Paris', '2026-03-01T01:00:00Z', '2026-03-03T01:00:00Z')).toEqual(expected);
    expect(between(hours, 'Europe/Paris', '2026-03-01T01:00:00Z', '2026-03-04T00:59:59.999Z')).toEqual(
      expected,
    );
    expect(between(hours, 'Europe/Paris', '2026-03-03T01:00:00Z', '2026-03-03T01:00:00Z')).toEqual([]);
    expect(between(hours, 'Europe/Paris', '2026-03-03T01:00:00Z', '2026-03-01T01:00:00Z')).toEqual([]);
  });

  it('use the tenant’s day of the week if it differs from the UTC day', () => {
    expect(
      between(at('20:00'), 'America/Los_Angeles', '2026-01-05T00:00:00Z', '2026-01-06T12:00:00Z'),
    ).toEqual([
      ['2026-01-04', '2026-01-05T04:00:00.000Z'],
      ['2026-01-05', '2026-01-06T04:00:00.000Z'],
    ]);
    expect(
      between(at('01:00'), 'Pacific/Kiritimati', '2026-01-04T00:00:00Z', '2026-01-05T12:00:00Z'),
    ).toEqual([
      ['2026-01-05', '2026-01-04T11:00:00.000Z'],
      ['2026-01-06', '2026-01-05T11:00:00.000Z'],
    ]);
  });

  it('in a gap of the clock come once that night, at the shifted instant', () => {
    expect(between(at('02:30'), 'Europe/Paris', '2026-03-28T00:00:00Z', '2026-03-30T12:00:00Z')).toEqual([
      ['2026-03-28', '2026-03-28T01:30:00.000Z'],
      ['2026-03-29', '2026-03-29T01:30:00.000Z'],
      ['2026-03-30', '2026-03-30T00:30:00.000Z'],
    ]);
  });

  it('keep their day if a gap shifts them past midnight', () => {
    // Beirut: 00:00 is 01:00 on 29 March 2026. Scoresbysund: 23:30 on the 28th is inside its gap, and becomes 00:30.
    expect(between(at('00:30'), 'Asia/Beirut', '2026-03-28T12:00:00Z', '2026-03-29T12:00:00Z')).toEqual([
      ['2026-03-29', '2026-03-28T22:30:00.000Z'],
    ]);
    const gap = between(at('23:30'), 'America/Scoresbysund', '2026-03-28T12:00:00Z', '2026-03-29T12:00:00Z');
    expect(gap).toEqual([['2026-03-28', '2026-03-29T01:30:00.000Z']]);
  });

  it('that occur twice in a night come once, the first time', () => {
    expect(between(at('02:30'), 'Europe/Paris', '2026-10-24T12:00:00Z', '2026-10-25T23:00:00Z')).toEqual([
      ['2026-10-25', '2026-10-25T00:30:00.000Z'],
    ]);
  });

  it('are skipped on a date that the zone skipped', () => {
    expect(between(at('02:00'), 'Pacific/Apia', '2011-12-28T12:00:00Z', '2011-12-31T00:00:00Z')).toEqual([
      ['2011-12-29', '2011-12-29T12:00:00.000Z'],
      ['2011-12-31', '2011-12-30T12:00:00.000Z'],
    ]);
    expect(expectedOn(at('02:00'), 'Pacific/Apia', '2011-12-30')).toBeNull();
    // The 30th, which the zone skipped, was a Friday: the next one is 14 days after the last.
    const friday = at('02:00', [5]);
    const last = new Date('2011-12-23T12:00:00Z');
    expect(nextExpected(friday, 'Pacific/Apia', last)?.expected_on).toBe('2012-01-06');
    expect(nearestExpected(friday, 'Pacific/Apia', new Date('2011-12-30T12:00:00Z'))?.expected_on).toBe(
      '2012-01-06',
    );
  });

  it('come only on their days of the week', () => {
    // 2 March 2026 is a Monday.
    const hours = at('02:00', [1, 7]);
    expect(between(hours, 'UTC', '2026-03-01T12:00:00Z', '2026-03-10T00:00:00Z').map(([day]) => day)).toEqual(
      ['2026-03-02', '2026-03-08', '2026-03-09'],
    );
    expect(expectedOn(hours, 'UTC', '2026-03-03')).toBeNull();
  });
});

describe('the next expected time (B1)', () => {
  it('is later than the instant, whether today or in a week', () => {
    const next = (hours: ReturnType<typeof at>, after: string) =>
      nextExpected(hours, 'Europe/Paris', new Date(after))?.expected_at.toISOString();
    expect(next(at('02:00'), '2026-03-02T00:59:59.999Z')).toBe('2026-03-02T01:00:00.000Z');
    expect(next(at('02:00'), '2026-03-02T01:00:00Z')).toBe('2026-03-03T01:00:00.000Z');
    expect(next(at('02:00', [1]), '2026-03-02T01:00:00Z')).toBe('2026-03-09T01:00:00.000Z');
    expect(next(at('02:30'), '2026-03-28T12:00:00Z')).toBe('2026-03-29T01:30:00.000Z');
    expect(next(at('02:30'), '2026-10-25T00:30:00Z')).toBe('2026-10-26T01:30:00.000Z');
  });

  it('is that of the previous day if a gap has shifted it past midnight', () => {
    const next = nextExpected(at('23:30'), 'America/Scoresbysund', new Date('2026-03-29T01:15:00Z'));
    expect(next?.expected_on).toBe('2026-03-28');
  });
});

describe('the expected time that a report counts for (B5)', () => {
  const nearest = (hours: ReturnType<typeof at>, instant: string, zone = 'UTC') =>
    nearestExpected(hours, zone, new Date(instant))?.expected_on;

  it.each([
    ['2026-03-03T02:00:00Z', '2026-03-03'],
    ['2026-03-02T23:00:00Z', '2026-03-03'],
    ['2026-03-03T13:59:59.999Z', '2026-03-03'],
    ['2026-03-03T14:00:00Z', '2026-03-03'],
    ['2026-03-03T14:00:00.001Z', '2026-03-04'],
  ])('is the nearest one, of two as near the earlier: %s → %s', (instant, day) => {
    expect(nearest(at('02:00'), instant)).toBe(day);
  });

  it('is the nearest in time, not by date', () => {
    expect(nearest(at('02:00'), '2026-10-25T13:15:00Z', 'Europe/Paris')).toBe('2026-10-26');
    expect(nearest(at('02:00'), '2026-10-25T12:15:00Z', 'Europe/Paris')).toBe('2026-10-25');
  });

  it('may be days later for a weekly job', () => {
    const monday = at('02:00', [1]);
    expect(nearest(monday, '2026-03-05T13:59:00Z')).toBe('2026-03-02');
    expect(nearest(monday, '2026-03-05T14:00:00Z')).toBe('2026-03-02');
    expect(nearest(monday, '2026-03-05T14:01:00Z')).toBe('2026-03-09');
  });
});
