import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findBinaries } from './binaries.js';
import { clusterAccount, clusterDir, ensureCluster, nameFor } from './cluster.js';
import type { Daemon } from './daemon.js';
import { launchOnFreePort } from './launch.js';
import { prepareDatabase, type EmbeddedUrls, type Passwords } from './logins.js';
import { clearPredecessor, POSTGRES_END, readPostmaster } from './postmaster.js';
import type { Watchdog } from './watchdog.js';

export interface PostgresOptions {
  data_dir: string;
  /** The port of the last start. */
  port: number | undefined;
  passwords: Passwords;
  max_connections: number;
  /** False: a crash of the machine may lose and damage data. */
  durable: boolean;
  watchdog: Watchdog;
  log: (line: string) => void;
}

export interface RunningPostgres {
  urls: EmbeddedUrls;
  port: number;
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 120_000;

/** Starts PostgreSQL on 127.0.0.1, with its cluster, database and logins in place. */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const { data_dir, passwords, durable, log } = options;
  const began = performance.now();
  const cluster = clusterDir(data_dir);
  const account = await clusterAccount(data_dir);
  const binaries = await findBinaries(account, log);
  await ensureCluster({ data_dir, account, binaries, password: passwords.owner, durable, log });
  await clearPredecessor(cluster, log);
  const named = await nameFor(account, cluster);
  const { daemon, port } = await launchOnFreePort({
    preferred: options.port,
    optionsFor: (chosen) => ({
      name: 'PostgreSQL',
      file: binaries.postgres,
      args: ['-D', named, ...settings(chosen, options)],
      cwd: cluster,
      account,
      log_file: join(data_dir, 'postgres.log'),
      end: POSTGRES_END,
      watchdog: options.watchdog,
      log,
    }),
    becomesReady: (started) => becomesReady(started, cluster, log),
    portTaken: /could not bind/,
    // The sessions of a killed postmaster end a little later than the postmaster.
    busy: /pre-existing shared memory block/,
  });
  try {
    const urls = await prepareDatabase(port, passwords);
    log(`PostgreSQL is ready on 127.0.0.1:${port} (${Math.round(performance.now() - began)} ms)`);
    return { urls, port, stop: () => daemon.stop() };
  } catch (error) {
    await daemon.stop();
    throw error;
  }
}

function settings(port: number, { max_connections, durable }: PostgresOptions): string[] {
  const values = {
    port,
    listen_addresses: '127.0.0.1',
    // TCP only: a socket's path may be too long, and /tmp is shared.
    unix_socket_directories: '',
    max_connections,
    shared_buffers: '128MB',
    fsync: durable ? 'on' : 'off',
    synchronous_commit: durable ? 'on' : 'off',
    full_page_writes: durable ? 'on' : 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_checkpoints: 'off',
    // No values and no statements: they hold tenants' data and passwords.
    log_error_verbosity: 'terse',
    log_min_error_statement: 'panic',
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

async function becomesReady(daemon: Daemon, cluster: string, log: (line: string) => void): Promise<boolean> {
  const began = performance.now();
  let announced = false;
  while (daemon.running && performance.now() - began < READY_WITHIN_MS) {
    const postmaster = await readPostmaster(cluster);
    if (postmaster?.pid === daemon.identity.pid && postmaster.ready) return true;
    if (!announced && performance.now() - began > 3_000) {
      log('PostgreSQL is still starting (after a crash it first replays its log)');
      announced = true;
    }
    await sleep(5);
  }
  return false;
}
