import { setTimeout as delay } from 'node:timers/promises';

/** Measures `work`, in seconds. */
export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1_000;
}

/** Polls every `everyMs` until the condition holds. */
export async function until(
  what: string,
  probe: () => Promise<boolean> | boolean,
  { everyMs = 20, timeoutMs = 300_000 } = {},
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await probe())) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await delay(everyMs);
  }
}
