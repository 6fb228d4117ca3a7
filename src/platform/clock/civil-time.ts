import { IANAZone } from 'luxon';

/*
 * Civil (local) time in an IANA zone, by one written rule:
 * - a time inside a spring gap means the shifted instant, read with the offset before the gap (02:30 on a night that
 * jumps from 02:00 to 03:00 is the instant that clocks then call 03:30);
 * - a time inside an autumn overlap means the first of its two instants;
 * - a date that a zone skipped entirely (Apia, 2011-12-30) has no instant.
 *
 * luxon provides offsets only. Its own reading of a local time picks either side of an overlap, and invents an instant
 * on a date that does not exist.
 *
 * Besides the 'YYYY-MM-DD' functions there are faster ones on *civil days*, numbered from 1970-01-01 = 0, and *minutes*
 * of the day: the scheduler and the dispatcher call them thousands of times a round.
 */

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** A zone's offsets around one civil day. `before` and `after` are in ms, local minus UTC. */
interface DayOffsets {
  before: number;
  after: number;
  /** The instant (ms) from which `after` applies; Infinity when nothing changes. */
  changesAt: number;
}

// The three-letter names that IANA, ICU and PostgreSQL read alike. ICU also accepts legacy names that are ambiguous
// (ACT, BST, IST). PostgreSQL reads CET, EET, MET and WET as abbreviations, without summer time.
const threeLetterZones = new Set('EST GMT HST MST PRC ROC ROK UCT UTC'.split(' '));

/** Whether `name` is an IANA time zone (in any case). Offsets (`+02:00`, `UTC+2`) and '' are not. */
export function isTimeZone(name: string): boolean {
  // Newer versions of Node accept "+02:00" as a zone.
  if (!/^[A-Za-z]/.test(name) || /^SystemV\//i.test(name)) return false;
  if (name.length === 3 && !threeLetterZones.has(name.toUpperCase())) return false;
  return IANAZone.isValidZone(name);
}

/** Whether `text` is a calendar date, 'YYYY-MM-DD', years 0001 to 9999 (as Postgres' `date`). */
export function isCivilDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || text.startsWith('0000')) return false;
  const midnight = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(text);
}

/** The date that clocks in `zone` show at `instant`, 'YYYY-MM-DD'. */
export function civilDate(instant: Date, zone: string): string {
  return dateOfDay(civilDay(instant.getTime(), zone));
}

/** `date` plus `n` calendar days (n may be negative). Throws RangeError when `date` is not a date. */
export function addDays(date: string, n: number): string {
  const sum = dateOfDay(dayOfDate(date) + n);
  if (!isCivilDate(sum)) throw new RangeError(`${date} plus ${n} days is not a date of the calendar`);
  return sum;
}

/**
 * The instant of a local date and time, by the rule above.
 *
 * @param time 'HH:mm', 00:00 to 23:59
 * @returns null if the date does not exist in the zone
 * @throws RangeError if date, time or zone are malformed
 */
export function instantAt(date: string, time: string, zone: string): Date | null {
  const ms = instantOnDay(dayOfDate(date), minuteOfDay(time), zone);
  return ms === null ? null : new Date(ms);
}

/** 'YYYY-MM-DD' as a civil day. Throws RangeError when it is not a date. */
export function dayOfDate(date: string): number {
  if (!isCivilDate(date)) throw new RangeError(`"${date}" is not a date (YYYY-MM-DD)`);
  return Date.parse(`${date}T00:00:00Z`) / DAY;
}

/** A civil day as 'YYYY-MM-DD'. */
export function dateOfDay(day: number): string {
  const iso = new Date(day * DAY).toISOString();
  return iso.slice(0, iso.indexOf('T'));
}

/** The ISO weekday, 1 (Monday) to 7, of a civil day. */
export function weekdayOf(day: number): number {
  const sinceMonday = (day + 3) % 7; // 1970-01-01 was a Thursday
  return (sinceMonday < 0 ? sinceMonday + 7 : sinceMonday) + 1;
}

/** 'HH:mm', 00:00 to 23:59, as minutes since 00:00 local time. Throws RangeError otherwise. */
export function minuteOfDay(time: string): number {
  if (!/^(?:[01]\d|2[0-3]):[0-5]\d$/.test(time)) throw new RangeError(`"${time}" is not a time (HH:mm)`);
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
}

/** The civil day in `zone` at an instant (ms). */
export function civilDay(instant: number, zone: string): number {
  return Math.floor((instant + offsetAt(instant, zone).offset) / DAY);
}

/** Like instantAt, for a civil day and a minute of it: the instant in ms, or null if the day does not exist. */
export function instantOnDay(day: number, minute: number, zone: string): number | null {
  const { before, after, changesAt } = offsetsAround(day, zone);
  const local = day * DAY + minute * MINUTE;
  const early = local - before;
  if (early < changesAt) return early; // the first one, if there are two
  const late = local - after;
  if (late >= changesAt) return late;
  const wholeDaySkipped = changesAt + before <= day * DAY && changesAt + after >= (day + 1) * DAY;
  return wholeDaySkipped ? null : early;
}

/**
 * The offset of `zone` at an instant (ms), as local minus UTC in ms, and an instant `until` which it certainly applies
 * (exclusive): the next change, or at least a day later.
 */
export function offsetAt(instant: number, zone: string): { offset: number; until: number } {
  const day = Math.floor(instant / DAY);
  const { before, after, changesAt } = offsetsAround(day, zone);
  const windowEnd = (day + 2) * DAY;
  return instant < changesAt
    ? { offset: before, until: Math.min(changesAt, windowEnd) }
    : { offset: after, until: windowEnd };
}

/** By zone as spelled, then by civil day: luxon takes some microseconds per offset. */
const remembered = new Map<string, Map<number, DayOffsets>>();
const REMEMBERED_AT_MOST = 20_000; // all zones over some weeks; about 3 MB
let rememberedDays = 0;

/**
 * The offsets from a day before the civil day, read as UTC, to a day after it. No zone is further than 15 hours from
 * UTC, so that covers every instant of the day. The range holds at most one change: in the whole tz database since 1970
 * no two are less than four days apart.
 */
function offsetsAround(day: number, zone: string): DayOffsets {
  const known = remembered.get(zone)?.get(day);
  if (known) return known;

  // luxon caches a heavy formatter per zone name forever: users must not make it cache one per spelling.
  const found = findOffsets(day, IANAZone.create(zone.toLowerCase()));
  if (rememberedDays >= REMEMBERED_AT_MOST) {
    remembered.clear();
    rememberedDays = 0;
  }
  const days = remembered.get(zone) ?? new Map<number, DayOffsets>();
  remembered.set(zone, days.set(day, found));
  rememberedDays++;
  return found;
}

function findOffsets(day: number, zone: IANAZone): DayOffsets {
  if (!zone.isValid) throw new RangeError(`"${zone.name}" is not a time zone`);
  const offset = (instant: number) => Math.round(zone.offset(instant) * MINUTE);
  let low = (day - 1) * DAY;
  let high = (day + 2) * DAY;
  const before = offset(low);
  const after = offset(high);
  if (Number.isNaN(before) || Number.isNaN(after)) throw new RangeError(`day ${day} is out of range`);
  if (before === after) return { before, after, changesAt: Infinity };
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offset(middle) === before) low = middle;
    else high = middle;
  }
  return { before, after, changesAt: high };
}
