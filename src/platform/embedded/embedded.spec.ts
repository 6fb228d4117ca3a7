import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Redis } from 'ioredis';
import pg from 'pg';
import { processSpace } from './processes.js';
import { type Embedded, type EmbeddedUrls, embeddedSecret, startEmbedded } from './embedded.js';

let data_dir: string;
let embedded: Embedded | undefined;
let host: ChildProcess | undefined;
let lines: string[] = [];

// All tests share one data directory: creating a cluster is the slow part. Each test stops what it started.
beforeAll(async () => {
  data_dir = await mkdtemp(join(tmpdir(), 'vigie-embedded-'));
  await chmod(data_dir, 0o755);
});

afterAll(() => rm(data_dir, { recursive: true, force: true }));

afterEach(async () => {
  lines = [];
  await embedded?.stop();
  embedded = undefined;
  host?.kill('SIGKILL');
  host = undefined;
  for (const pid of await servicePids()) if (isAlive(pid)) await gone(pid);
});

async function start(): Promise<{ database: EmbeddedUrls; redis_url: string; took_ms: number }> {
  const began = performance.now();
  embedded = await startEmbedded({ data_dir, postgres: true, redis: true, log: (line) => lines.push(line) });
  const took_ms = performance.now() - began;
  return { database: embedded.database!, redis_url: embedded.redis_url!, took_ms };
}

async function query<Row extends pg.QueryResultRow>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function servicePids(): Promise<number[]> {
  const files = [join(data_dir, 'postgres', 'postmaster.pid'), join(data_dir, 'redis.pid')];
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
  return texts.map((text) => parseInt(text, 10)).filter((pid) => pid > 0);
}

const isAlive = (pid: number): boolean =>
  !/^(Z.*)?$/.test(spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim());

/** How long a process took to end, in ms. */
async function gone(pid: number): Promise<number> {
  const began = performance.now();
  while (isAlive(pid)) {
    if (performance.now() - began > 5_000) throw new Error(`process ${pid} is still there after 5 s`);
    await sleep(25);
  }
  return performance.now() - began;
}

/** Another Node process that starts the services from the build and keeps them running. */
async function startHost(): Promise<ChildProcess> {
  const built = join(process.cwd(), 'dist', 'platform', 'embedded', 'embedded.js');
  const script = `
    import { startEmbedded } from ${JSON.stringify(pathToFileURL(built).href)};
    await startEmbedded({ data_dir: ${JSON.stringify(data_dir)}, postgres: true, redis: true, log: () => {} });
    console.log('ready');
    setInterval(() => {}, 1000);`;
  host = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  await once(host.stdout!, 'data');
  return host;
}

/** The watchdog of a host is its only child that is not a service. */
async function watchdogOf(parent: ChildProcess): Promise<number> {
  const services = await servicePids();
  const listed = spawnSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' }).stdout.trim().split('\n');
  const children = listed
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, of]) => of === parent.pid);
  const [watchdog] = children.map(([pid]) => pid!).filter((pid) => !services.includes(pid));
  return watchdog!;
}

