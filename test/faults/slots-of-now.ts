import { ExpectedSlots } from './expected-slots.js';
import type { Installation } from './installation.js';
import { addScheduledTenants } from './scheduled-tenants.js';

const ZONES = ['Europe/Paris', 'America/New_York'];

/** What was wrong with the ledger of runs. */
export interface SlotFaults {
  owed: number;
  /** Owed slots without a successful run. */
  lost: string[];
  /** Runs of slots that were not owed, or that took more attempts than the killed workers explain. */
  again: string[];
}

/** Tenants that owe slots now, by the machine's clock, and the oracle that says which. */
export class SlotsOfNow {
  private readonly oracles = new Map(
    ZONES.map((zone) => [zone, new ExpectedSlots(zone, new Date().toISOString().slice(0, 10))]),
  );
  /** As `<tenant> <job> <slot>`: those that must run, and those that may because a minute has passed. */
  private readonly owed = new Set<string>();
  private readonly allowed = new Set<string>();
  private readonly tenants = new Map<string, string>();
  private batches = 0;

  constructor(private readonly installation: Installation) {}

  /** Adds tenants, whose latest slots are owed at once. */
  async add(count: number): Promise<void> {
    this.batches += 1;
    const zones = Array.from({ length: count }, (_, position) => ZONES[position % ZONES.length] ?? '');
    const added = await addScheduledTenants(this.installation, `batch-${this.batches}`, zones);
    for (const [tenant, zone] of added) this.tenants.set(tenant, zone);
    this.allowNow();
    for (const [tenant, zone] of added)
      for (const slot of this.slots(zone)) this.owed.add(`${tenant} ${slot}`);
  }

  /** Whether everything that is owed has run. */
  async done(): Promise<boolean> {
    this.allowNow();
    const rows = await this.installation.sql<{ run: string }>(
      `SELECT tenant_id || ' ' || job || ' ' || slot AS run FROM job_runs WHERE state = 'succeeded'`,
    );
    const succeeded = new Set(rows.map(({ run }) => run));
    return [...this.owed].every((run) => succeeded.has(run) || !this.isStillOwed(run));
  }

  /** @param kills of workers */
  async faults(kills: number): Promise<SlotFaults> {
    this.allowNow();
    const rows = await this.installation.sql<{ run: string; state: string; attempts: number }>(
      `SELECT tenant_id || ' ' || job || ' ' || slot AS run, state, attempts FROM job_runs
       WHERE tenant_id = ANY ($1) AND slot IS NOT NULL`,
      [[...this.tenants.keys()]],
    );
    const succeeded = new Set(rows.filter(({ state }) => state === 'succeeded').map(({ run }) => run));
    const owed = [...this.owed].filter((run) => succeeded.has(run) || this.isStillOwed(run));
    return {
      owed: owed.length,
      lost: owed.filter((run) => !succeeded.has(run)),
      again: rows
        .filter(({ run, attempts }) => !this.allowed.has(run) || attempts > 1 + kills)
        .map(({ run, attempts }) => `${run} (${attempts} attempts)`),
    };
  }

  /** A slot whose successor came before a scheduler looked is not owed any more. */
  private isStillOwed(run: string): boolean {
    const [tenant = '', ...slot] = run.split(' ');
    return this.slots(this.tenants.get(tenant) ?? '').includes(slot.join(' '));
  }

  private allowNow(): void {
    for (const [tenant, zone] of this.tenants)
      for (const slot of this.slots(zone)) this.allowed.add(`${tenant} ${slot}`);
  }

  private slots(zone: string): string[] {
    return this.oracles.get(zone)?.owedAt(Date.now()) ?? [];
  }
}
