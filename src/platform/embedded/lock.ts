import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning, startedAt, type ProcessIdentity } from './processes.js';

interface Holder extends ProcessIdentity {
  host: string;
}

/** Another live process holds the lock. */
export class LockHeldError extends Error {
  constructor(readonly holder: string) {
    super(`locked by ${holder}`);
  }
}

// A holder of another host (two containers on one volume) cannot be looked up: it shows that it is alive by
// touching the file.
const BEAT_MS = 5_000;
const SILENCE_MS = 3 * BEAT_MS;

/**
 * Takes a lock file and returns the function that gives it back. The file names its holder by pid and start
 * time, so that one left behind by a killed process, or by a former life of the machine, does not count.
 * @throws LockHeldError when a live process has it
 */
export async function acquireLock(path: string): Promise<() => Promise<void>> {
  const self: Holder = { pid: process.pid, started: (await startedAt(process.pid)) ?? '', host: hostname() };
  // The nonce tells two locks of one process apart.
  const content = JSON.stringify({ ...self, nonce: randomBytes(8).toString('hex') });
  const draft = `${path}.${randomBytes(8).toString('hex')}`;
  await writeFile(draft, content, { mode: 0o600 });
  try {
    // link() is atomic and fails on an existing name: nobody ever reads a half-written lock.
    while (!(await linked(draft, path))) await removeStale(path);
  } finally {
    await rm(draft, { force: true });
  }
  const beat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, BEAT_MS);
  beat.unref();
  return async () => {
    clearInterval(beat);
    if ((await readText(path)) === content) await rm(path, { force: true });
  };
}

/** Runs `work` under the lock, waiting for it at most ten seconds. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    try {
      const release = await acquireLock(path);
      try {
        return await work();
      } finally {
        await release();
      }
    } catch (error) {
      if (!(error instanceof LockHeldError) || performance.now() > deadline) throw error;
      await sleep(10);
    }
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function removeStale(path: string): Promise<void> {
  const found = await readText(path);
  if (found === undefined) return;
  const holder = parse(found);
  if (holder !== undefined) await assertStale(path, holder);
  // Moved aside before it is removed: of two processes that found the same stale lock, the slower one would
  // otherwise remove the new lock of the quicker one.
  const aside = `${path}.${randomBytes(8).toString('hex')}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if ((await readText(aside)) !== found) await linked(aside, path);
  await rm(aside, { force: true });
}

async function assertStale(path: string, holder: Holder): Promise<void> {
  if (holder.host === hostname()) {
    if (await isRunning(holder)) throw new LockHeldError(`process ${holder.pid}`);
    return;
  }
  const touched_ms = (await stat(path).catch(() => undefined))?.mtimeMs ?? 0;
  const silence_ms = Date.now() - touched_ms;
  if (silence_ms < SILENCE_MS) {
    throw new LockHeldError(
      `process ${holder.pid} on host ${holder.host} (seen ${Math.round(silence_ms / 1000)} s ago; ` +
        `if it is gone, start again in ${SILENCE_MS / 1000} s)`,
    );
  }
}

function parse(text: string): Holder | undefined {
  try {
    const { pid, started, host } = JSON.parse(text) as Partial<Record<keyof Holder, unknown>>;
    return typeof pid === 'number' && typeof started === 'string' && typeof host === 'string'
      ? { pid, started, host }
      : undefined;
  } catch {
    return undefined;
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
