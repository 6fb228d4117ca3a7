import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { Api } from '../../src/cli/demo/api.js';
import type { Role } from '../../src/platform/config/schema.js';
import { migrate } from '../../src/platform/database/migrate.js';
import { type Embedded, startEmbedded } from '../../src/platform/embedded/embedded.js';
import { type ServerProcess, startProcess } from '../support/processes.js';
import { until } from '../support/until.js';

/** Starts the PostgreSQL of an installation, whose files are in this folder. */
export type StartDatabase = (dir: string) => Promise<Embedded>;

/** The first operator of every installation. */
export const OPERATOR = { email: 'operator@vigie.example', password: 'an operator of the tests' };

/**
 * PostgreSQL, Redis and processes for one scenario, to be killed and restarted. They end even if the test crashes:
 * services by their watchdog, processes when the channel to their parent closes.
 */
export class Installation {
  private readonly processes = new Set<ServerProcess>();

  private constructor(
    private readonly dir: string,
    private postgres: Embedded,
    private redis: Embedded,
    private readonly pool: pg.Pool,
    /** Environment variables of every process, from docs/configuration.md. */
    readonly environment: Readonly<Record<string, string>>,
  ) {}

  /** @param startDatabase starts its PostgreSQL in a new folder; by default a single one. */
  static async start(
    environment: Readonly<Record<string, string>>,
    startDatabase: StartDatabase = startPostgres,
  ): Promise<Installation> {
    const dir = await mkdtemp(join(tmpdir(), 'vigie-faults-'));
    // PostgreSQL runs as another user if the tests run as root.
    await chmod(dir, 0o755);
    const [postgres, redis] = await Promise.all([startDatabase(dir), startRedis(dir)]);
    const { owner_url = '', app_url = '', system_url = '' } = postgres.database ?? {};
    const pool = new pg.Pool({ connectionString: owner_url, max: 3 });
    // PostgreSQL ends idle connections when it stops: the scenario expects that.
    pool.on('error', () => undefined);
    return new Installation(dir, postgres, redis, pool, {
      DATABASE_URL: owner_url,
      DATABASE_APP_URL: app_url,
      DATABASE_SYSTEM_URL: system_url,
      REDIS_URL: redis.redis_url ?? '',
      JWT_SECRET: randomBytes(32).toString('hex'),
      VIGIE_OPERATOR_EMAIL: OPERATOR.email,
      VIGIE_OPERATOR_PASSWORD: OPERATOR.password,
      HOST: '127.0.0.1',
      PORT: '0',
      SCHEDULER_ENABLED: 'false',
      LIMIT_PER_USER_PER_HOUR: '0',
      LIMIT_PER_USER_PER_DAY: '0',
      ...environment,
    });
  }

  /** Starts a process with this role, and waits until it has started. */
  async startProcess(
    roles: Role | 'worker,scheduler',
    environment: Record<string, string> = {},
    within: readonly string[] = [],
  ) {
    const server = await startProcess({ ...this.environment, VIGIE_ROLES: roles, ...environment }, within);
    this.processes.add(server);
    void server.ended.then(() => this.processes.delete(server));
    return server;
  }

  /** The number of running processes. */
  get running(): number {
    return this.processes.size;
  }

  /** Kills all of them with kill -9. */
  async killProcesses(): Promise<void> {
    const ends = [...this.processes].map((server) => {
      server.kill('SIGKILL');
      return server.ended;
    });
    await Promise.all(ends);
  }

  /** Creates the tables before the first process does. */
  async migrate(): Promise<void> {
    await migrate(this.environment.DATABASE_URL ?? '');
  }

  /** Runs SQL as the owner, bypassing row-level security: for checks, and for acts without a route. */
  async sql<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.pool.query<Row>(text, values)).rows;
  }

  /** Signs in a user of the driver's tenant, who gets the operator's password. @returns the access token. */
  async accessToken(url: string, email: string): Promise<string> {
    await this.sql(
      'UPDATE users SET password_hash = (SELECT password_hash FROM operators LIMIT 1) WHERE email = $1',
      [email],
    );
    const { access_token } = await new Api(url).call<{ access_token: string }>('POST', 'auth/login', {
      ...{ email, password: OPERATOR.password, tenant: 'cabinet-martin' },
    });
    return access_token;
  }

  /** A count from PostgreSQL. */
  async count(text: string, values: unknown[] = []): Promise<number> {
    const [row] = await this.sql<{ count: string }>(text, values);
    return Number(row?.count);
  }

  /** Like `pg_ctl restart -m fast`: ends sessions, and restarts at the same address. */
  async restartPostgres(): Promise<void> {
    const before = this.postgres.database?.owner_url;
    await this.postgres.stop();
    this.postgres = await startPostgres(this.dir);
    if (this.postgres.database?.owner_url !== before)
      throw new Error("PostgreSQL's port was taken meanwhile");
  }

  /** Ends every session but this one. */
  async terminateBackends(): Promise<void> {
    await this.sql(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
  }

  async killRedis(): Promise<void> {
    const pid = Number((await readFile(join(this.dir, 'redis', 'redis.pid'), 'utf8')).split(' ')[0]);
    process.kill(pid, 'SIGKILL');
  }

  /** Restarts the killed Redis, empty, at the same address. */
  async restartRedis(): Promise<void> {
    const before = this.redis.redis_url;
    await this.redis.stop();
    this.redis = await startRedis(this.dir);
    if (this.redis.redis_url !== before) throw new Error("Redis's port was taken meanwhile");
  }

  async flushRedis(): Promise<void> {
    const connection = new Redis(this.redis.redis_url ?? '');
    await connection.flushall();
    connection.disconnect();
  }

  /** Waits until no delivery is in progress; false on a time-out. */
  async drained(timeoutMs: number): Promise<boolean> {
    const left = `SELECT count(*) FROM deliveries WHERE state IN ('pending', 'queued', 'sending')`;
    const none = async () => (await this.count(left)) === 0;
    return until('every delivery to end', none, timeoutMs).catch(() => false);
  }

  async close(): Promise<void> {
    await this.killProcesses();
    await this.pool.end();
    await Promise.all([this.postgres.stop(), this.redis.stop()]);
    await rm(this.dir, { recursive: true, force: true });
  }
}

const quiet = () => undefined;
const startPostgres = (dir: string) =>
  startEmbedded({ data_dir: join(dir, 'postgres'), postgres: true, redis: false, log: quiet });
const startRedis = (dir: string) =>
  startEmbedded({ data_dir: join(dir, 'redis'), postgres: false, redis: true, log: quiet });
