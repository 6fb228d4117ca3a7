import type { ScheduledJob } from '../../src/contracts/jobs.js';
import { MinuteOracle } from '../../src/platform/clock/minute-oracle.fixture.js';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;

/** Hours of every tenant: some lie where clocks change. */
export const SCHEDULE = {
  check_notifications: ['02:30', '09:00', '14:00'],
  weekly_summary_day: 1,
  weekly_summary: '08:00',
  update_statuses: '00:00',
  cleanup: '02:15',
  check_backups: '02:45',
  scan_backups_minutes: 15,
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
  /** UTC minute at which it is to run, and from which on it is not owed any more. */
  utc: number;
  old: number;
}

/**
 * What a zone's jobs owe around a date, by a clock read minute by minute: it shares nothing with the scheduler,
 * so that each can prove the other wrong.
 */
export class ExpectedSlots {
  private readonly fired: { job: ScheduledJob; slots: Fired[] }[];

  /** @param date 'YYYY-MM-DD'; instants from three days before to four after can be asked for. */
  constructor(zone: string, date: string) {
    const oracle = new MinuteOracle(zone, date, 14, 16);
    this.fired = HOURS.map((hours) => ({ job: hours.job, slots: firedBy(oracle, hours) }));
  }

  /** The slots that a scheduler who looks at this instant has to see run, as `<job> <slot>`. */
  owedAt(instant: number): string[] {
    const now = Math.floor(instant / MINUTE_MS);
    const fixed = this.fired.flatMap(({ job, slots }) => {
      const latest = slots.filter(({ utc }) => utc <= now).at(-1)?.utc;
      return slots.filter(({ utc, old }) => utc === latest && now < old).map(({ slot }) => `${job} ${slot}`);
    });
    // Whatever a zone's clock does, intervals are UTC's.
    const scan = now - (now % SCHEDULE.scan_backups_minutes);
    return [...fixed, `scan-backups ${MinuteOracle.text(scan)}Z`];
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
