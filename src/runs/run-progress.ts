import type { RunCounts } from '../contracts/jobs.js';

/** A run's progress is written at most this often, in ms. */
const PROGRESS_INTERVAL_MS = 2_000;

/** The progress of a run: stores the latest counts, and writes them at intervals. */
export class RunProgress {
  private latest: RunCounts | null = null;
  private pause: NodeJS.Timeout | null = null;
  private writing: Promise<void> | null = null;
  private ended = false;

  /** @param write must not throw. */
  constructor(private readonly write: (counts: RunCounts) => Promise<void>) {}

  note(counts: RunCounts): void {
    this.latest = { ...counts };
    this.next();
  }

  /** Stops writing, and waits for a running write. */
  async end(): Promise<void> {
    this.ended = true;
    if (this.pause !== null) clearTimeout(this.pause);
    await this.writing;
  }

  private next(): void {
    const counts = this.latest;
    if (counts === null || this.ended || this.writing !== null || this.pause !== null) return;
    this.latest = null;
    this.writing = this.write(counts).finally(() => {
      this.writing = null;
      if (this.ended) return;
      this.pause = setTimeout(() => {
        this.pause = null;
        this.next();
      }, PROGRESS_INTERVAL_MS);
    });
  }
}
