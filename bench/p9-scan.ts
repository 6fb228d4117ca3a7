import { execFile } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import { link, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Benchmark, compare, limit } from './benchmark.js';
import type { BenchDatabase } from './context.js';
import { OPERATOR, triggerOf } from './support/operator.js';
import { residentMb, startServer, watchMemory } from './support/processes.js';
import { seconds, until } from './support/time.js';

const run = promisify(execFile);
const MB = 1_048_576;
const AGENT = 'server-1';
const SLUG = 'tenant-1';
/** Files in parallel: the default of BACKUP_CONCURRENCY, also for the reference. */
const PARALLEL = 4;

interface Source {
  name: string;
  path: string;
  hash_sha256: string;
  size_bytes: number;
}

interface Folders {
  root: string;
  inbox: string;
  store: string;
  copies: string;
  source: string;
}

/** A scan of staged files: hashed, promoted, the inbox emptied, every verdict committed. */
export const p9: Benchmark = {
  id: 'P9',
  title: 'staged backup files, verified and promoted',
  async run(context) {
    const files = context.size(200, 8);
    const folders = await makeFolders();
    const database = await context.database();
    try {
      const many = await makeSources(folders, 'file', files, context.size(10, 1) * MB);
      const one = await makeSources(folders, 'large', 1, context.size(2_000, 8) * MB);
      await seed(database);
      const environment = {
        ...database.environment,
        ...OPERATOR,
        BACKUP_INBOX_DIR: folders.inbox,
        BACKUP_STORE_DIR: folders.store,
        BACKUP_CONCURRENCY: String(PARALLEL),
      };
      const web = await startServer(environment, 'web');
      const worker = await startServer(environment, 'worker');
      const trigger = await triggerOf(web, 'scan-backups');
      const scan = async (sources: readonly Source[]) => {
        await stage(folders, sources);
        await run('sync');
        const took = await seconds(async () => {
          await trigger();
          await until('the scan', () => isDone(database), { everyMs: 20 });
        });
        await assertPromoted(database, sources.length);
        await empty(database, folders);
        return took;
      };
      await scan(many.slice(0, PARALLEL));
      const ours: number[] = [];
      const bare: number[] = [];
      const growth: number[] = [];
      const megabytes = (sources: readonly Source[]) =>
        sources.reduce((sum, { size_bytes }) => sum + size_bytes, 0) / MB;
      for (let round = 1; round <= context.runs; round++) {
        ours.push(megabytes(many) / (await scan(many)));
        bare.push(megabytes(many) / (await bareCopy(folders)));
        context.log(
          `run ${round}: ${Math.round(ours.at(-1) ?? 0)} MB/s; bare ${Math.round(bare.at(-1) ?? 0)} MB/s`,
        );
        const before = await residentMb(worker.pid);
        const watch = watchMemory(worker);
        await scan(one);
        growth.push((await watch.stop()) - before);
      }
      await Promise.all([web.stop(), worker.stop()]);
      return [
        compare({
          id: 'P9',
          what: `${files} files, ${Math.round(megabytes(many))} MB, vs openssl dgst + cp + sync, ${PARALLEL} at once`,
          unit: 'MB/s',
          values: ours,
          references: bare,
          target: { at_least: 0.8 },
        }),
        limit({
          id: 'P9',
          what: `growth of the worker's resident memory by one file of ${Math.round(megabytes(one))} MB`,
          unit: 'MB',
          values: [Math.max(...growth)],
          target: { at_most: 30 },
        }),
      ];
    } finally {
      await database.drop();
      await rm(folders.root, { recursive: true, force: true });
    }
  },
};

async function makeFolders(): Promise<Folders> {
  const root = await mkdtemp(join(tmpdir(), 'vigie-bench-backups-'));
  const folders = Object.fromEntries(
    ['inbox', 'store', 'copies', 'source'].map((name) => [name, join(root, name)]),
  ) as Record<'inbox' | 'store' | 'copies' | 'source', string>;
  for (const folder of Object.values(folders)) await mkdir(folder);
  for (const folder of ['log', 'database']) {
    await mkdir(join(folders.inbox, SLUG, AGENT, folder), { recursive: true });
  }
  return { root, ...folders };
}

