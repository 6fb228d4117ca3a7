import fc from 'fast-check';
import type { Schedule } from '../contracts/jobs.js';
import { MinuteOracle, clockChanges } from '../platform/clock/minute-oracle.fixture.js';
import { latestOwedSlot, nextSlot, owedSlots, slotsBetween } from './slots.js';

const longAgo = new Date('1990-01-01T00:00Z');

describe('the slots of a schedule, against the minute-by-minute oracle', () => {
  const oracles = clockChanges.flatMap(([zone, ...dates]) =>
    dates.map((date) => new MinuteOracle(zone, date, 13, 12)),
  );

  interface Case {
    world: MinuteOracle;
    minutes: number[];
    weekdays: number[] | undefined;
  }

  /** A schedule in some zone: any hours, more often those at which its clock changes. */
  const job: fc.Arbitrary<Case> = fc.constantFrom(...oracles).chain((world) =>
    fc.record({
      world: fc.constant(world),
      minutes: fc.uniqueArray(fc.oneof(fc.nat(1439), fc.constantFrom(...world.edgeMinutes)), {
        minLength: 1,
        maxLength: 4,
      }),
      weekdays: fc.option(fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 7 }), {
        nil: undefined,
      }),
    }),
  );

  interface Expected {
    slot: string;
    utc: number;
    /** UTC minute from which it is no longer due. */
    old: number;
  }

  function scheduleOf({ minutes, weekdays }: Case): Schedule {
    const times = minutes.map((m) => MinuteOracle.text(m).slice(11));
    return weekdays ? { kind: 'fixed', times, weekdays } : { kind: 'fixed', times };
  }

  /** All slots of the days around the change, in the order in which they run. */
  function expectedSlots({ world, minutes, weekdays }: Case): Expected[] {
    const expected: Expected[] = [];
    const change = Math.floor(world.focus / 1440);
    for (let day = change - 11; day <= change + 3; day++) {
      if (weekdays && !weekdays.includes(MinuteOracle.weekday(day))) continue;
      for (const m of minutes) {
        const utc = world.fires(day, m);
        if (utc === null) continue;
        const period = weekdays ? 7 : 1;
        const old = world.fires(day + period, m) ?? world.fires(day + period + 1, m) ?? NaN;
        expected.push({ slot: MinuteOracle.text(day * 1440 + m), utc, old });
      }
    }
    return expected.sort((a, b) => a.utc - b.utc || a.slot.localeCompare(b.slot));
  }

  const instantOf = (utc: number, ms = 0) => new Date(utc * 60_000 + ms);

  /** Minutes from the change. */
  const near = fc.oneof(fc.integer({ min: -2 * 1440, max: 2 * 1440 }), fc.integer({ min: -180, max: 180 }));
  const ms = fc.integer({ min: 0, max: 59_999 });

  it('the due slot is the latest that the clock fired', () => {
    fc.assert(
      fc.property(job, near, ms, fc.option(fc.nat(3000)), (job, offset, ms, since) => {
        const now = job.world.focus + offset;
        const from = since === null ? -Infinity : now - since;
        const fired = expectedSlots(job).filter((s) => s.utc <= now);
        const owed = fired.filter((s) => s.utc === fired.at(-1)?.utc && s.utc >= from && now < s.old);
        const schedule_from = since === null ? longAgo : instantOf(from);
        const slots = owedSlots(scheduleOf(job), job.world.zone, instantOf(now, ms), schedule_from);
        expect(slots).toEqual(owed.map((s) => ({ slot: s.slot, instant: instantOf(s.utc) })));
      }),
      { numRuns: 1_000 },
    );
  });

  it('preview and next slot are those that the clock fires', () => {
    fc.assert(
      fc.property(job, near, near, fc.option(fc.nat(6)), (job, a, b, limit) => {
        const [after, until] = [job.world.focus + Math.min(a, b), job.world.focus + Math.max(a, b)];
        const expected = expectedSlots(job)
          .filter((s) => s.utc > after && s.utc <= until)
          .map((s) => ({ slot: s.slot, instant: instantOf(s.utc) }));
        const schedule = scheduleOf(job);
        expect(
          slotsBetween(schedule, job.world.zone, instantOf(after), instantOf(until), limit ?? undefined),
        ).toEqual(expected.slice(0, limit ?? undefined));
        if (expected[0]) expect(nextSlot(schedule, job.world.zone, instantOf(after))).toEqual(expected[0]);
      }),
      { numRuns: 1_000 },
    );
  });

  it('polls every minute, by replicas an hour apart, run each local slot once and on time', () => {
    fc.assert(
      fc.property(job, (job) => {
        const schedule = scheduleOf(job);
        const [start, end] = [job.world.focus - 900, job.world.focus + 1500];
        const ledger = new Map<string, number>();
        for (let utc = start; utc <= end; utc++) {
          for (const skew of [0, -60]) {
            const now = instantOf(utc + skew, 17_000);
            for (const { slot } of owedSlots(schedule, job.world.zone, now, instantOf(start))) {
              if (!ledger.has(slot)) ledger.set(slot, utc);
            }
          }
        }
        const expected = expectedSlots(job).filter((s) => s.utc >= start && s.utc <= end);
        expect([...ledger].sort()).toEqual(expected.map((s) => [s.slot, s.utc]).sort());
      }),
      { numRuns: 40 },
    );
  });

  it('after downtime one slot is caught up, and the rest run', () => {
    fc.assert(
      fc.property(job, fc.integer({ min: 1, max: 26 * 60 }), (job, down) => {
        const schedule = scheduleOf(job);
        const [stop, end] = [job.world.focus - 700, job.world.focus + 1600];
        const run = new Set<string>();
        for (let utc = stop + down; utc <= end; utc++) {
          const owed = owedSlots(schedule, job.world.zone, instantOf(utc), instantOf(stop));
          for (const { slot } of owed) run.add(slot);
        }
        const back = stop + down;
        const expected = expectedSlots(job).filter((s) => s.utc >= stop && s.utc <= end);
        const missed = expected.filter((s) => s.utc < back);
        // A slot of that very minute replaces the missed one.
        const latest = expected.some((s) => s.utc === back)
          ? []
          : missed.filter((s) => s.utc === missed.at(-1)?.utc && back < s.old);
        const rest = expected.filter((s) => s.utc >= back);
        expect([...run].sort()).toEqual([...latest, ...rest].map((s) => s.slot).sort());
      }),
      { numRuns: 40 },
    );
  });

  it('an interval runs at each of its multiples since 1970', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1440 }),
        fc.date({
          min: new Date('2000-01-01T00:00Z'),
          max: new Date('2100-01-01T00:00Z'),
          noInvalidDate: true,
        }),
        (minutes, now) => {
          const schedule: Schedule = { kind: 'interval', minutes };
          const owed = latestOwedSlot(schedule, 'Europe/Paris', now, longAgo);
          const next = nextSlot(schedule, 'Europe/Paris', now);
          const period = minutes * 60_000;
          const age = now.getTime() - (owed?.instant.getTime() ?? NaN);
          expect(age).toBeGreaterThanOrEqual(0);
          expect(age).toBeLessThan(period);
          expect((owed?.instant.getTime() ?? NaN) % period).toBe(0);
          expect(owed?.slot).toBe(`${owed?.instant.toISOString().slice(0, 16) ?? ''}Z`);
          expect(next?.instant.getTime()).toBe((owed?.instant.getTime() ?? NaN) + period);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
