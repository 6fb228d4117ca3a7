import { addDays, instantAt, minuteOfDay, offsetAt, weekdayOf } from '../../platform/clock/civil-time.js';

/*
 * When a delivery may leave. Pure functions for the dispatcher.
 *
 * Hours are local clock times: an instant is inside a window if its local time is, including `from` and excluding `to`.
 * So in an autumn overlap both passes count, and in a spring gap the skipped times are neither open nor quiet.
 */

/** Deliveries leave only inside. A tenant's in its zone, a user's receiving hours in theirs. */
export interface OperatingHours {
  /** ISO weekdays on which they begin, 1 (Monday) to 7. */
  days: number[];
  /** Local 'HH:mm'. */
  from: string;
  /** Local 'HH:mm', or '24:00'; before `from` it means the next day's; equal to `from`: no operating hours at all. */
  to: string;
}

/** No deliveries inside. In the user's zone, every day. */
export interface QuietHours {
  /** Local 'HH:mm'. */
  from: string;
  /** Local 'HH:mm'; before `from` it means the next day's; equal to `from`: no quiet hours at all. */
  to: string;
}

export interface Hours {
  /** The tenant's zone, for the operating hours. */
  zone: string;
  operating_hours: OperatingHours | null;
  /** The user's zone, for the fields below. */
  user_zone: string;
  quiet_hours: QuietHours | null;
  /** Deliveries leave only inside of one of them; null: on every day. */
  receiving_hours: readonly OperatingHours[] | null;
  /** Civil date, YYYY-MM-DD, on which deliveries leave again. */
  paused_until: string | null;
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
// A weekly window in a week that a zone shortened returns in the next week.
const HORIZON = 14 * DAY;

/**
 * A rule on local time: takes a local time in ms as if it were UTC, returns the first permitted one from it on,
 * inclusive.
 */
type LocalRule = (local: number) => number | null;

/** The first instant from `now` on inside the operating hours: `now` itself if open; null if there is none. */
export function nextOpen(now: Date, zone: string, hours: OperatingHours | null): Date | null {
  return dateOrNull(firstPermitted(now.getTime(), now.getTime() + HORIZON, zone, openFrom(hours)));
}

/** The first instant from `now` on outside the quiet hours: `now` itself if not quiet. */
export function afterQuiet(now: Date, zone: string, quiet: QuietHours | null): Date {
  // Every day has at least one minute that is not quiet.
  return new Date(firstPermitted(now.getTime(), Infinity, zone, awakeFrom(quiet)) ?? now);
}

/**
 * The first instant of the civil date on which a pause ends, in the user's zone; null without a pause, or once it has
 * ended. A date that the zone skips ends with the next one.
 */
export function pauseEnd(now: Date, { paused_until, user_zone }: Hours): Date | null {
  if (paused_until === null) return null;
  const end =
    instantAt(paused_until, '00:00', user_zone) ?? instantAt(addDays(paused_until, 1), '00:00', user_zone);
  return end !== null && end > now ? end : null;
}

/**
 * The first instant from `now` on at which all of them permit a delivery to leave: `now` itself if they do; null if
 * there is none within 14 days, or within 14 days of the end of a pause (no operating days, or only quiet operating
 * hours).
 */
export function nextPermitted(now: Date, hours: Hours): Date | null {
  let instant = (pauseEnd(now, hours) ?? now).getTime();
  const end = instant + HORIZON;
  const rules = [
    { zone: hours.zone, rule: openFrom(hours.operating_hours) },
    { zone: hours.user_zone, rule: receivingFrom(hours.receiving_hours) },
    { zone: hours.user_zone, rule: awakeFrom(hours.quiet_hours) },
  ];
  for (;;) {
    const before = instant;
    for (const { zone, rule } of rules) {
      const permitted = firstPermitted(instant, end, zone, rule);
      if (permitted === null) return null;
      instant = permitted;
    }
    // Each iteration ends here or moves on to a later opening or end of quiet, of which there are few until `end`.
    if (instant === before) return new Date(instant);
  }
}

/**
 * Walks from one offset to the next: between two changes local time runs like UTC, so a rule need not know zones, and a
 * change of offset is only a new start. Instants in ms; null if there is none up to `end`.
 */
function firstPermitted(from: number, end: number, zone: string, rule: LocalRule | null): number | null {
  if (!rule) return from;
  let start = from;
  while (start <= end) {
    const { offset, until } = offsetAt(start, zone);
    const local = rule(start + offset);
    if (local === null) return null;
    const instant = local - offset;
    if (instant < until) return instant <= end ? instant : null;
    start = until;
  }
  return null;
}

function openFrom(hours: OperatingHours | null): LocalRule | null {
  if (!hours) return null;
  const opens = minuteOfDay(hours.from) * MINUTE;
  const ends = hours.to === '24:00' ? DAY : minuteOfDay(hours.to) * MINUTE;
  if (ends === opens) return () => null;
  const closes = ends < opens ? ends + DAY : ends;
  return (local) => {
    const today = Math.floor(local / DAY);
    // Yesterday's hours may still be open.
    for (let day = today - 1; day <= today + 7; day++) {
      if (!hours.days.includes(weekdayOf(day))) continue;
      if (local < day * DAY + closes) return Math.max(local, day * DAY + opens);
    }
    return null;
  };
}

/** The earliest opening of any of them. */
function receivingFrom(hours: readonly OperatingHours[] | null): LocalRule | null {
  if (hours === null) return null;
  const rules = hours.flatMap((each) => openFrom(each) ?? []);
  return (local) =>
    rules.reduce<number | null>((earliest, rule) => {
      const opens = rule(local);
      return earliest === null || (opens !== null && opens < earliest) ? opens : earliest;
    }, null);
}

function awakeFrom(quiet: QuietHours | null): LocalRule | null {
  if (!quiet || quiet.from === quiet.to) return null;
  const falls = minuteOfDay(quiet.from) * MINUTE;
  const ends = minuteOfDay(quiet.to) * MINUTE;
  return (local) => {
    const midnight = Math.floor(local / DAY) * DAY;
    const time = local - midnight;
    const isQuiet = falls < ends ? time >= falls && time < ends : time >= falls || time < ends;
    if (!isQuiet) return local;
    return midnight + ends + (time < ends ? 0 : DAY);
  };
}

function dateOrNull(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}
