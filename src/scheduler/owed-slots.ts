import { Logger } from '@nestjs/common';
import { SCHEDULED_JOBS, type ScheduledJob } from '../contracts/jobs.js';
import { effectiveSettings } from '../tenants/tenant-settings.js';
import { scheduleOf } from './schedules.js';
import { nextSlot, owedSlots } from './slots.js';

/** What of a tenant decides when its jobs run. */
export interface ScheduledTenant {
  id: string;
  time_zone: string;
  /** As stored, in JSON. */
  settings: string;
  schedule_from: Date;
}

/** A slot of a tenant's job whose time has come. */
export interface OwedSlot {
  tenant_id: string;
  job: ScheduledJob;
  slot: string;
  instant: Date;
}

/** With what is owed in the ledger, a tenant with this signature owes nothing new from `from` until `until` (ms). */
interface Quiet {
  signature: string;
  from: number;
  until: number;
}

/** One look at some tenants. */
export interface Look {
  /** What may not be in the ledger yet. */
  owed: OwedSlot[];
  quiet: Map<string, Quiet>;
}

/** How long a tenant whose slots can't be computed is left alone, in ms. */
const BROKEN_FOR = 3_600_000;

/**
 * Finds what is owed, and remembers until when nothing more will be: a round over thousands of tenants computes
 * only for those whose hour has come or whose settings have changed. Forgetting costs an insert that does nothing.
 */
export class OwedSlots {
  private readonly logger = new Logger('Scheduler');
  private readonly quiet = new Map<string, Quiet>();

  /** What is owed at `now`. Give the answer to `settle` once the ledger has it. */
  look(tenants: readonly ScheduledTenant[], now: Date): Look {
    const look: Look = { owed: [], quiet: new Map() };
    for (const tenant of tenants) {
      const signature = signatureOf(tenant);
      if (this.isQuiet(tenant.id, signature, now)) continue;
      const { owed, until } = this.compute(tenant, now);
      look.owed.push(...owed);
      look.quiet.set(tenant.id, { signature, from: now.getTime(), until });
    }
    return look;
  }

  settle(look: Look): void {
    for (const [id, quiet] of look.quiet) this.quiet.set(id, quiet);
  }

  /** Forgets the tenants that are no longer scheduled. */
  keepOnly(tenantIds: ReadonlySet<string>): void {
    for (const id of this.quiet.keys()) if (!tenantIds.has(id)) this.quiet.delete(id);
  }

  private isQuiet(id: string, signature: string, now: Date): boolean {
    const quiet = this.quiet.get(id);
    // A clock that was turned back may owe what it did not before.
    return quiet?.signature === signature && now.getTime() >= quiet.from && now.getTime() < quiet.until;
  }

  private compute(tenant: ScheduledTenant, now: Date): { owed: OwedSlot[]; until: number } {
    try {
      return slotsOf(tenant, now);
    } catch (error) {
      // A zone that this machine does not know, say. The other tenants must not wait for it.
      this.logger.error({ event: 'tenant_not_schedulable', tenant_id: tenant.id, err: error });
      return { owed: [], until: now.getTime() + BROKEN_FOR };
    }
  }
}

function signatureOf({ time_zone, settings, schedule_from }: ScheduledTenant): string {
  return `${time_zone} ${schedule_from.getTime()} ${settings}`;
}

/** What is owed at `now`, and when (ms) the next slot comes. */
function slotsOf(tenant: ScheduledTenant, now: Date): { owed: OwedSlot[]; until: number } {
  const settings = effectiveSettings(JSON.parse(tenant.settings));
  const owed: OwedSlot[] = [];
  let until = Infinity;
  for (const job of SCHEDULED_JOBS) {
    const schedule = scheduleOf(job, settings);
    for (const { slot, instant } of owedSlots(schedule, tenant.time_zone, now, tenant.schedule_from)) {
      owed.push({ tenant_id: tenant.id, job, slot, instant });
    }
    until = Math.min(until, nextSlot(schedule, tenant.time_zone, now)?.instant.getTime() ?? Infinity);
  }
  return { owed, until };
}
