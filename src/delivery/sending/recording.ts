import { setTimeout as delay } from 'node:timers/promises';
import type { SendLease } from '../channels/sender.js';

/**
 * Writes an outcome, over and over while PostgreSQL is away: what was sent must not be sent again for want of a
 * note of it.
 * @returns false when the lease was lost and somebody else has decided.
 * @throws the last error once the lease is known to be lost.
 */
export async function recordUntilDone(record: () => Promise<boolean>, lease: SendLease): Promise<boolean> {
  for (let wait = 50; ; wait = Math.min(wait * 2, 1_000)) {
    try {
      return await record();
    } catch (error) {
      if (lease.signal.aborted) throw error;
      await delay(wait);
    }
  }
}
