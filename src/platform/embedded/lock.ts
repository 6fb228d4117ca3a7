import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning, processSpace, startedAt, type ProcessIdentity } from './processes.js';

interface Holder extends ProcessIdentity {
  host: string;
  /** The holder's `processSpace()`: its pid means nothing elsewhere. */
  space: string;
}

/** Another live process holds the lock. */
export class LockHeldError extends Error {
  constructor(readonly holder: string) {
    super(`locked by ${holder}`);
  }
}

/** Heartbeat settings for holders whose process cannot be checked, in ms. */
interface Heartbeats {
  intervalMs: number;
  /** A holder without a heartbeat for this long is dead. */
  silenceMs: number;
}

const HEARTBEATS: Heartbeats = { intervalMs: 5_000, silenceMs: 15_000 };
/** Exceeds any clock difference between two hosts: no need to wait for a heartbeat. */
const SURELY_GONE_MS = 10 * 60 * 1_000;

/**
 * Takes a lock file and returns the function that releases it. The file identifies its holder by pid, start time, boot
 * and pid namespace, so a lock left by a killed process, or from before a reboot, is ignored. A holder elsewhere
 * (another host or container on the same volume) cannot be checked: it touches the file, and a process that wants the
 * lock waits for a heartbeat.
 *
 * No library: proper-lockfile detects a dead holder only by its silence, so the next start after a kill -9 would have
 * to wait. Likewise, get-port would refuse for 15 s the port that a restart wants to keep (ports.ts).
 * @throws LockHeldError when a live process has it
 */
export async function acquireLock(path: string, heartbeats = HEARTBEATS): Promise<() => Promise<void>> {
  const self: Holder = {
    pid: process.pid,
    started: (await startedAt(process.pid)) ?? '',
    host: hostname(),
    space: await processSpace(),
  };
  // The nonce distinguishes two locks of one process.
  const content = JSON.stringify({ ...self, nonce: randomBytes(8).toString('hex') });
  const draft = `${path}.${randomBytes(8).toString('hex')}`;
  await writeFile(draft, content, { mode: 0o600 });
  try {
    // link() is atomic and fails on an existing name: no process ever reads a half-written lock.
    while (!(await linked(draft, path))) await removeStale(path, self, heartbeats);
  } finally {
    await rm(draft, { force: true });
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, heartbeats.intervalMs);
  heartbeat.unref();
  return async () => {
    clearInterval(heartbeat);
    if ((await readText(path)) === content) await rm(path, { force: true });
  };
}

/** Runs `work` under the lock. Waits at most ten seconds for it. */
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

async function removeStale(path: string, self: Holder, heartbeats: Heartbeats): Promise<void> {
  const found = await readText(path);
  if (found === undefined) return;
  const holder = parse(found);
  if (holder !== undefined) await assertStale(path, holder, self, heartbeats);
  // Moved aside before it is removed: if two processes found the same stale lock, the slower one would otherwise remove
  // the new lock of the faster one.
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

async function assertStale(
  path: string,
  holder: Holder,
  self: Holder,
  heartbeats: Heartbeats,
): Promise<void> {
  if (holder.host === self.host && holder.space === self.space) {
    if (await isRunning(holder)) throw new LockHeldError(`process ${holder.pid}`);
    return;
  }
  const first = await touchedAt(path);
  if (first === undefined || Date.now() - first > SURELY_GONE_MS) return;
  const began = performance.now();
  while (performance.now() - began < heartbeats.silenceMs) {
    await sleep(Math.min(200, heartbeats.silenceMs));
    const touched = await touchedAt(path);
    if (touched === undefined) return;
    if (touched !== first) {
      throw new LockHeldError(
        `process ${holder.pid} of another host or container (host name ${holder.host})`,
      );
    }
  }
}

/** When the file was last touched, in ms; undefined when it does not exist. */
async function touchedAt(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.mtimeMs;
}

function parse(text: string): Holder | undefined {
  try {
    const { pid, started, host, space } = JSON.parse(text) as Partial<Record<keyof Holder, unknown>>;
    return typeof pid === 'number' && typeof started === 'string' && typeof host === 'string'
      ? { pid, started, host, space: typeof space === 'string' ? space : 'unknown' }
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
