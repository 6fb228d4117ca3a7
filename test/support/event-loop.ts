import { cpuMs } from './cpu-time.js';

const TICK_MS = 5;

/**
 * Measures the longest time that this process worked between two turns of its event loop, while `work` runs: for so
 * long no other request could be answered. It is CPU time, which does not depend on what else the machine does.
 * @returns the result of `work`, and the longest time in ms.
 */
export async function whileMeasured<Result>(
  work: () => Promise<Result>,
): Promise<{ result: Result; longest_ms: number }> {
  let longest_ms = 0;
  let before = cpuMs();
  const note = () => {
    const now = cpuMs();
    longest_ms = Math.max(longest_ms, now - before);
    before = now;
  };
  const ticks = setInterval(note, TICK_MS);
  try {
    const result = await work();
    note();
    return { result, longest_ms };
  } finally {
    clearInterval(ticks);
  }
}
