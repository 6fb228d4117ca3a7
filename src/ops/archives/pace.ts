import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { OpenDeliveriesReader } from '../../delivery/admin/open-deliveries.js';

/** The dispatcher is behind if a delivery has been due for this long, in seconds. */
const BEHIND_SECONDS = 2;
/** How long a cleanup waits each time while the dispatcher is behind, and in total before it goes on slowly. */
const WAIT_MS = 1_000;
const MAX_WAIT_MS = 10_000;
/** How often the dispatcher is looked at. */
const LOOK_INTERVAL_MS = 500;
/** Counting deliveries stops here: only their age matters. */
const COUNTED = 1;

/** Slows down a cleanup while deliveries are waiting to be sent. */
@Injectable()
export class Pace {
  private lookedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly deliveries: OpenDeliveriesReader) {}

  /** Call it between two chunks. @throws the signal's reason */
  async rest(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (performance.now() - this.lookedAt < LOOK_INTERVAL_MS) return;
    const since = performance.now();
    while ((await this.isBehind()) && performance.now() - since < MAX_WAIT_MS) {
      await delay(WAIT_MS, undefined, { signal });
    }
    this.lookedAt = performance.now();
  }

  /** Channels that are paused or down do not count: nothing is gained by waiting for them. */
  private async isBehind(): Promise<boolean> {
    const channels = await this.deliveries.read(COUNTED);
    return channels.some(
      ({ paused, up, oldest_due_seconds }) => !paused && up && (oldest_due_seconds ?? 0) > BEHIND_SECONDS,
    );
  }
}
