import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@nestjs/common';
import type { SendLease } from '../channels/sender.js';
import { MessageLocked } from './leases.js';

const FIRST_WAIT_MS = 50;
const MAX_WAIT_MS = 1_000;

/**
 * Records an outcome, and retries while PostgreSQL is unreachable or has the rows locked: a sent message must not be
 * re-sent because its outcome was not recorded. Logs the first failure and the end of a series.
 * @returns false if the lease was lost and another process has decided.
 * @throws the last error once the lease is known to be lost.
 */
export async function recordUntilDone(
  record: () => Promise<boolean>,
  lease: SendLease,
  logger: Logger,
  about: Record<string, unknown>,
): Promise<boolean> {
  let failures = 0;
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, MAX_WAIT_MS)) {
    try {
      const recorded = await record();
      if (failures > 0) logger.warn({ event: 'outcome_recorded_late', failures, ...about });
      return recorded;
    } catch (error) {
      if (!(error instanceof MessageLocked)) {
        failures += 1;
        if (failures === 1) logger.error({ event: 'outcome_not_recorded', ...about, err: error });
      }
      if (lease.signal.aborted) throw error;
      await delay(wait);
    }
  }
}
