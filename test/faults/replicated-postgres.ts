import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { type Binaries, findBinaries } from '../../src/platform/embedded/binaries.js';
import { clusterAccount, clusterDir, ensureCluster } from '../../src/platform/embedded/cluster.js';
import { Daemon } from '../../src/platform/embedded/daemon.js';
import type { Embedded } from '../../src/platform/embedded/embedded.js';
import { type EmbeddedUrls, prepareDatabase, urlsOf } from '../../src/platform/embedded/logins.js';
import { freePort } from '../../src/platform/embedded/ports.js';
import { POSTGRES_END } from '../../src/platform/embedded/postmaster.js';
import { type Account, waitForEnd } from '../../src/platform/embedded/processes.js';
import { Watchdog } from '../../src/platform/embedded/watchdog.js';
import { type Proxy, proxyTo } from '../support/proxy.js';
import { until } from '../support/until.js';

const PASSWORDS = { owner: 'owner-password', app: 'app-password', system: 'system-password' };
const STANDBY = 'standby';
const quiet = () => undefined;

interface Server {
  daemon: Daemon;
  port: number;
  /** Of the superuser, past the address that the installation uses. */
  url: string;
}

/**
 * A PostgreSQL with a synchronous standby. The installation knows one address, which the test moves from the primary to
 * the standby: it stands for a virtual IP, a DNS name or HAProxy.
 */
export class ReplicatedPostgres implements Embedded {
  private constructor(
    private readonly primary: Server,
    private readonly standby: Server,
    private readonly address: Proxy,
    private readonly watchdog: Watchdog,
    readonly database: EmbeddedUrls,
  ) {}

  static async start(dir: string): Promise<ReplicatedPostgres> {
    const [first, second] = [join(dir, 'primary'), join(dir, STANDBY)];
    await Promise.all([mkdir(first), mkdir(second)]);
    const account = await clusterAccount(first);
    const binaries = await findBinaries(account, quiet);
    await ensureCluster({
      ...{ data_dir: first, account, binaries },
      ...{ password: PASSWORDS.owner, durable: false, log: quiet },
    });
    // It has not run yet, so its copy is a complete base backup.
    await promisify(execFile)('cp', ['-Rp', clusterDir(first), second]);
    await writeFile(join(clusterDir(second), 'standby.signal'), '');
    const watchdog = await Watchdog.start(quiet);
    const start = (data_dir: string, settings: Record<string, string>) =>
      startServer({ data_dir, account, binaries, watchdog }, settings);
    const primary = await start(first, {
      synchronous_standby_names: STANDBY,
      synchronous_commit: 'on',
      wal_keep_size: '256MB',
    });
    const standby = await start(second, {
      primary_conninfo:
        `host=127.0.0.1 port=${primary.port} user=postgres password=${PASSWORDS.owner} ` +
        `application_name=${STANDBY}`,
    });
    await prepareDatabase(primary.port, PASSWORDS);
    const address = await proxyTo(primary.url);
    const database = urlsOf(Number(new URL(address.url).port), PASSWORDS);
    return new ReplicatedPostgres(primary, standby, address, watchdog, database);
  }

  /** The primary's machine is gone: kill -9, and its connections are reset. */
  async killPrimary(): Promise<void> {
    const { identity } = this.primary.daemon;
    this.primary.daemon.expectEnd();
    process.kill(identity.pid, 'SIGKILL');
    this.address.cut();
    if (!(await waitForEnd(identity, 5_000))) throw new Error('the primary survived kill -9');
  }

  /** The address leads to the standby, which stays one until it is promoted. */
  moveAddress(): void {
    this.address.moveTo(this.standby.url);
  }

  async promote(): Promise<void> {
    await withClient(this.standby.url, (client) => client.query('SELECT pg_promote()'));
  }

  async stop(): Promise<void> {
    await this.address.close();
    // A primary waits for its standby before it ends.
    await Promise.all([this.primary.daemon.stop(), this.standby.daemon.stop()]);
    await this.watchdog.dismiss();
  }
}

interface Place {
  data_dir: string;
  account: Account | undefined;
  binaries: Binaries;
  watchdog: Watchdog;
}

async function startServer(
  { data_dir, account, binaries, watchdog }: Place,
  settings: Record<string, string>,
): Promise<Server> {
  const port = await freePort();
  const all = {
    ...{ port: String(port), listen_addresses: '127.0.0.1', unix_socket_directories: '' },
    ...{ fsync: 'off', max_connections: '100', wal_retrieve_retry_interval: '200ms' },
    ...settings,
  };
  const cluster = clusterDir(data_dir);
  const daemon = await Daemon.start({
    name: 'PostgreSQL',
    file: binaries.postgres,
    args: ['-D', cluster, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    cwd: cluster,
    log_file: join(data_dir, 'postgres.log'),
    end: POSTGRES_END,
    log: quiet,
    ...{ account, watchdog },
  });
  const { owner_url } = urlsOf(port, PASSWORDS);
  const url = Object.assign(new URL(owner_url), { pathname: '/postgres' }).href;
  const answers = () => withClient(url, () => Promise.resolve(true)).catch(() => false);
  await until(`PostgreSQL in ${data_dir}`, answers, 30_000).catch(async (error: unknown) => {
    throw new Error(await daemon.output(), { cause: error });
  });
  return { daemon, port, url };
}

async function withClient<Result>(
  url: string,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', quiet);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(quiet);
  }
}
