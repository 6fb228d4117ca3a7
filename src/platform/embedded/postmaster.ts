import { execFile } from 'node:child_process';
import { readFile, readlink, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { endProcess, startedAt } from './processes.js';
import type { EndSignals } from './watchdog.js';

/** Fast shutdown: sessions are ended, committed data is kept. Then immediate: recovery at the next start. */
export const POSTGRES_END: EndSignals = { ask: 'SIGINT', insist: 'SIGQUIT' };

export interface Postmaster {
  pid: number;
  ready: boolean;
}

/** PostgreSQL's `postmaster.pid`: the pid on the first line, its state on the eighth. */
export async function readPostmaster(cluster: string): Promise<Postmaster | undefined> {
  const text = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  return Number.isInteger(pid) && pid > 0 ? { pid, ready: lines[7]?.trim() === 'ready' } : undefined;
}

/**
 * Clears what a killed predecessor left. The caller holds the data directory's lock, so a postmaster that still runs on
 * it is an orphan and is stopped. The pid file of a dead one is removed when its pid now belongs to another process,
 * which PostgreSQL would mistake for itself; common in containers, where pids are few.
 */
export async function clearPredecessor(cluster: string, log: (line: string) => void): Promise<void> {
  const found = await readPostmaster(cluster);
  if (found === undefined) return;
  const started = await startedAt(found.pid);
  if (started !== undefined && (await worksOn(found.pid, cluster))) {
    log(`Stopping a PostgreSQL left by an earlier start (process ${found.pid})`);
    await endProcess({ pid: found.pid, started }, { ...POSTGRES_END, patience_ms: 10_000 });
    return;
  }
  log('PostgreSQL recovers from an interrupted run');
  await rm(join(cluster, 'postmaster.pid'), { force: true });
}

/** Whether a process is a postmaster of this cluster: its working directory is the cluster's folder. */
async function worksOn(pid: number, cluster: string): Promise<boolean> {
  if (process.platform === 'linux') {
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
    return cwd === (await realpath(cluster));
  }
  const listed = await promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)]).catch(
    () => undefined,
  );
  return listed?.stdout.includes(cluster) ?? false;
}
