import type { Schedule } from '../contracts/jobs.js';
import { civilDay, dateOfDay, instantOnDay, minuteOfDay, weekdayOf } from '../platform/clock/civil-time.js';

/*
 * When a job runs. Pure functions, shared by the scheduler and the preview.
 *
 * - Fixed hours are the tenant's local time, by civil-time's rule: inside a spring gap at the shifted instant, once;
 *   inside an autumn overlap at the first instant, once; never on a date that does not exist.
 * - Intervals are UTC, so they run in both passes of an overlap and have no gaps.
 * - Two slots that a gap shifts to the same instant are still two slots.
 * - After downtime the latest missed slot is due while it is younger than the job's own period: the interval, one civil
 *   week for hours with weekdays, else one civil day.
 */

type IntervalSchedule = Extract<Schedule, { kind: 'interval' }>;

export interface Slot {
  /** Its name in the run ledger. Fixed: local 'YYYY-MM-DDTHH:mm'. Interval: UTC 'YYYY-MM-DDTHH:mmZ'. */
  slot: string;
  /** When it runs. */
  instant: Date;
}

/** Fixed hours, parsed once per call: minutes of the local day, ISO weekdays or every day. */
interface FixedHours {
  minutes: number[];
  weekdays: number[] | undefined;
}

/** A slot of fixed hours before formatting: instant in ms, civil day, minute of that day. */
interface FixedSlot {
  instant: number;
  day: number;
  minute: number;
}

const MINUTE = 60_000;
// In a gap a slot moves to a later instant, perhaps past midnight: a day's slots may mix with the next day's, and with
// no others.
const SPILL_DAYS = 1;
// A weekly slot is a week away, or two if the zone skips its date; one missed for longer than that is no longer due.
const SEARCH_AHEAD_DAYS = 15;
const SEARCH_BACK_DAYS = 8;

/**
 * All slots with an instant after `after` (exclusive) up to `until` (inclusive), by instant, then by name; the first
 * `limit` of them if given.
 */
export function slotsBetween(
  schedule: Schedule,
  zone: string,
  after: Date,
  until: Date,
  limit = Infinity,
): Slot[] {
  if (schedule.kind === 'interval') return intervalSlotsBetween(schedule, after, until, limit);

  const hours = fixedHours(schedule);
  const lastDay = civilDay(until.getTime(), zone) + SPILL_DAYS;
  const found: FixedSlot[] = [];
  let stopAfter = lastDay;
  for (let day = civilDay(after.getTime(), zone) - SPILL_DAYS; day <= stopAfter; day++) {
    for (const slot of slotsOnDay(hours, zone, day)) {
      if (slot.instant > after.getTime() && slot.instant <= until.getTime()) found.push(slot);
    }
    if (found.length >= limit) stopAfter = Math.min(stopAfter, lastDay, day + SPILL_DAYS);
  }
  return found.sort(byInstant).slice(0, limit).map(written);
}

/**
 * The slots that are due at `now`: the latest one, unless its period is over or it is before `schedule_from`; more than
 * one only if a spring gap shifts several to that instant. The ledger shows which of them have already run.
 */
export function owedSlots(schedule: Schedule, zone: string, now: Date, schedule_from: Date): Slot[] {
  if (schedule.kind === 'interval') {
    const period = periodOf(schedule);
    const instant = Math.floor(now.getTime() / period) * period;
    return instant >= schedule_from.getTime() ? [intervalSlot(instant)] : [];
  }
  const hours = fixedHours(schedule);
  return latestSlots(hours, zone, now.getTime())
    .filter((slot) => slot.instant >= schedule_from.getTime())
    .filter((slot) => now.getTime() < periodEnd(hours, zone, slot))
    .map(written);
}

/**
 * The latest due slot, or null. If a spring gap shifts several to one instant, this is the last by name: a scheduler
 * that must run each of them uses owedSlots.
 */
export function latestOwedSlot(
  schedule: Schedule,
  zone: string,
  now: Date,
  schedule_from: Date,
): Slot | null {
  return owedSlots(schedule, zone, now, schedule_from).at(-1) ?? null;
}

