import { setInterval as every } from 'node:timers/promises';

const TICK_MS = 5;

/**
 * Measures the longest time that this process worked between two turns of its event loop, while `work` runs: as long
 * could no other request be answered. It is CPU time, which does not depend on what else the machine does.
 * @returns the result of `work`, and the longest time in ms.
 */
export async function whileMeasured<Result>(
  work: () => Promise<Result>,
): Promise<{ result: Result; longest_ms: number }> {
  const ended = new AbortController();
  const ticks = longestTick(ended.signal);
  try {
    const result = await work();
    ended.abort();
    return { result, longest_ms: await ticks };
  } finally {
    ended.abort();
  }
}

async function longestTick(signal: AbortSignal): Promise<number> {
  let longest = 0;
  let before = cpuMs();
  const note = () => {
    const now = cpuMs();
    longest = Math.max(longest, now - before);
    before = now;
  };
  try {
    for await (const _ of every(TICK_MS, undefined, { signal })) note();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  note();
  return longest;
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
