import type { ScheduledJob } from '../contracts/jobs.js';
import { civilDate, instantAt } from '../platform/clock/civil-time.js';
import type { TenantSettings } from '../tenants/tenant-settings.js';
import { type Schedule, type Slot, slotsBetween } from './slots.js';

/** When each job runs, as the tenant has set it. */
const SCHEDULES: Record<ScheduledJob, (settings: TenantSettings) => Schedule> = {
  'check-notifications': ({ schedule }) => ({ kind: 'fixed', times: schedule.check_notifications }),
  'weekly-summary': ({ schedule }) => ({
    kind: 'fixed',
    times: [schedule.weekly_summary],
    weekdays: [schedule.weekly_summary_day],
  }),
  'check-backups': ({ schedule }) => ({ kind: 'fixed', times: [schedule.check_backups] }),
  'scan-backups': ({ schedule }) => ({ kind: 'interval', minutes: schedule.scan_backups_minutes }),
  'update-statuses': ({ schedule }) => ({ kind: 'fixed', times: [schedule.update_statuses] }),
  cleanup: ({ schedule }) => ({ kind: 'fixed', times: [schedule.cleanup] }),
};

/** The job's hours for a tenant with these settings. */
export function scheduleOf(job: ScheduledJob, settings: TenantSettings): Schedule {
  return SCHEDULES[job](settings);
}

const HOUR = 3_600_000;

/**
 * The slots of a date (YYYY-MM-DD) of the zone's calendar: fixed hours that bear it, though a gap may shift them
 * past its end, and intervals that fall on it. None if the zone skips the date.
 */
export function slotsOfDate(schedule: Schedule, zone: string, date: string): Slot[] {
  const start = instantAt(date, '00:00', zone)?.getTime();
  if (start === undefined) return [];
  // No day is that long, nor a gap.
  const around = slotsBetween(schedule, zone, new Date(start - 1), new Date(start + 48 * HOUR));
  return around.filter(({ slot, instant }) =>
    schedule.kind === 'fixed' ? slot.startsWith(date) : civilDate(instant, zone) === date,
  );
}
