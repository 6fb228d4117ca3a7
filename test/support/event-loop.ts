import { readFileSync } from 'node:fs';
import { cpuMs } from './cpu-time.js';

const TICK_MS = 5;

/**
 * Measures the longest time between two turns of the event loop while `work` runs: during this time no other request
 * could be answered. It is CPU time of the loop's thread, so other processes do not affect it; it does not detect a block
 * without CPU time, such as a synchronous read from a slow disk.
 * @returns the result of `work`, and the longest time in ms.
 */
export async function whileMeasured<Result>(
  work: () => Promise<Result>,
): Promise<{ result: Result; longest_ms: number }> {
  let longest_ms = 0;
  let before = threadMs();
  const note = () => {
    const now = threadMs();
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

/** The CPU time of this thread, in ms; where the system does not report it, that of the process with all its threads. */
function threadMs(): number {
  try {
    // Its first number, in ns: https://docs.kernel.org/scheduler/sched-stats.html
    const [ran = 0] = readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ').map(Number);
    if (ran > 0) return ran / 1e6;
  } catch {
    // Not Linux, or a kernel without these numbers.
  }
  return cpuMs();
}
