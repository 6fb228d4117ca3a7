import { Inject, Injectable } from '@nestjs/common';
import { BackupForecast } from '../../backups/board/backup-forecast.js';
import type { ScheduledJob } from '../../contracts/jobs.js';
import { BACKUP_JOBS, kindsFoundBy } from '../../contracts/kind-lists.js';
import { addDays, instantAt } from '../../platform/clock/civil-time.js';
import { Clock } from '../../platform/clock/clock.js';
import { Database } from '../../platform/database/database.js';
import type { RunView } from '../../runs/run.dto.js';
import type { StatusChange } from '../../runs/run-handlers.js';
import type { PreviewedSlot, SchedulePreview } from '../../scheduler/scheduler.dto.js';
import { Scheduler } from '../../scheduler/scheduler.service.js';
import { tenantToday } from '../../tenants/tenant-today.js';
import { compare, runOf } from './compared.js';
import type { Assumption, PreviewAnswer, PreviewedChange, PreviewQuery } from './preview.dto.js';
import { PreviewEntries } from './preview-entries.js';
import { type DayOutcome, RehearsedDay } from './rehearsed-day.js';
import { REWINDABLE } from '../../notifications/alerts/rewind.js';
import {
  CREATED_SINCE,
  MAX_ROWS,
  SNOOZE_ENDS,
  WRITTEN,
  type WrittenRow,
} from '../../notifications/preview/written.sql.js';

/** Slots further from today are not rehearsed: what is known now says nothing about them. */
const MAX_DAYS = 400;
const DAY_MS = 86_400_000;

const NOTHING: DayOutcome = { slots: [], truncated: false, rewound: true };

/** A request for a preview. */
export interface PreviewRequest extends Pick<PreviewQuery, 'date' | 'limit' | 'user_id'> {
  job: ScheduledJob;
  /** Whose language the texts are in; null: the tenant's. */
  reader_id: string | null;
}

/**
 * Previews what a job would do on a day, by running its own code. Past slots are compared with what it did.
 */
