import type { Schedule } from '../contracts/jobs.js';
import type { TimelineRun } from '../runs/run-history.js';
import { isPast, runFor, type RunOfSlot } from './occasions.js';
import { slotsToRun } from './schedules.js';
import { type Slot, slotsBetween } from './slots.js';

/** The outcomes of the slots and manual runs of a job, worst first. */
export const RUN_MARKS = [
  'missed',
  'failed',
  'caught_up',
  'cancelled',
  'under_way',
  'ran',
  'planned',
] as const;
export type RunMark = (typeof RUN_MARKS)[number];

/** One letter for each mark, and a dot for an hour without any. */
const LETTERS: Readonly<Record<RunMark, string>> = {
  missed: 'm',
  failed: 'f',
  caught_up: 'c',
  cancelled: 'x',
  under_way: 'u',
  ran: 'r',
  planned: 'p',
};

/** The input for the timeline of one job of one tenant. */
export interface StripInput {
  schedule: Schedule;
  zone: string;
  /** Off: nothing is planned or missed. */
  isActive: boolean;
  /** No slot before it counts. */
  schedule_from: Date;
  /** Slots of an interval before it may have had another interval. */
  updated_at: Date;
  /** The job's runs, from a period before `from` on. */
  runs: readonly TimelineRun[];
  from: Date;
  now: Date;
  until: Date;
  /** A run that was written later than this after its slot was caught up, in ms. */
  graceMs: number;
}

export interface Strip {
  /** The worst mark of each hour from `from` on. */
  hours: string;
  counts: Record<RunMark, number>;
  /** The next slot. */
  next_at: Date | null;
}

const HOUR_MS = 60 * 60 * 1_000;
/** Planned slots of one job: an interval of 5 minutes over a day and a half. */
const MAX_AHEAD = 500;

/** The timeline of a job of a tenant. */
export function stripOf(input: StripInput): Strip {
  const { from, until } = input;
  const marks = markedIn(input);
  const counts = Object.fromEntries(RUN_MARKS.map((mark) => [mark, 0])) as Record<RunMark, number>;
  const cells = Array.from<RunMark | undefined>({
    length: Math.ceil((until.getTime() - from.getTime()) / HOUR_MS),
  });
  for (const { mark, at } of marks) {
    counts[mark]++;
    const cell = hourOf(at, from);
    const there = cells[cell];
    if (there === undefined || RUN_MARKS.indexOf(mark) < RUN_MARKS.indexOf(there)) cells[cell] = mark;
  }
  const planned = marks.filter(({ mark }) => mark === 'planned').map(({ at }) => at.getTime());
  return {
    hours: Array.from(cells, (mark) => (mark === undefined ? '.' : LETTERS[mark])).join(''),
    counts,
    next_at: planned.length === 0 ? null : new Date(Math.min(...planned)),
  };
}

/** A run or a slot of the timeline. */
export interface Marked {
  mark: RunMark;
  /** When it was due. */
  at: Date;
  /** Null: no run was created. */
  run: TimelineRun | null;
}

/** The runs and slots that the timeline counts for one job of a tenant, unordered. */
export function markedIn(input: StripInput): Marked[] {
  const { from, until } = input;
  return [...ranMarks(input), ...(input.isActive ? slotMarks(input) : [])].filter(
    ({ at }) => at >= from && at < until,
  );
}

function hourOf(at: Date, from: Date): number {
  return Math.floor((at.getTime() - from.getTime()) / HOUR_MS);
}

function ranMarks({ runs, graceMs }: StripInput): Marked[] {
  return runs.map((run) => {
    const { state, due_at: at, created_at } = run;
    const isLate = created_at.getTime() - at.getTime() > graceMs;
    if (state === 'succeeded') return { mark: isLate ? 'caught_up' : 'ran', at, run };
    return { mark: state === 'failed' || state === 'cancelled' ? state : 'under_way', at, run };
  });
}

/** Marks the slots without a run: due and future ones are planned, the others missed. */
function slotMarks(input: StripInput): Marked[] {
  const { schedule, zone, runs, from, now, until, schedule_from, updated_at } = input;
  const ofSlots = runs.flatMap(({ slot, due_at, time_zone, hours }): RunOfSlot[] =>
    slot === null ? [] : [{ slot, due_at, time_zone, hours }],
  );
  const known = new Map(ofSlots.map((run) => [run.slot, run]));
  const hasRun = ({ slot }: Slot) =>
    known.has(slot) || (schedule.kind === 'fixed' && runFor(slot, schedule, ofSlots) !== undefined);
  const zoned = { schedule, zone };
  const due = new Set(slotsToRun(zoned, ofSlots, now, schedule_from).map(({ slot }) => slot));
  const since = new Date(Math.max(from.getTime(), schedule_from.getTime()) - 1);
  const hoursWithRuns = new Set(runs.map(({ due_at }) => hourOf(due_at, from)));
  const isMissed = (slot: Slot) =>
    !isPast(slot.slot, zoned, ofSlots, now) &&
    (schedule.kind === 'fixed' ||
      slot.instant >= updated_at ||
      !hoursWithRuns.has(hourOf(slot.instant, from)));
  const past = slotsBetween(schedule, zone, since, now)
    .filter((slot) => !hasRun(slot))
    .flatMap((slot): Marked[] => {
      if (due.has(slot.slot)) return [{ mark: 'planned', at: slot.instant, run: null }];
      return isMissed(slot) ? [{ mark: 'missed', at: slot.instant, run: null }] : [];
    });
  const start = new Date(Math.max(now.getTime(), schedule_from.getTime() - 1));
  const ahead = slotsBetween(schedule, zone, start, until, MAX_AHEAD)
    .filter((slot) => !hasRun(slot))
    .map(({ instant }): Marked => ({ mark: 'planned', at: instant, run: null }));
  return [...past, ...ahead];
}
