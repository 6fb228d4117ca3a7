import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits for a condition: calls `probe` until it returns something other than null, undefined or false.
 * @throws Error that names the condition after `timeoutMs`.
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
