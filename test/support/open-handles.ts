import { setTimeout as delay } from 'node:timers/promises';

/** Resources that keep a process alive, by Node's names. Bull's workers hold sockets. */
const HANDLES = [
  'TCPSocketWrap',
  'TCPServerWrap',
  'TLSWrap',
  'PipeWrap',
  'PipeServerWrap',
  'ProcessWrap',
  'UDPWrap',
  'FSEventWrap',
  'StatWatcher',
  'Timeout',
];

/** How long closed resources may take to disappear, in ms. */
const PATIENCE_MS = 5_000;
const LOOK_EVERY_MS = 20;

/** The number of open resources of this process, by kind. */
export function openHandles(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

/** What is open now and was not `before`, in words. */
export function leaked(before: ReadonlyMap<string, number>): string[] {
  const now = openHandles();
  return HANDLES.flatMap((kind) => {
    const more = (now.get(kind) ?? 0) - (before.get(kind) ?? 0);
    return more > 0 ? [`${more} ${kind}`] : [];
  });
}

/**
 * Waits until nothing is open that was not `before`.
 * @throws Error if a test file has left something open.
 */
export async function requireNoLeak(before: ReadonlyMap<string, number>): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  let left: string[];
  do {
    // Also before the first check: what was started last may not be open yet.
    await delay(LOOK_EVERY_MS, undefined, { ref: false });
    left = leaked(before);
  } while (left.length > 0 && performance.now() < until);
  if (left.length > 0) throw new Error(`the file has left open: ${left.join(', ')}`);
}