@Injectable()
export class Previews {
  constructor(
    private readonly database: Database,
    private readonly scheduler: Scheduler,
    private readonly backups: BackupForecast,
    private readonly rehearsed: RehearsedDay,
    private readonly entries: PreviewEntries,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** @throws Problem preview_busy, preview_too_large */
  async of(tenantId: string, { job, date, limit, ...who }: PreviewRequest): Promise<PreviewAnswer> {
    const now = this.clock.now();
    const { today } = await tenantToday(this.database.single(tenantId), now);
    const near = date >= addDays(today, -MAX_DAYS) && date <= addDays(today, MAX_DAYS);
    const schedule = await this.scheduler.preview(job, tenantId, date);
    const { past, ahead: all } = split(near ? schedule.slots : [], now);
    // A scan runs a hundred times a day, and finds something at few of them.
    const ahead =
      job === 'scan-backups' && date > today ? await this.scansToRehearse(tenantId, date, all) : all;
    const runs = await this.runsOf(tenantId, job, schedule);
    const base = { job, tenant_id: tenantId, arrived_until: null };
    const earlier =
      past.length > 0 && REWINDABLE[job] !== undefined
        ? await this.rehearsed.rehearse({ ...base, slots: past, rewinds: true })
        : NOTHING;
    const arrived_until =
      BACKUP_JOBS.includes(job) && date > today ? instantAt(date, '00:00', schedule.time_zone) : null;
    const later =
      ahead.length > 0
        ? await this.rehearsed.rehearse({ ...base, slots: ahead, rewinds: false, arrived_until })
        : NOTHING;
    const outcomes = [...earlier.slots, ...later.slots];
    const ran = await this.ranOf(tenantId, job, runs);
    const compared = compare(outcomes, ran.rows, runs);
    const { data, matching, totals } = await this.entries.of(tenantId, compared, { ...who, limit, now });
    const answer: PreviewAnswer = {
      job,
      date,
      time_zone: schedule.time_zone,
      now,
      slots: schedule.slots.map(({ slot, instant, run_id, will_run }) => {
        const counts = outcomes.find((outcome) => outcome.slot.slot === slot)?.counts ?? null;
        return { slot, instant, run_id, will_run, counts };
      }),
      entries: data,
      totals,
      truncated: earlier.truncated || later.truncated || ran.truncated || matching > limit,
      assumptions: near ? assumptionsOf({ job, past, ahead, earlier }) : ['too_far_away'],
      changes: outcomes.flatMap(({ changes = [] }) => changes.map(changeOf)),
      runs,
    };
    if (BACKUP_JOBS.includes(job)) answer.backups = await this.backups.ofDate(tenantId, date);
    return answer;
  }

  /** The first scan of a later day, and the first one after each instant at which an answer may change. */
  private async scansToRehearse(
    tenantId: string,
    date: string,
    slots: readonly PreviewedSlot[],
  ): Promise<readonly PreviewedSlot[]> {
    const forecast = await this.backups.ofDate(tenantId, date);
    if (forecast.truncated) return slots;
    const ends = await this.database
      .single(tenantId)
      .query<{ at: Date }>(SNOOZE_ENDS, [tenantId, slots[0]?.instant, slots.at(-1)?.instant]);
    const changes = [
      // A report in the last instant of the grace period is still in time.
      ...forecast.data.map(({ missing_after }) => missing_after.getTime() + 1),
      ...ends.map(({ at }) => at.getTime()),
    ];
    return slots.filter(({ instant }, place) => {
      const before = slots[place - 1]?.instant.getTime();
      return before === undefined || changes.some((at) => before < at && at <= instant.getTime());
    });
  }

  /** The runs of the day's slots so far, and the manual ones. */
  private async runsOf(
    tenantId: string,
    job: ScheduledJob,
    { slots, date, time_zone }: SchedulePreview,
  ): Promise<RunView[]> {
    const start = instantAt(date, '00:00', time_zone);
    if (start === null) return [];
    const end = instantAt(addDays(date, 1), '00:00', time_zone) ?? new Date(start.getTime() + DAY_MS);
    return this.scheduler.runsOfDay(tenantId, {
      job,
      ids: slots.flatMap(({ run_id }) => run_id ?? []),
      start,
      end,
    });
  }

  /** What these runs have written. */
  private async ranOf(
    tenantId: string,
    job: ScheduledJob,
    runs: readonly RunView[],
  ): Promise<{ rows: WrittenRow[]; truncated: boolean }> {
    const began = runs.flatMap(({ started_at }) => started_at?.getTime() ?? []);
    const kinds = kindsFoundBy(job);
    if (began.length === 0 || kinds.length === 0) return { rows: [], truncated: false };
    const now = this.clock.now().getTime();
    const ended = runs.map(({ finished_at }) => finished_at?.getTime() ?? now);
    const single = this.database.single(tenantId);
    const since = new Date(Math.min(...began));
    const until = new Date(Math.max(...ended) + 1);
    const found = await single.query<{ id: string }>(`${CREATED_SINCE} LIMIT ${MAX_ROWS + 1}`, [
      tenantId,
      since,
      until,
      kinds,
    ]);
    const rows = await single.query<WrittenRow>(WRITTEN, [
      tenantId,
      found.slice(0, MAX_ROWS).map(({ id }) => id),
    ]);
    return {
      rows: rows.filter((row) => runOf(row, runs) !== undefined),
      truncated: found.length > MAX_ROWS,
    };
  }
}

/** Slots that are over, and those that will run. */
function split(
  slots: readonly PreviewedSlot[],
  now: Date,
): { past: readonly PreviewedSlot[]; ahead: readonly PreviewedSlot[] } {
  return {
    past: slots.filter(({ instant }) => instant <= now),
    ahead: slots.filter(({ instant, run_id }) => instant > now && run_id === null),
  };
}

function assumptionsOf({
  job,
  past,
  ahead,
  earlier,
}: {
  job: ScheduledJob;
  past: readonly unknown[];
  ahead: readonly unknown[];
  earlier: DayOutcome;
}): Assumption[] {
  const isRewindable = REWINDABLE[job] !== undefined;
  const announces = kindsFoundBy(job).length > 0;
  return [
    'present_state',
    ...(past.length > 0 && announces
      ? [earlier.rewound && isRewindable ? ('rewound' as const) : ('not_rewound' as const)]
      : []),
    ...(ahead.length > 0 && announces ? (['sent_until_now', 'no_other_messages'] as const) : []),
    ...(ahead.length > 0 && BACKUP_JOBS.includes(job) ? (['no_report_arrives'] as const) : []),
  ];
}

function changeOf({ source_type, id, ...change }: StatusChange): PreviewedChange {
  return { item: { type: source_type, id }, ...change };
}
