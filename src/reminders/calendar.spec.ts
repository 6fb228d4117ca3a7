import { nextDate, nextOccasion } from './calendar.js';

const HOUR = 3_600_000;
/** The civil date and time that clocks in a zone show, by ICU: it shares no code with the calendar. */
function shown(instant: Date, zone: string): string {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    dateStyle: 'short',
    timeStyle: 'short',
    hourCycle: 'h23',
  }).format(instant);
  return parts.replace(', ', 'T');
}

/** Every occasion in order, from an instant on. */
function occasions(
  rhythm: { starts_on: string; frequency_days: number; local_time: string },
  zone: string,
  from: string,
  count: number,
) {
  const found = [];
  let after = new Date(from);
  for (let n = 0; n < count; n += 1) {
    const next = nextOccasion(rhythm, zone, after);
    found.push({ on: next.on, shown: shown(next.at, zone), at: next.at });
    after = next.at;
  }
  return found;
}

describe('N1: the calendar of a reminder', () => {
  it.each(['Europe/Paris', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Pacific/Apia'])(
    'every day of 2026 in %s, at 09:00 of its clocks',
    (zone) => {
      const all = occasions(
        { starts_on: '2026-01-01', frequency_days: 1, local_time: '09:00' },
        zone,
        '2025-12-31T00:00:00Z',
        365,
      );
      expect(new Set(all.map(({ on }) => on)).size).toBe(365);
      expect([all[0]!.on, all.at(-1)!.on]).toEqual(['2026-01-01', '2026-12-31']);
      expect(all.filter((occasion) => occasion.shown !== `${occasion.on}T09:00`)).toEqual([]);
    },
  );

  it.each([
    // The gap: read with the offset before it.
    ['Europe/Paris', '02:15', '2026-03-29', '2026-03-29T01:15:00.000Z'],
    ['America/New_York', '02:15', '2026-03-08', '2026-03-08T07:15:00.000Z'],
    ['Australia/Lord_Howe', '02:15', '2026-10-04', '2026-10-03T15:45:00.000Z'],
    // The overlap: the first instant.
    ['Europe/Paris', '02:15', '2026-10-25', '2026-10-25T00:15:00.000Z'],
    ['America/New_York', '01:15', '2026-11-01', '2026-11-01T05:15:00.000Z'],
    ['Australia/Lord_Howe', '01:45', '2026-04-05', '2026-04-04T14:45:00.000Z'],
  ])('%s at %s on %s, when its clocks change', (zone, local_time, date, instant) => {
    const [before, , after] = occasions(
      { starts_on: '2026-01-01', frequency_days: 1, local_time },
      zone,
      new Date(Date.parse(instant) - 30 * HOUR).toISOString(),
      3,
    ) as [{ shown: string }, unknown, { shown: string }];
    const days = occasions(
      { starts_on: '2026-01-01', frequency_days: 1, local_time },
      zone,
      new Date(Date.parse(instant) - 1).toISOString(),
      1,
    );
    expect([days[0]!.on, days[0]!.at.toISOString()]).toEqual([date, instant]);
    expect([before.shown.slice(11), after.shown.slice(11)]).toEqual([local_time, local_time]);
  });

  it('a date that the zone skipped has no occasion, and the others do not move', () => {
    // Apia had no 30 December 2011.
    const rhythm = { starts_on: '2011-12-28', frequency_days: 2, local_time: '09:00' };
    expect(occasions(rhythm, 'Pacific/Apia', '2011-12-27T00:00:00Z', 3).map(({ on }) => on)).toEqual([
      '2011-12-28',
      '2012-01-01',
      '2012-01-03',
    ]);
  });

  it.each([
    ['2020-02-29', 366, '2026-05-01T00:00:00Z', '2027-03-06'],
    ['2026-06-01', 30, '2026-03-30T00:00:00Z', '2026-06-01'],
    ['1900-01-01', 7, '2026-03-30T08:00:00Z', '2026-04-06'],
    ['2199-12-31', 1, '2026-03-30T08:00:00Z', '2199-12-31'],
  ])('from %s every %i days, after %s: %s', (starts_on, frequency_days, after, next) => {
    expect(
      nextOccasion({ starts_on, frequency_days, local_time: '09:00' }, 'Europe/Paris', new Date(after)).on,
    ).toBe(next);
  });

  it('begins on the next date on which its time is still to come', () => {
    const now = new Date('2026-03-30T07:00:00Z');
    expect(nextDate('09:01', 'Europe/Paris', now)).toBe('2026-03-30');
    expect(nextDate('09:00', 'Europe/Paris', now)).toBe('2026-03-31');
    expect(nextDate('09:00', 'Pacific/Apia', now)).toBe('2026-03-31');
    expect(nextDate('09:00', 'America/New_York', now)).toBe('2026-03-30');
  });
});
