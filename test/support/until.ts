import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits for a condition: asks `probe` until it gives something other than null, undefined or false.
 * @throws Error naming what was waited for once `timeoutMs` has passed.
 */
export async function until<Value>(
  what: string,
  probe: () => Value | Promise<Value>,
  timeoutMs = 15_000,
): Promise<NonNullable<Value>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== null && value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await delay(20);
  }
}
