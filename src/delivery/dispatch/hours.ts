import { minuteOfDay, offsetAt, weekdayOf } from '../../platform/clock/civil-time.js';

/*
 * When a delivery may leave. Pure functions for the dispatcher.
 *
 * Hours are local clock times: an instant is inside a window if its local time is, including `from` and excluding `to`.
 * So in an autumn overlap both passes count, and in a spring gap the skipped times are neither open nor quiet.
 */

/** Deliveries leave only inside. In the tenant's zone. */
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
  /** The user's zone, for the quiet hours. */
  user_zone: string;
  quiet_hours: QuietHours | null;
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
 * The first instant from `now` on at which both permit a delivery to leave: `now` itself if they do; null if there is
 * none within 14 days (no operating days, or only quiet operating hours).
 */
export function nextPermitted(now: Date, hours: Hours): Date | null {
  const end = now.getTime() + HORIZON;
  const open = openFrom(hours.operating_hours);
  const awake = awakeFrom(hours.quiet_hours);
  let instant = now.getTime();
  for (;;) {
    const opens = firstPermitted(instant, end, hours.zone, open);
    const wakes = opens === null ? null : firstPermitted(opens, end, hours.user_zone, awake);
    if (opens === null || wakes === null) return null;
    // Each iteration ends here or moves on to a later opening or end of quiet, of which there are few until `end`.
    if (!(wakes > opens)) return new Date(wakes);
    instant = wakes;
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
