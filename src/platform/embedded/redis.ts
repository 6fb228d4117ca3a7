import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Daemon } from './daemon.js';
import { launchOnFreePort } from './launch.js';
import { endProcess, findAccount, isRoot, isRunning } from './processes.js';
import type { EndSignals, Watchdog } from './watchdog.js';

export interface RedisOptions {
  data_dir: string;
  /** From findRedis(). */
  file: string;
  /** The port of the last start. */
  port: number | undefined;
  password: string;
  watchdog: Watchdog;
  log: (line: string) => void;
}

export interface RunningRedis {
  url: string;
  port: number;
  stop(): Promise<void>;
}

const END: EndSignals = { ask: 'SIGTERM', insist: 'SIGKILL' };
const READY_WITHIN_MS = 15_000;

/** The machine's own Redis or Valkey. */
export async function findRedis(): Promise<string> {
  // Homebrew's folders are not always in the PATH of a service.
  const script =
    'PATH="$PATH:/usr/local/bin:/opt/homebrew/bin:/usr/sbin"; command -v redis-server || command -v valkey-server';
  try {
    return (await promisify(execFile)('/bin/sh', ['-c', script])).stdout.trim();
  } catch {
    throw new Error(
      'neither redis-server nor valkey-server is installed: get one with "apt-get install redis-server" ' +
        '(Debian, Ubuntu) or "brew install redis" (macOS), or set REDIS_URL to a Redis that runs elsewhere',
    );
  }
}

/** Starts Redis on 127.0.0.1, in memory only: everything durable is in PostgreSQL. */
export async function startRedis(options: RedisOptions): Promise<RunningRedis> {
  const { data_dir, password, log } = options;
  const began = performance.now();
  const pid_file = join(data_dir, 'redis.pid');
  await stopOrphan(pid_file, log);
  const { daemon, port } = await launch(options);
  const { pid, started } = daemon.identity;
  await writeFile(pid_file, `${pid} ${started}\n`);
  log(`Redis is ready on 127.0.0.1:${port} (${Math.round(performance.now() - began)} ms)`);
  return {
    url: `redis://:${password}@127.0.0.1:${port}`,
    port,
    stop: async () => {
      await daemon.stop();
      await rm(pid_file, { force: true });
    },
  };
}

/** Passed on standard input, so that no list of processes shows the password. */
function configuration(port: number, password: string): string {
  return [
    `port ${port}`,
    'bind 127.0.0.1',
    'protected-mode yes',
    `requirepass ${password}`,
    'save ""',
    'appendonly no',
    // Bull's queues must never lose keys to eviction.
    'maxmemory-policy noeviction',
    'daemonize no',
    '',
  ].join('\n');
}

async function launch(options: RedisOptions): Promise<{ daemon: Daemon; port: number }> {
  // Clients can make it write files anywhere, so it does not run as root.
  const account = isRoot() ? await findAccount('nobody') : undefined;
  return launchOnFreePort({
    preferred: options.port,
    optionsFor: (port) => ({
      name: 'Redis',
      file: options.file,
      args: ['-'],
      cwd: '/',
      account,
      log_file: join(options.data_dir, 'redis.log'),
      input: configuration(port, options.password),
      end: END,
      watchdog: options.watchdog,
      log: options.log,
    }),
    becomesReady: (daemon, port) => becomesReady(daemon, port, options.password),
    portTaken: /address already in use|failed listening/i,
  });
}

async function becomesReady(daemon: Daemon, port: number, password: string): Promise<boolean> {
  const deadline = performance.now() + READY_WITHIN_MS;
  while (daemon.running && performance.now() < deadline) {
    if (await answers(port, password)) return true;
    await sleep(10);
  }
  return false;
}

/** Whether the server on the port is ours: it accepts the password. */
function answers(port: number, password: string): Promise<boolean> {
  return new Promise((resolve) => {
    let said = '';
    const socket = connect({ host: '127.0.0.1', port, timeout: 1_000 });
    const finish = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('connect', () => socket.write(`AUTH ${password}\r\nPING\r\n`));
    socket.on('data', (chunk) => {
      said += chunk.toString();
      if (said.endsWith('+PONG\r\n')) finish(said.startsWith('+OK'));
      else if (said.startsWith('-')) finish(false);
    });
    socket.on('timeout', () => finish(false));
    socket.on('error', () => finish(false));
    socket.on('close', () => finish(false));
  });
}

async function stopOrphan(pid_file: string, log: (line: string) => void): Promise<void> {
  const [pid, started] = (await readFile(pid_file, 'utf8').catch(() => '')).trim().split(' ');
  if (pid === undefined || started === undefined) return;
  const identity = { pid: Number(pid), started };
  if (await isRunning(identity)) {
    log(`Stopping a Redis left by an earlier start (process ${pid})`);
    await endProcess(identity, { ...END, patience_ms: 5_000 });
  }
  await rm(pid_file, { force: true });
}
