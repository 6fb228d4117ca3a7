import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits for a condition, as long as something else keeps the process running: after Ctrl-C everything is closed, and a
 * wait must not hold up the exit.
 * @throws Error on a time-out.
 */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs / 1_000} s for ${what}`);
    await delay(50, undefined, { ref: false });
  }
}