describe('startEmbedded', () => {
  it('returns two plain logins, an owner and a Redis with a password', async () => {
    const { database, redis_url } = await start();

    for (const [url, login] of [
      [database.app_url, 'vigie_app'],
      [database.system_url, 'vigie_system'],
    ] as const) {
      const rows = await query(
        url,
        `SELECT current_user, rolsuper, rolinherit, rolcreatedb, rolcreaterole, rolbypassrls
           FROM pg_roles WHERE rolname = current_user`,
      );
      expect(rows).toEqual([
        {
          current_user: login,
          rolsuper: false,
          rolinherit: false,
          rolcreatedb: false,
          rolcreaterole: false,
          rolbypassrls: false,
        },
      ]);
    }
    const [facts] = await query(
      database.owner_url,
      `SELECT current_database(), current_setting('fsync') fsync, current_setting('server_encoding') encoding,
              upper('échéance'), ('2026-07-01 12:00Z'::timestamptz AT TIME ZONE 'Europe/Paris')::text paris`,
    );
    expect(facts).toEqual({
      current_database: 'vigie',
      fsync: 'on',
      encoding: 'UTF8',
      upper: 'ÉCHÉANCE',
      paris: '2026-07-01 14:00:00',
    });

    const redis = new Redis(redis_url);
    expect(await redis.ping()).toBe('PONG');
    expect(await redis.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
    redis.disconnect();
    const stranger = new Redis(redis_url.replace(/:\/\/.*@/, '://'), {
      lazyConnect: true,
      retryStrategy: null,
    });
    stranger.on('error', () => undefined);
    await expect(stranger.ping()).rejects.toThrow('NOAUTH');
    stranger.disconnect();
  });

  it('refuses a wrong password, and shows none in the list of processes', async () => {
    const { database, redis_url } = await start();
    const wrong = database.app_url.replace(/:[^:@]+@/, ':wrong@');
    await expect(query(wrong, 'SELECT 1')).rejects.toThrow('password authentication failed');
    const processes = spawnSync('ps', ['-ewwo', 'args='], { encoding: 'utf8' }).stdout;
    for (const url of [database.owner_url, database.app_url, database.system_url, redis_url]) {
      expect(processes).not.toContain(new URL(url).password);
    }
  });

  it('keeps data, secrets and ports across a quick restart', async () => {
    const first = await start();
    await query(first.database.owner_url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await embedded?.stop();

    const second = await start();

    expect({ ...second, took_ms: 0 }).toEqual({ ...first, took_ms: 0 });
    expect(await query(second.database.owner_url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    expect(second.took_ms).toBeLessThan(10_000);
  });

  it('stops its services with stop()', async () => {
    await start();
    const pids = await servicePids();
    expect(pids.map(isAlive)).toEqual([true, true]);
    await embedded?.stop();
    expect(pids.map(isAlive)).toEqual([false, false]);
    expect(existsSync(join(data_dir, 'vigie.lock'))).toBe(false);
  });

  it('refuses a data directory that is in use', async () => {
    await start();
    const again = startEmbedded({ data_dir, postgres: true, redis: true, log: () => undefined });
    await expect(again).rejects.toThrow(`${data_dir} is in use by process ${process.pid}`);
  });

  it('takes another port when its own was taken meanwhile', async () => {
    const { database } = await start();
    await embedded?.stop();
    const { port } = new URL(database.owner_url);
    const squatter = createServer().listen(Number(port), '127.0.0.1');
    await once(squatter, 'listening');
    const second = await start();
    expect(new URL(second.database.owner_url).port).not.toBe(port);
    squatter.close();
  });

  it('puts its services into a process group that terminal signals do not reach', async () => {
    const parent = await startHost();
    const group = (pid: number): string =>
      spawnSync('ps', ['-o', 'pgid=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
    const groups = [...(await servicePids()), await watchdogOf(parent)].map(group);
    expect(groups).not.toContain(group(parent.pid!));
  });

  it('leaves nothing behind when its process is killed, and starts again', async () => {
    const parent = await startHost();
    const pids = [...(await servicePids()), await watchdogOf(parent)];
    expect(pids).toHaveLength(3);
    parent.kill('SIGKILL');
    for (const pid of pids) await gone(pid);
    await start();
  });

  it('stops the orphans of a killed process even when its watchdog was killed', async () => {
    const parent = await startHost();
    const orphans = await servicePids();
    process.kill(await watchdogOf(parent), 'SIGKILL');
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    expect(orphans.map(isAlive)).toEqual([true, true]);

    const { database } = await start();

    expect(orphans.map(isAlive)).toEqual([false, false]);
    expect(lines.join('\n')).toContain('Stopping a Redis left by');
    expect(lines.join('\n')).toContain('Stopping a PostgreSQL left by');
    expect(await query(database.app_url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('ignores the pid file of a dead PostgreSQL whose pid now belongs to another process', async () => {
    await start();
    await embedded?.stop();
    const bystander = spawn('sleep', ['60']);
    const pid_file = join(data_dir, 'postgres', 'postmaster.pid');
    await writeFile(pid_file, `${bystander.pid!}\n${join(data_dir, 'postgres')}\n`);
    await start();
    expect(isAlive(bystander.pid!)).toBe(true);
    bystander.kill();
  });
});

describe('embeddedSecret', () => {
  beforeEach(() => rm(join(data_dir, 'secrets.json'), { force: true }));

  it('creates a secret once for concurrent callers, readable only by the owner', async () => {
    const names = ['jwt', 'other', 'jwt', 'jwt'];
    const [jwt, other, ...same] = await Promise.all(names.map((name) => embeddedSecret(data_dir, name)));
    expect(jwt).toMatch(/^[\w-]{43}$/);
    expect(other).not.toBe(jwt);
    expect(same).toEqual([jwt, jwt]);
    expect((await stat(join(data_dir, 'secrets.json'))).mode & 0o777).toBe(0o600);
  });

  it('does not overwrite a file it cannot read', async () => {
    await writeFile(join(data_dir, 'secrets.json'), '{"jwt": "tor');
    await expect(embeddedSecret(data_dir, 'jwt')).rejects.toThrow('is not valid JSON');
    expect(await readFile(join(data_dir, 'secrets.json'), 'utf8')).toBe('{"jwt": "tor');
  });

  it('is not delayed by a lock whose holder is dead', async () => {
    const dead = { pid: 2 ** 30, started: '1', host: hostname(), space: await processSpace() };
    await writeFile(join(data_dir, 'secrets.json.lock'), JSON.stringify(dead));
    await expect(embeddedSecret(data_dir, 'jwt')).resolves.toMatch(/^[\w-]{43}$/);
    expect(existsSync(join(data_dir, 'secrets.json.lock'))).toBe(false);
  });
});
