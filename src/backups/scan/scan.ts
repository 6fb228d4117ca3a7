import type { BackupVerdict } from '../../contracts/backups.js';
import type { RunCounts } from '../../contracts/jobs.js';

/** One scan of one tenant, as its phases share it. */
export class Scan {
  readonly counts: RunCounts = {};
  /** Entries whose staged copy is dealt with, to be written down together. */
  readonly done: string[] = [];

  /**
   * @param signal aborted when another process may be scanning this tenant: whatever is begun then can be repeated.
   * @param report tells how far the scan is.
   */
  constructor(
    readonly tenant_id: string,
    readonly slug: string,
    readonly time_zone: string,
    readonly signal: AbortSignal,
    private readonly report: (counts: RunCounts) => void,
  ) {}

  count(name: string, by: number): void {
    if (by === 0) return;
    this.counts[name] = (this.counts[name] ?? 0) + by;
    this.report(this.counts);
  }

  /** An entry has its verdict. */
  decided(verdict: BackupVerdict, entries = 1): void {
    this.count('entries', entries);
    this.count(verdict.toLowerCase(), entries);
  }

  add(counts: RunCounts): void {
    for (const [name, by] of Object.entries(counts)) this.count(name, by);
  }
}
