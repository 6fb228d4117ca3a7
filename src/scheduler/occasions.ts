import type { Schedule } from '../contracts/jobs.js';
import { civilDate, dateOfDay, dayOfDate, minuteOfDay, weekdayOf } from '../platform/clock/civil-time.js';

/*
 * Which run of the ledger counts for a slot. Pure functions for the scheduler, its status and its preview.
 *
 * A job has *occasions*: one for each of its hours in a civil day (in an ISO week, for a job with weekdays). A change
 * of hours moves occasions; it does not add new ones for those that have run:
 *
 * - An hour that both schedules have is the same occasion.
 * - Of the other hours, a removed one and an added one are the same occasion if they are nearest to each other and no
 *   common hour is between them. A remaining added hour is a new occasion.
 * - A run counts for its occasion in its civil day (week), whatever the tenant's zone was.
 *
 * Each run stores the hours and the zone when it was written, so the ledger alone decides: no change of settings needs
 * to be recorded.
 */

/** The ledger's data of a run of a slot. */
export interface RunOfSlot {
  slot: string;
  due_at: Date;
  time_zone: string | null;
  hours: readonly number[] | null;
}

/** A job's schedule in the zone of its tenant. */
export interface ZonedSchedule {
  schedule: Schedule;
  zone: string;
}

const DAY_MINUTES = 1_440;

/**
 * The hours of a schedule in minutes since the start of its period, ascending: the civil day; the ISO week if the
 * schedule has weekdays. Null for an interval.
 */
export function hoursOf(schedule: Schedule): number[] | null {
  if (schedule.kind === 'interval') return null;
  const minutes = schedule.times.map(minuteOfDay);
  const days = schedule.weekdays?.map((weekday) => (weekday - 1) * DAY_MINUTES) ?? [0];
  return [...new Set(days.flatMap((day) => minutes.map((minute) => day + minute)))].sort((a, b) => a - b);
}

/** The first slot name whose run may count for this slot: the start of the slot's period. */
export function firstOfPeriod(slot: string, schedule: Schedule): string {
  return schedule.kind === 'interval' ? slot : `${placeOf(slot, schedule).period}T00:00`;
}

/**
 * The run that counts for a slot of this schedule, or undefined.
 * @param runs the ledger's runs of this job from `firstOfPeriod(slot)` on.
 */
export function runFor<Run extends RunOfSlot>(
  slot: string,
  schedule: Schedule,
  runs: readonly Run[],
): Run | undefined {
  const hours = hoursOf(schedule);
  const same = runs.find((run) => run.slot === slot);
  if (same !== undefined || hours === null) return same;
  const { period, hour } = placeOf(slot, schedule);
  return runs.find((run) => {
    if (run.hours === null) return false;
    const ran = placeOf(run.slot, schedule);
    return ran.period === period && movedTo(ran.hour, run.hours, hours) === hour;
  });
}

/**
 * Whether a slot belongs to a day (week) before today's, and the job has run since the start of that day (week) under
 * another zone or other hours: a change of them brings back no slot older than today.
 * @param runs as for `runFor`.
 */
export function isPast(
  slot: string,
  { schedule, zone }: ZonedSchedule,
  runs: readonly RunOfSlot[],
  now: Date,
): boolean {
  const hours = hoursOf(schedule);
  if (hours === null) return false;
  const { period } = placeOf(slot, schedule);
  if (period >= placeOf(`${civilDate(now, zone)}T00:00`, schedule).period) return false;
  return runs.some(
    (run) => run.hours !== null && run.due_at <= now && !(run.time_zone === zone && isSame(run.hours, hours)),
  );
}

/** The hour of `now` that is the same occasion as the hour `ran` of `then`; undefined if there is none. */
function movedTo(ran: number, then: readonly number[], now: readonly number[]): number | undefined {
  if (now.includes(ran)) return ran;
  const kept = now.filter((hour) => then.includes(hour));
  const went = then.filter((hour) => !now.includes(hour));
  const came = now.filter((hour) => !then.includes(hour));
  const moves = went
    .flatMap((from) => came.map((to) => ({ from, to, distance: Math.abs(to - from) })))
    .filter(({ from, to }) => !kept.some((hour) => hour > Math.min(from, to) && hour < Math.max(from, to)))
    .sort((a, b) => a.distance - b.distance || a.from - b.from || a.to - b.to);
  const moved = new Map<number, number>();
  const taken = new Set<number>();
  for (const { from, to } of moves) {
    if (moved.has(from) || taken.has(to)) continue;
    moved.set(from, to);
    taken.add(to);
  }
  return moved.get(ran);
}

/** The period of a slot, as the civil date of its first day, and its hour in it. */
function placeOf(slot: string, schedule: Schedule): { period: string; hour: number } {
  const [date = '', time = ''] = slot.split('T');
  if (schedule.kind === 'interval' || schedule.weekdays === undefined) {
    return { period: date, hour: minuteOfDay(time) };
  }
  const day = dayOfDate(date);
  const sinceMonday = weekdayOf(day) - 1;
  return { period: dateOfDay(day - sinceMonday), hour: sinceMonday * DAY_MINUTES + minuteOfDay(time) };
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((hour, place) => hour === b[place]);
}
