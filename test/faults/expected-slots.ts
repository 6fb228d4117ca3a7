import type { ScheduledJob } from '../../src/contracts/jobs.js';
import { MinuteOracle } from '../../src/platform/clock/minute-oracle.fixture.js';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;

/** Hours of every tenant: some are at clock changes. */
export const SCHEDULE = {
  check_notifications: ['02:30', '09:00', '14:00'],
  weekly_summary_day: 1,
  weekly_summary: '08:00',
  update_statuses: '00:00',
  cleanup: '02:15',
  check_backups: '02:45',
  scan_backups_minutes: 15,
  process_reminders_minutes: 60,
};

interface Hours {
  job: ScheduledJob;
  times: readonly string[];
  weekday?: number;
}

const HOURS: readonly Hours[] = [
  { job: 'check-notifications', times: SCHEDULE.check_notifications },
  { job: 'weekly-summary', times: [SCHEDULE.weekly_summary], weekday: SCHEDULE.weekly_summary_day },
  { job: 'update-statuses', times: [SCHEDULE.update_statuses] },
  { job: 'cleanup', times: [SCHEDULE.cleanup] },
  { job: 'check-backups', times: [SCHEDULE.check_backups] },
];

interface Fired {
  slot: string;
  /** UTC minute at which it runs, and from which it is no longer due. */
  utc: number;
  old: number;
}

/**
 * The slots of a zone's jobs around a date, from a clock read minute by minute: it shares no code with the scheduler,
 * so that each can prove the other wrong.
 */
export class ExpectedSlots {
  private readonly fired: { job: ScheduledJob; slots: Fired[] }[];

  /** @param date 'YYYY-MM-DD'; covers instants from three days before to four days after. */
  constructor(zone: string, date: string) {
    const oracle = new MinuteOracle(zone, date, 14, 16);
    this.fired = HOURS.map((hours) => ({ job: hours.job, slots: firedBy(oracle, hours) }));
  }

  /** The slots that a scheduler polling at this instant must run, as `<job> <slot>`. */
  owedAt(instant: number): string[] {
    const now = Math.floor(instant / MINUTE_MS);
    const fixed = this.fired.flatMap(({ job, slots }) => {
      const latest = slots.filter(({ utc }) => utc <= now).at(-1)?.utc;
      return slots.filter(({ utc, old }) => utc === latest && now < old).map(({ slot }) => `${job} ${slot}`);
    });
    // Intervals are UTC, whatever a zone's clock does.
    const latest = (minutes: number) => `${MinuteOracle.text(now - (now % minutes))}Z`;
    return [
      ...fixed,
      `scan-backups ${latest(SCHEDULE.scan_backups_minutes)}`,
      `process-reminders ${latest(SCHEDULE.process_reminders_minutes)}`,
    ];
  }
}

function firedBy(oracle: MinuteOracle, { times, weekday }: Hours): Fired[] {
  const middle = Math.floor(Date.parse(`${oracle.date}T00:00:00Z`) / MINUTE_MS / DAY_MINUTES);
  const period = weekday === undefined ? 1 : 7;
  const slots: Fired[] = [];
  for (let day = middle - 12; day <= middle + 6; day++) {
    if (weekday !== undefined && MinuteOracle.weekday(day) !== weekday) continue;
    for (const time of times) {
      const minute = Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
      const utc = oracle.fires(day, minute);
      if (utc === null) continue;
      const old = oracle.fires(day + period, minute) ?? oracle.fires(day + period + 1, minute) ?? Infinity;
      slots.push({ slot: MinuteOracle.text(day * DAY_MINUTES + minute), utc, old });
    }
  }
  return slots.sort((one, other) => one.utc - other.utc);
}
