import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from '../../src/platform/embedded/ports.js';
import { isRoot, postgresAccount } from '../../src/platform/embedded/processes.js';
import { until } from './until.js';

/** The path in Debian's package. */
const PROGRAM = '/usr/sbin/pgbouncer';

/** Declares tests that need PgBouncer. `scripts/test` installs it on Debian; where it is missing, a note says so. */
export function describeWithPgBouncer(name: string, tests: () => void): void {
  if (existsSync(PROGRAM)) describe(name, tests);
  else
    process.stderr.write(
      `R12: no PgBouncer on this machine (apt-get install pgbouncer): not tested: ${name}\n`,
    );
}

/** A PgBouncer for one test, in transaction mode. */
export interface PgBouncer {
  port: number;
  stop(): Promise<void>;
}

/**
 * @param server the port of PostgreSQL
 * @param logins passwords by login
 * @param poolSize connections to PostgreSQL for each login and database
 * @param ignored the settings of a connection that it takes and ignores
 */
export async function startPgBouncer(
  server: number,
  logins: Readonly<Record<string, string>>,
  poolSize: number,
  ignored: readonly string[] = [],
): Promise<PgBouncer> {
  const dir = await mkdtemp(join(tmpdir(), 'vigie-pgbouncer-'));
  const account = isRoot() ? await postgresAccount() : undefined;
  const port = await freePort();
  const file = join(dir, 'pgbouncer.ini');
  await writeFile(
    join(dir, 'users.txt'),
    Object.entries(logins).map(([name, password]) => `"${name}" "${password}"\n`),
  );
  await writeFile(
    file,
    [
      '[databases]',
      `* = host=127.0.0.1 port=${server}`,
      '[pgbouncer]',
      `listen_addr = 127.0.0.1`,
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = scram-sha-256',
      `auth_file = ${join(dir, 'users.txt')}`,
      'pool_mode = transaction',
      `default_pool_size = ${poolSize}`,
      `ignore_startup_parameters = ${ignored.join(',')}`,
      `logfile = ${join(dir, 'log')}`,
      '',
    ].join('\n'),
  );
  if (account !== undefined) await chown(dir, account.uid, account.gid);
  const child: ChildProcess = spawn(PROGRAM, ['-q', file], {
    stdio: 'ignore',
    ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
  });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    }
    await rm(dir, { recursive: true, force: true });
  };
  const [[user, password] = ['', '']] = Object.entries(logins);
  try {
    await until('PgBouncer', () =>
      answers({ host: '127.0.0.1', port, user, password, database: 'postgres' }),
    );
    return { port, stop };
  } catch (error) {
    const log = await readFile(join(dir, 'log'), 'utf8').catch(() => '');
    await stop();
    throw new Error(`PgBouncer did not start: ${log}`, { cause: error });
  }
}

async function answers(settings: pg.ClientConfig): Promise<boolean> {
  const client = new pg.Client({ ...settings, connectionTimeoutMillis: 1_000 });
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
