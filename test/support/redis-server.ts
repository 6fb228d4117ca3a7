import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { isRefusedLogin } from '../../src/platform/redis/refusals.js';
import { until } from './until.js';

/** A Redis for one test, to stop, configure or limit. */
export interface RedisServer {
  url: string;
  port: number;
  pid: number;
  /** Kills it, as kill -9 does. */
  stop(): Promise<void>;
}

/**
 * Starts `redis-server` without persistence, with these settings: `['--maxmemory', '10mb']`.
 * @param port a free one if it is not given.
 */
export async function startRedis(
  settings: readonly string[] = [],
  port: number | Promise<number> = freePort(),
): Promise<RedisServer> {
  const own = await port;
  // A replica writes the data of its primary to a file first.
  const files = ['--dir', tmpdir(), '--dbfilename', `vigie-test-${own}.rdb`, '--rdb-del-sync-files', 'yes'];
  return start(['--save', '', '--appendonly', 'no', ...files, ...settings], [], own);
}

/** Starts a Sentinel with these lines of its configuration; without any, it watches nothing. */
export async function startSentinel(lines: readonly string[] = []): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'vigie-sentinel-'));
  // It rewrites its file, and does not start without one.
  const file = join(folder, 'sentinel.conf');
  await writeFile(file, lines.map((line) => `${line}\n`).join(''));
  const server = await start([], [file, '--sentinel'], await freePort());
  return {
    ...server,
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true });
    },
  };
}

async function start(
  settings: readonly string[],
  first: readonly string[],
  port: number,
): Promise<RedisServer> {
  const child: ChildProcess = spawn(
    'redis-server',
    [...first, '--port', String(port), '--bind', '127.0.0.1', ...settings],
    { stdio: 'ignore' },
  );
  const url = `redis://127.0.0.1:${port}`;
  const client = new Redis(url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
  client.on('error', () => undefined);
  try {
    // One that requires a password answers, too.
    await until('a Redis of its own', () => client.ping().then(() => true, isRefusedLogin));
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    client.disconnect();
  }
  return {
    url,
    port,
    pid: child.pid ?? 0,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** A port on which nothing listens. */
export async function freePort(max = 65_535): Promise<number> {
  for (;;) {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    if (port <= max) return port;
  }
}
