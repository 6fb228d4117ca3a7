import { runDeclaration, type Schedule, type ScheduledJob } from '../contracts/jobs.js';
import { civilDate, instantAt } from '../platform/clock/civil-time.js';
import type { TenantSettings } from '../tenants/settings/tenant-settings.js';
import { isPast, runFor, type RunOfSlot, type ZonedSchedule } from './occasions.js';
import { owedSlots, type Slot, slotsBetween } from './slots.js';

/** The job's hours for a tenant with these settings. */
export function scheduleOf(job: ScheduledJob, settings: TenantSettings): Schedule {
  return runDeclaration(job).schedule(settings.schedule);
}

const HOUR = 3_600_000;
/** How far ahead `nextToRun` searches: a weekly slot may have run early, and the next one's date may not exist. */
const HORIZON_DAYS = 23;
/** Slots of an interval may have run early if a clock was set back. */
const MAX_AHEAD = 500;

/**
 * The slots of a date (YYYY-MM-DD) of the zone's calendar: its fixed hours, even if a gap shifts them past midnight,
 * and intervals that fall on it. None if the zone skips the date.
 */
export function slotsOfDate(schedule: Schedule, zone: string, date: string): Slot[] {
  const start = instantAt(date, '00:00', zone)?.getTime();
  if (start === undefined) return [];
  // No day or gap is that long.
  const around = slotsBetween(schedule, zone, new Date(start - 1), new Date(start + 48 * HOUR));
  return around.filter(({ slot, instant }) =>
    schedule.kind === 'fixed' ? slot.startsWith(date) : civilDate(instant, zone) === date,
  );
}

/**
 * The slots that a poll at `now` writes: those of `owedSlots` without a run in the ledger.
 * @param runs the ledger's runs of the job, from the first one of the earliest slot's period on.
 */
export function slotsToRun(
  zoned: ZonedSchedule,
  runs: readonly RunOfSlot[],
  now: Date,
  schedule_from: Date,
): Slot[] {
  return owedSlots(zoned.schedule, zoned.zone, now, schedule_from).filter(
    ({ slot }) => runFor(slot, zoned.schedule, runs) === undefined && !isPast(slot, zoned, runs, now),
  );
}

/**
 * The next slot that will run: a due one that waits for the next poll, else the first future one without a run in the
 * ledger. Null if the schedule has no hours.
 * @param runs as for `slotsToRun`.
 */
export function nextToRun(
  zoned: ZonedSchedule,
  runs: readonly RunOfSlot[],
  now: Date,
  schedule_from: Date,
): Slot | null {
  const [owed] = slotsToRun(zoned, runs, now, schedule_from);
  if (owed !== undefined) return owed;
  const after = Math.max(now.getTime(), schedule_from.getTime() - 1);
  const ahead = slotsBetween(
    zoned.schedule,
    zoned.zone,
    new Date(after),
    new Date(after + HORIZON_DAYS * 24 * HOUR),
    MAX_AHEAD,
  );
  return ahead.find(({ slot }) => runFor(slot, zoned.schedule, runs) === undefined) ?? null;
}
