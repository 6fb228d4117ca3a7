import { Inject, Injectable } from '@nestjs/common';
import { BackupForecast } from '../../backups/board/backup-forecast.js';
import type { ScheduledJob } from '../../contracts/jobs.js';
import { Outlook } from '../../delivery/dispatch/outlook.js';
import { pretendNow } from '../../platform/clock/clock.js';
import { Database } from '../../platform/database/database.js';
import { databaseFailure } from '../../platform/database/failures.js';
import {
  type Rehearsal,
  type RehearsalLimits,
  RehearsalTooLongError,
} from '../../platform/database/rehearsal.js';
import { Problem } from '../../platform/errors/problem.js';
import { type RehearsedRun, RunHandlers } from '../../runs/run-handlers.js';
import type { Slot } from '../../scheduler/slots.js';
import { rewind, REWINDABLE } from '../../notifications/alerts/rewind.js';
import {
  KNOWN,
  MAX_ROWS,
  NEW,
  NEW_PENDING,
  SILENT,
  type SilentAlert,
  WRITTEN,
  type WrittenRow,
} from '../../notifications/preview/written.sql.js';

/** Injects the limits of a preview: tests set others. */
export const PREVIEW_LIMITS = Symbol('preview limits');

/** How long a preview may hold the locks of a check. */
export const LIMITS: RehearsalLimits = { max_ms: 10_000, statement_ms: 8_000, lock_ms: 500 };
/** Previews of one process at the same time: each uses a connection. */
const MAX_AT_ONCE = 2;
/** Rows of all slots of a day. */
const MAX_DAY_ROWS = 10_000;

/** SQLSTATE of a lock that was not granted in time, and of a statement that took too long. */
const LOCK_NOT_AVAILABLE = '55P03';
const QUERY_CANCELED = '57014';

/** A rehearsed slot. */
export interface SlotOutcome extends RehearsedRun {
  slot: Slot;
  rows: readonly WrittenRow[];
  silent: readonly SilentAlert[];
}

/** The rehearsed slots of a day. */
export interface DayOutcome {
  slots: SlotOutcome[];
  /** Whether something is left out. */
  truncated: boolean;
  /** False: a rewind was requested, but there is too much. */
  rewound: boolean;
}

/** What to rehearse. */
export interface DayRequest {
  job: ScheduledJob;
  tenant_id: string;
  /** In order. */
  slots: readonly Slot[];
  /** Whether to rewind what the job announced from the first slot on. */
  rewinds: boolean;
  /** Assume that backups expected before this instant have arrived. */
  arrived_until: Date | null;
}

/** Runs the slots of a day one after the other, in one transaction that is rolled back. */
@Injectable()
export class RehearsedDay {
  private running = 0;

  constructor(
    private readonly database: Database,
    private readonly runs: RunHandlers,
    private readonly outlook: Outlook,
    private readonly backups: BackupForecast,
    @Inject(PREVIEW_LIMITS) private readonly limits: RehearsalLimits,
  ) {}

  /** @throws Problem preview_busy, preview_too_large */
  async rehearse(request: DayRequest): Promise<DayOutcome> {
    if (this.running >= MAX_AT_ONCE) throw busy('Other previews are being computed.');
    this.running += 1;
    try {
      return await this.database.rehearse(request.tenant_id, this.limits, (rehearsal) =>
        this.day(rehearsal, request),
      );
    } catch (error) {
      throw problemOf(error);
    } finally {
      this.running -= 1;
    }
  }

  private async day(rehearsal: Rehearsal, request: DayRequest): Promise<DayOutcome> {
    const { job, tenant_id, slots, rewinds, arrived_until } = request;
    const kinds = REWINDABLE[job];
    const [first] = slots;
    const begun = await this.database.tenant(tenant_id, async (tx) => {
      // Two previews would wait for each other's locks.
      const lock = await tx.one<{ granted: boolean }>(TRY_LOCK, [`preview:${tenant_id}`]);
      if (lock?.granted !== true) throw busy('Another preview of this tenant is being computed.');
      if (arrived_until !== null) await this.backups.supposeArrived(tx, arrived_until);
      const rewound =
        !rewinds || kinds === undefined || first === undefined || (await rewind(tx, first.instant, kinds));
      const known = await tx.query<{ id: string }>(KNOWN, [tenant_id, slots.map(({ instant }) => instant)]);
      return { rewound, known: known.map(({ id }) => id) };
    });
    const day: DayOutcome = { slots: [], truncated: false, rewound: begun.rewound };
    if (!begun.rewound) return day;
    let rows = 0;
    for (const slot of slots) {
      try {
        const outcome = await pretendNow(slot.instant, () =>
          this.slot(rehearsal, request, slot, begun.known),
        );
        day.slots.push(outcome);
        rows += outcome.rows.length;
        day.truncated ||= outcome.rows.length > MAX_ROWS;
      } catch (error) {
        // The results of the earlier slots are worth showing.
        if (day.slots.length === 0 || !isTooLong(error)) throw error;
        day.truncated = true;
      }
      if (rows > MAX_DAY_ROWS) day.truncated = true;
      if (day.truncated) break;
    }
    return day;
  }

  private async slot(
    rehearsal: Rehearsal,
    { job, tenant_id }: DayRequest,
    slot: Slot,
    known: readonly string[],
  ): Promise<SlotOutcome> {
    const before = rehearsal.droppedCallbacks;
    const signal = AbortSignal.timeout(this.limits.max_ms);
    const run = await this.runs.rehearse(job, { tenant_id, slot: slot.slot, signal });
    const notified = rehearsal.droppedCallbacks > before;
    return this.database.tenant(tenant_id, async (tx) => {
      const silent =
        job === 'check-notifications' ? await tx.query<SilentAlert>(SILENT, [tenant_id, slot.instant]) : [];
      if (!notified) return { ...run, slot, rows: [], silent };
      const created = await tx.query<{ id: string }>(NEW, [tenant_id, slot.instant, known, MAX_ROWS + 1]);
      const ids = created.map(({ id }) => id);
      const pending = await tx.query<{ id: string }>(NEW_PENDING, [tenant_id, ids]);
      const messages = await this.outlook.decide(
        tx,
        pending.map(({ id }) => id),
      );
      const leads = new Map(messages.flatMap((ids) => ids.map((id) => [id, ids[0]] as const)));
      const rows = await tx.query<WrittenRow>(WRITTEN, [tenant_id, ids]);
      return {
        ...run,
        slot,
        // What waits has no bundle yet.
        rows: rows.map((row) => ({ ...row, bundle_id: leads.get(row.delivery_id ?? '') ?? row.bundle_id })),
        silent,
      };
    });
  }
}

const TRY_LOCK = 'SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS granted';

function isTooLong(error: unknown): boolean {
  return error instanceof RehearsalTooLongError || databaseFailure(error)?.code === QUERY_CANCELED;
}

function problemOf(error: unknown): unknown {
  if (isTooLong(error)) {
    return new Problem('preview_too_large', 'It takes too long to compute: choose a day closer to today.');
  }
  if (databaseFailure(error)?.code === LOCK_NOT_AVAILABLE)
    return busy('A run of this tenant is in progress.');
  return error;
}

function busy(detail: string): Problem {
  return new Problem('preview_busy', detail, { headers: { 'retry-after': '2' } });
}
