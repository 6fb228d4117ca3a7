import { Inject, Injectable } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { SCHEDULED_JOBS, type ScheduledJob } from '../../contracts/jobs.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { notFound } from '../../platform/errors/problem.js';
import { decodeCursor, pageOf } from '../../platform/http/cursor.js';
import { RunHistory, type TimelineRun, type TimelineTenant } from '../../runs/run-history.js';
import { RunLedger } from '../../runs/run-ledger.js';
import { scheduleOf } from '../../scheduler/schedules.js';
import { markedIn, type StripInput, stripOf } from '../../scheduler/timeline.js';
import { effectiveSettings } from '../../tenants/settings/tenant-settings.js';
import type {
  Timeline,
  TimelineQuery,
  TimelineSlot,
  TimelineSlotsQuery,
  TimelineStrip,
} from './activity.dto.js';

const HOUR_MS = 60 * 60 * 1_000;
/** Reads also the runs of the week before: they show which hour of a weekly job has run. */
const PERIOD_MS = 8 * 24 * HOUR_MS;
/** Runs are written a poll after their slot, and a busy database may need longer. */
const GRACE_MS = 60_000;

/** The hours of a timeline: from the start of the first to the end of the last, around `at`. */
interface Period {
  at: Date;
  from: Date;
  until: Date;
}

/** The timeline of the runs of tenants, for operators. */
@Injectable()
export class TimelineReader {
  constructor(
    private readonly history: RunHistory,
    private readonly ledger: RunLedger,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * A page of tenants, each with its jobs: what ran in the hours before now, and what is planned in half as many after.
   * @throws Problem invalid_cursor; not_found for an unknown tenant.
   */
  async read({ limit, cursor, tenant, job, hours }: TimelineQuery): Promise<Timeline> {
    const [before] = cursor === undefined ? [null] : decodeCursor(cursor, [(key) => isUUID(key)]);
    const { at, from, until } = this.period(hours);
    const tenants = await this.history.tenants(tenant ?? null, before ?? null, limit + 1);
    if (tenant !== undefined && tenants.length === 0 && cursor === undefined) throw notFound();
    const jobs = job === undefined ? SCHEDULED_JOBS : [job];
    const shown = tenants.slice(0, limit);
    const [runs, last_poll_at] = await Promise.all([
      this.history.runsOf(
        shown.map(({ id }) => id),
        jobs,
        new Date(from.getTime() - PERIOD_MS),
      ),
      this.ledger.lastPoll(),
    ]);
    const byStrip = new Map<string, TimelineRun[]>();
    for (const run of runs) {
      const key = `${run.tenant_id} ${run.job}`;
      const known = byStrip.get(key);
      if (known === undefined) byStrip.set(key, [run]);
      else known.push(run);
    }
    const page = pageOf(
      tenants,
      limit,
      ({ id }) => [id],
      (one) =>
        jobs.map((name) =>
          this.strip(one, name, byStrip.get(`${one.id} ${name}`) ?? [], { at, from, until }),
        ),
    );
    return {
      enabled: this.config.schedulerEnabled,
      last_poll_at,
      at,
      from,
      until,
      data: page.data.flat(),
      next_cursor: page.next_cursor,
    };
  }

  /**
   * The runs and slots that the timeline counts for one job of a tenant, or those with one mark; newest first.
   * @throws Problem not_found for an unknown tenant.
   */
  async slots({ tenant, job, hours, mark }: TimelineSlotsQuery): Promise<TimelineSlot[]> {
    const period = this.period(hours);
    const [found] = await this.history.tenants(tenant, null, 1);
    if (found === undefined) throw notFound();
    const since = new Date(period.from.getTime() - PERIOD_MS);
    const runs = await this.history.runsOf([found.id], [job], since);
    return markedIn(this.inputOf(found, job, runs, period))
      .filter((one) => mark === undefined || one.mark === mark)
      .sort((one, other) => other.at.getTime() - one.at.getTime())
      .map(({ mark: of, at, run }) => ({
        mark: of,
        at,
        run_id: run?.id ?? null,
        is_manual: run !== null && run.slot === null,
        created_at: run?.created_at ?? null,
        started_at: run?.started_at ?? null,
        finished_at: run?.finished_at ?? null,
        error: run?.error ?? null,
      }));
  }

  private period(hours: number): Period {
    const at = this.clock.now();
    const start = Math.floor(at.getTime() / HOUR_MS) * HOUR_MS;
    return {
      at,
      from: new Date(start - (hours - 1) * HOUR_MS),
      until: new Date(start + (1 + Math.ceil(hours / 2)) * HOUR_MS),
    };
  }

  private strip(
    tenant: TimelineTenant,
    job: ScheduledJob,
    runs: readonly TimelineRun[],
    period: Period,
  ): TimelineStrip {
    const { id, slug, name, time_zone, suspended_at } = tenant;
    const strip = stripOf(this.inputOf(tenant, job, runs, period));
    return { tenant: { id, slug, name, time_zone, suspended: suspended_at !== null }, job, ...strip };
  }

  private inputOf(
    { time_zone, settings, schedule_from, suspended_at, updated_at }: TimelineTenant,
    job: ScheduledJob,
    runs: readonly TimelineRun[],
    { at, from, until }: Period,
  ): StripInput {
    return {
      schedule: scheduleOf(job, effectiveSettings(settings)),
      zone: time_zone,
      isActive: this.config.schedulerEnabled && suspended_at === null,
      schedule_from,
      updated_at,
      runs,
      from,
      now: at,
      until,
      graceMs: GRACE_MS + 2_000 * this.config.schedulerPollSeconds,
    };
  }
}
