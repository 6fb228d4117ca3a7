import { Logger } from '@nestjs/common';
import type { BackupVerdict } from '../../contracts/backups.js';
import type { RunCounts } from '../../contracts/jobs.js';

/** The state of one scan of a tenant, shared by its phases. */
export class Scan {
  private readonly logger = new Logger('Backups');
  readonly counts: RunCounts = {};
  /** Entries whose staged file is removed or moved; recorded in batches. */
  readonly done: string[] = [];
  /** The first skipped failure. */
  private failure: { error: unknown } | null = null;

  /**
   * @param signal aborted when another process may be scanning this tenant. Every step is repeatable.
   * @param report called with the counts so far, at each change
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

  /** Counts entries that got this verdict. */
  decided(verdict: BackupVerdict, entries = 1): void {
    this.count('entries', entries);
    this.count(verdict.toLowerCase(), entries);
  }

  add(counts: RunCounts): void {
    for (const [name, by] of Object.entries(counts)) this.count(name, by);
  }

  /** Runs a phase. Its failure does not prevent the later phases. @throws when the scan is aborted */
  async step(step: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.skip(step, error);
    }
  }

  /**
   * Skips a failure: the scan continues with the rest, and fails at its end.
   * @throws the signal's reason when the scan is aborted
   */
  skip(step: string, err: unknown, agent_id: string | null = null): void {
    this.signal.throwIfAborted();
    this.logger.error({
      event: 'backup_scan_step_failed',
      tenant_id: this.tenant_id,
      step,
      agent_id,
      err,
    });
    this.failure ??= { error: err };
  }

  /** @throws the first skipped failure */
  throwIfFailed(): void {
    if (this.failure !== null) throw this.failure.error;
  }
}
