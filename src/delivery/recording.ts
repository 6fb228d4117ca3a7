import { setTimeout as delay } from 'node:timers/promises';
import type { SendLease } from './channels/sender.js';

/** Restarts of PostgreSQL take seconds; after this long, in ms, the reaper has decided without us. */
const GIVE_UP_MS = 60_000;

/**
 * Writes an outcome, over and over while PostgreSQL is away: what was sent must not be sent again for want of a
 * note of it.
 * @returns false when the lease was lost and somebody else has decided.
 * @throws the last error after a minute.
 */
export async function recordUntilDone(record: () => Promise<boolean>, lease: SendLease): Promise<boolean> {
  const giveUpAt = performance.now() + GIVE_UP_MS;
  for (let wait = 50; ; wait = Math.min(wait * 2, 1_000)) {
    try {
      return await record();
    } catch (error) {
      if (lease.signal.aborted || performance.now() > giveUpAt) throw error;
      await delay(wait);
    }
  }
}
