import { Logger } from '@nestjs/common';
import { SCHEDULED_JOBS } from '../contracts/jobs.js';
import type { OwedSlot, ScheduledTenant, SlotRun, SlotRunQuery } from '../runs/run-ledger.js';
import { effectiveSettings } from '../tenants/settings/tenant-settings.js';
import { firstOfPeriod, hoursOf, isPast, runFor, type ZonedSchedule } from './occasions.js';
import { scheduleOf } from './schedules.js';
import { nextSlot, owedSlots } from './slots.js';

/** A due slot, unless the ledger has a run that counts for it. */
export interface CandidateSlot extends OwedSlot {
  zoned: ZonedSchedule;
}

/** Once the ledger has the due slots, a tenant with this signature has no new ones from `from` until `until` (ms). */
interface Quiet {
  signature: string;
  from: number;
  until: number;
}

/** The result of one poll for some tenants. */
export interface Selection {
  /** Slots that the ledger may not have yet. */
  candidates: CandidateSlot[];
  quiet: Map<string, Quiet>;
}

/** How long a tenant is skipped if its slots cannot be computed, in ms. */
const BROKEN_MS = 3_600_000;

/**
 * Finds due slots, and remembers until when a tenant has no new ones: a round over thousands of tenants only computes
 * those whose hour has come or whose settings have changed. Forgetting costs an insert that does nothing.
 */
export class OwedSlots {
  private readonly logger = new Logger('Scheduler');
  private readonly quiet = new Map<string, Quiet>();

  /** The slots that may be due at `now`. Pass the result to `settle` once the ledger has them. */
  select(tenants: readonly ScheduledTenant[], now: Date): Selection {
    const selection: Selection = { candidates: [], quiet: new Map() };
    for (const tenant of tenants) {
      const signature = signatureOf(tenant);
      if (this.isQuiet(tenant.id, signature, now)) continue;
      const { candidates, until } = this.compute(tenant, now);
      selection.candidates.push(...candidates);
      selection.quiet.set(tenant.id, { signature, from: now.getTime(), until });
    }
    return selection;
  }

  settle(selection: Selection): void {
    for (const [id, quiet] of selection.quiet) this.quiet.set(id, quiet);
  }

  /** Forgets the tenants that are no longer scheduled. */
  keepOnly(tenantIds: ReadonlySet<string>): void {
    for (const id of this.quiet.keys()) if (!tenantIds.has(id)) this.quiet.delete(id);
  }

  private isQuiet(id: string, signature: string, now: Date): boolean {
    const quiet = this.quiet.get(id);
    // If its clock was set back, a process may have due slots again.
    return quiet?.signature === signature && now.getTime() >= quiet.from && now.getTime() < quiet.until;
  }

  private compute(tenant: ScheduledTenant, now: Date): { candidates: CandidateSlot[]; until: number } {
    try {
      return slotsOf(tenant, now);
    } catch (error) {
      // For example a zone unknown to this machine. The other tenants must not wait for it.
      this.logger.error({ event: 'tenant_not_schedulable', tenant_id: tenant.id, err: error });
      return { candidates: [], until: now.getTime() + BROKEN_MS };
    }
  }
}

/** Differs after every change, even after one that was undone before the slots of this round were written. */
function signatureOf({ time_zone, settings, schedule_from, updated_at }: ScheduledTenant): string {
  return `${time_zone} ${schedule_from.getTime()} ${updated_at.getTime()} ${settings}`;
}

/** The slots that may be due at `now`, and when (ms) the next one is. */
function slotsOf(tenant: ScheduledTenant, now: Date): { candidates: CandidateSlot[]; until: number } {
  const settings = effectiveSettings(JSON.parse(tenant.settings));
  const candidates: CandidateSlot[] = [];
  let until = Infinity;
  for (const job of SCHEDULED_JOBS) {
    const schedule = scheduleOf(job, settings);
    const zoned = { schedule, zone: tenant.time_zone };
    const hours = hoursOf(schedule);
    for (const { slot, instant } of owedSlots(schedule, tenant.time_zone, now, tenant.schedule_from)) {
      candidates.push({ tenant, job, slot, instant, hours, zoned });
    }
    until = Math.min(until, nextSlot(schedule, tenant.time_zone, now)?.instant.getTime() ?? Infinity);
  }
  return { candidates, until };
}

/** The ledger's runs that decide about these slots. For intervals its unique key decides. */
export function runsToLookUp(candidates: readonly CandidateSlot[]): SlotRunQuery[] {
  return candidates
    .filter(({ hours }) => hours !== null)
    .map(({ tenant, job, slot, zoned }) => ({
      tenant_id: tenant.id,
      job,
      since: firstOfPeriod(slot, zoned.schedule),
    }));
}

/** The slots without a run in the ledger. */
export function withoutRun(
  candidates: readonly CandidateSlot[],
  runs: readonly SlotRun[],
  now: Date,
): CandidateSlot[] {
  const byJob = new Map<string, SlotRun[]>();
  for (const run of runs) {
    const key = `${run.tenant_id} ${run.job}`;
    const known = byJob.get(key);
    if (known === undefined) byJob.set(key, [run]);
    else known.push(run);
  }
  return candidates.filter(({ tenant, job, slot, zoned }) => {
    const known = byJob.get(`${tenant.id} ${job}`) ?? [];
    return runFor(slot, zoned.schedule, known) === undefined && !isPast(slot, zoned, known, now);
  });
}
