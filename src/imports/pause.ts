import { setImmediate } from 'node:timers/promises';

/** Maximum time of work before other requests get a turn, in ms. */
const MAX_WORK_MS = 10;

/** Keeps long work from blocking the event loop. */
export class Pause {
  private since = performance.now();

  /** Whether the last pause was `MAX_WORK_MS` ago. */
  get isDue(): boolean {
    return performance.now() - this.since >= MAX_WORK_MS;
  }

  /** Lets the event loop turn once. */
  async once(): Promise<void> {
    await setImmediate();
    this.since = performance.now();
  }
}
