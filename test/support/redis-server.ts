import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { until } from './until.js';

/** A Redis for one test, to stop, configure or limit. */
export interface RedisServer {
  url: string;
  stop(): Promise<void>;
}

/** Starts `redis-server` without persistence on a free port, with these settings: `['--maxmemory', '10mb']`. */
export async function startRedis(settings: readonly string[] = []): Promise<RedisServer> {
  return start(['--save', '', '--appendonly', 'no', ...settings]);
}

/** Starts a Sentinel that watches nothing. */
export async function startSentinel(): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'vigie-sentinel-'));
  // It rewrites its file, and does not start without one.
  const file = join(folder, 'sentinel.conf');
  await writeFile(file, '');
  const server = await start([], [file, '--sentinel']);
  return {
    ...server,
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true });
    },
  };
}

async function start(settings: readonly string[], first: readonly string[] = []): Promise<RedisServer> {
  const port = await freePort();
  const child: ChildProcess = spawn(
    'redis-server',
    [...first, '--port', String(port), '--bind', '127.0.0.1', ...settings],
    { stdio: 'ignore' },
  );
  const url = `redis://127.0.0.1:${port}`;
  const client = new Redis(url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
  client.on('error', () => undefined);
  try {
    await until('a Redis of its own', async () => (await client.ping()).length > 0);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    client.disconnect();
  }
  return {
    url,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