/** The next slot after `after` (exclusive); null if the schedule has no hours or no weekdays. */
export function nextSlot(schedule: Schedule, zone: string, after: Date): Slot | null {
  if (schedule.kind === 'interval') {
    const period = periodOf(schedule);
    return intervalSlot((Math.floor(after.getTime() / period) + 1) * period);
  }
  const hours = fixedHours(schedule);
  const today = civilDay(after.getTime(), zone);
  let next: FixedSlot | undefined;
  let stopAfter = today + SEARCH_AHEAD_DAYS;
  for (let day = today - SPILL_DAYS; day <= stopAfter; day++) {
    for (const slot of slotsOnDay(hours, zone, day)) {
      if (slot.instant <= after.getTime()) continue;
      if (!next || byInstant(slot, next) < 0) next = slot;
      stopAfter = Math.min(stopAfter, day + SPILL_DAYS);
    }
  }
  return next ? written(next) : null;
}

function fixedHours(schedule: Extract<Schedule, { kind: 'fixed' }>): FixedHours {
  return { minutes: [...new Set(schedule.times.map(minuteOfDay))], weekdays: schedule.weekdays };
}

/** The slots with the greatest instant ≤ now (ms): none, one, or several on one instant. */
function latestSlots(hours: FixedHours, zone: string, now: number): FixedSlot[] {
  const today = civilDay(now, zone);
  let latest: FixedSlot[] = [];
  let stopAfter = today - SEARCH_BACK_DAYS;
  // An overlap across midnight makes today yesterday again: a slot of tomorrow's date may have come.
  for (let day = today + 1; day >= stopAfter; day--) {
    for (const slot of slotsOnDay(hours, zone, day)) {
      if (slot.instant > now) continue;
      const best = latest[0]?.instant ?? -Infinity;
      if (slot.instant > best) latest = [slot];
      else if (slot.instant === best) latest.push(slot);
      stopAfter = Math.max(stopAfter, day - SPILL_DAYS);
    }
  }
  return latest.sort(byInstant);
}

/** The slots of one civil day, unordered; none if the day does not exist in the zone. */
function slotsOnDay(hours: FixedHours, zone: string, day: number): FixedSlot[] {
  if (hours.weekdays && !hours.weekdays.includes(weekdayOf(day))) return [];
  const slots: FixedSlot[] = [];
  for (const minute of hours.minutes) {
    const instant = instantOnDay(day, minute, zone);
    if (instant !== null) slots.push({ instant, day, minute });
  }
  return slots;
}

/**
 * When a slot stops being caught up (ms): the same time one civil day or week later, so 23 or 25 hours later on some
 * days. If that date does not exist in the zone, the next one counts.
 */
function periodEnd(hours: FixedHours, zone: string, slot: FixedSlot): number {
  const day = slot.day + (hours.weekdays ? 7 : 1);
  const end = instantOnDay(day, slot.minute, zone) ?? instantOnDay(day + 1, slot.minute, zone);
  return end ?? Infinity; // not reached: no zone skips two dates in a row
}

function byInstant(a: FixedSlot, b: FixedSlot): number {
  return a.instant - b.instant || a.day - b.day || a.minute - b.minute;
}

function written({ instant, day, minute }: FixedSlot): Slot {
  const hh = String(Math.floor(minute / 60)).padStart(2, '0');
  const mm = String(minute % 60).padStart(2, '0');
  return { slot: `${dateOfDay(day)}T${hh}:${mm}`, instant: new Date(instant) };
}

/** The period of an interval in ms. Its slots are the multiples since 1970-01-01T00:00Z. */
function periodOf({ minutes }: IntervalSchedule): number {
  if (!Number.isInteger(minutes) || minutes < 1) throw new RangeError(`an interval of ${minutes} minutes`);
  return minutes * MINUTE;
}

function intervalSlotsBetween(schedule: IntervalSchedule, after: Date, until: Date, limit: number): Slot[] {
  const period = periodOf(schedule);
  const slots: Slot[] = [];
  let instant = (Math.floor(after.getTime() / period) + 1) * period;
  while (instant <= until.getTime() && slots.length < limit) {
    slots.push(intervalSlot(instant));
    instant += period;
  }
  return slots;
}

function intervalSlot(instant: number): Slot {
  const date = new Date(instant);
  return { slot: `${date.toISOString().slice(0, 16)}Z`, instant: date };
}