async function makeSources(folders: Folders, kind: string, count: number, bytes: number): Promise<Source[]> {
  const sources: Source[] = [];
  const block = Buffer.alloc(MB);
  for (let place = 1; place <= count; place++) {
    const name = `${kind}-${place}.bak`;
    // The reference does not copy the large one.
    const path = join(kind === 'file' ? folders.source : folders.root, name);
    const hash = createHash('sha256');
    await writeFile(path, '');
    for (let written = 0; written < bytes; written += MB) {
      randomFillSync(block);
      hash.update(block);
      await writeFile(path, block, { flag: 'a' });
    }
    await utimes(path, 1_600_000_000, 1_600_000_000);
    sources.push({ name, path, hash_sha256: hash.digest('hex'), size_bytes: bytes });
  }
  return sources;
}

async function seed({ sql }: BenchDatabase): Promise<void> {
  await sql.query(
    `INSERT INTO tenants (slug, name, kind, time_zone, locale, schedule_from)
     VALUES ($1, 'Tenant 1', 'company', 'Europe/Paris', 'fr', now())`,
    [SLUG],
  );
}

/** A new name for each file, which the scan removes; the bytes stay for the next run. */
async function stage(folders: Folders, sources: readonly Source[]): Promise<void> {
  const agent = join(folders.inbox, SLUG, AGENT);
  for (const { name, path } of sources) await link(path, join(agent, 'database', name));
  const report = {
    operation_timestamp_utc: new Date().toISOString(),
    agent_id: AGENT,
    company_name: 'Company',
    city: 'Lyon',
    databases: Object.fromEntries(
      sources.map(({ name, hash_sha256, size_bytes }) => [
        name,
        { status: 'success', hash_sha256, size_bytes, staged_file_name: name },
      ]),
    ),
  };
  const file = join(agent, 'log', 'STATUS.json');
  await writeFile(file, JSON.stringify(report));
  await utimes(file, 1_600_000_000, 1_600_000_000);
}

async function isDone({ sql }: BenchDatabase): Promise<boolean> {
  const { rows } = await sql.query<{ state: string; error: string | null }>(
    `SELECT state, error FROM job_runs ORDER BY created_at DESC LIMIT 1`,
  );
  if (rows[0]?.state === 'failed') throw new Error(`the scan failed: ${rows[0].error ?? ''}`);
  return rows[0]?.state === 'succeeded';
}

async function assertPromoted({ sql }: BenchDatabase, count: number): Promise<void> {
  const { rows } = await sql.query<{ count: number }>(
    `SELECT count(*) FROM backup_entries WHERE verdict = 'SUCCESS' AND stored_path IS NOT NULL AND staged_action IS NULL`,
  );
  if (rows[0]?.count !== count) throw new Error(`${rows[0]?.count} of ${count} files were promoted`);
}

async function empty({ sql }: BenchDatabase, folders: Folders): Promise<void> {
  await sql.query('TRUNCATE backup_entries, backup_reports, job_runs');
  await rm(join(folders.store, SLUG), { recursive: true });
  await rm(join(folders.inbox, SLUG, AGENT, 'archive'), { recursive: true });
}

/** The reference: the same files, with the same parallelism. */
async function bareCopy({ source, copies }: Folders): Promise<number> {
  await run('sync');
  const took = await seconds(() =>
    run('sh', [
      '-c',
      `ls "$1" | xargs -P ${PARALLEL} -I{} sh -c 'openssl dgst -sha256 "$1/{}" >/dev/null && cp "$1/{}" "$2/{}"' sh "$1" "$2" && sync`,
      'sh',
      source,
      copies,
    ]),
  );
  await rm(copies, { recursive: true });
  await mkdir(copies);
  return took;
}
