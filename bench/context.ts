import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { migrate } from '#vigie/platform/database/migrate.js';
import { type Embedded, startEmbedded } from '#vigie/platform/embedded/embedded.js';
import { stopAll } from './support/processes.js';

// Counts fit into a number.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/** A new migrated database, and the environment of a server on it. */
export interface BenchDatabase {
  /** As the owner, bypassing row-level security. */
  sql: pg.Pool;
  environment: Record<string, string>;
  drop(): Promise<void>;
}

/** The tools of every benchmark. */
export interface BenchContext {
  /** Small sizes: shows that everything works, and measures nothing. */
  quick: boolean;
  /** Interleaved runs; the result is their median. */
  runs: number;
  /** Prints progress. */
  log(line: string): void;
  /** A remark on the method, for readers of the table. */
  note(line: string): void;
  /** `full`, or `quick` in a quick bench. */
  size(full: number, quick: number): number;
  database(): Promise<BenchDatabase>;
}

export interface BenchServices {
  context: BenchContext;
  notes: readonly string[];
  stop(): Promise<void>;
}

/** Starts PostgreSQL (fsync and synchronous_commit on) and Redis for the bench, in a temporary folder. */
export async function startServices(quick: boolean, log: (line: string) => void): Promise<BenchServices> {
  const data_dir = await mkdtemp(join(tmpdir(), 'vigie-bench-'));
  // PostgreSQL runs as another user if the bench runs as root.
  await chmod(data_dir, 0o755);
  const embedded = await startEmbedded({ data_dir, postgres: true, redis: true, log: () => undefined });
  const notes: string[] = [];
  let databases = 0;
  const context: BenchContext = {
    quick,
    runs: quick ? 2 : 5,
    log,
    note: (line) => {
      if (!notes.includes(line)) notes.push(line);
    },
    size: (full, small) => (quick ? small : full),
    database: () => createDatabase(embedded, `bench_${++databases}`),
  };
  return {
    context,
    notes,
    stop: async () => {
      await stopAll();
      await embedded.stop();
      await rm(data_dir, { recursive: true, force: true });
    },
  };
}

async function createDatabase({ database, redis_url }: Embedded, name: string): Promise<BenchDatabase> {
  if (database === undefined || redis_url === undefined) throw new Error('PostgreSQL or Redis is not there');
  const admin = new pg.Client({ connectionString: database.owner_url });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  await admin.end();
  const url = (of: string) => Object.assign(new URL(of), { pathname: `/${name}` }).href;
  const owner_url = url(database.owner_url);
  await migrate(owner_url);
  const sql = new pg.Pool({ connectionString: owner_url, max: 10 });
  sql.on('error', () => undefined);
  return {
    sql,
    environment: {
      // Measures the work, not the rate limit.
      API_REQUESTS_PER_MINUTE: '0',
      SOCKETS_PER_ADDRESS: '0',
      DATABASE_URL: owner_url,
      DATABASE_APP_URL: url(database.app_url),
      DATABASE_SYSTEM_URL: url(database.system_url),
      REDIS_URL: redis_url,
      REDIS_PREFIX: name,
      JWT_SECRET: 'a secret that only the bench knows',
      ACCESS_TOKEN_MINUTES: '1440',
      SCHEDULER_ENABLED: 'false',
      HOST: '127.0.0.1',
      PORT: '0',
    },
    drop: async () => {
      await sql.end();
      const client = new pg.Client({ connectionString: database.owner_url });
      await client.connect();
      await client.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await client.end();
    },
  };
}
