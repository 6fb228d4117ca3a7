import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Benchmark, compare, limit, median } from './benchmark.js';
import type { BenchDatabase } from './context.js';
import { insertDue, type Mailing, startMailing } from './support/mailing.js';
import { OPERATOR, triggerOf } from './support/operator.js';
import { startServer, watchMemory } from './support/processes.js';
import { startSink } from './support/smtp-sink.js';
import { until } from './support/time.js';

const TENANTS = 100;
/** How often mails are queued, in ms. */
const STEP_MS = 200;
/** How long mails alone are sent in each run, in seconds. */
const ALONE_SECONDS = 20;
/** How often waits for locks are looked at, in ms. */
const LOOK_MS = 50;
const INSERT_AT_ONCE = 50_000;
const DAY = 24 * 60 * 60 * 1_000;

/** The nightly cleanup while mails are sent. */
export const p10: Benchmark = {
  id: 'P10',
  title: "old deliveries archived and deleted while mail is sent at half of P2's rate",
  async run(context) {
    const old = context.size(5_000_000, 4_000) / context.runs;
    const sink = await startSink(context);
    const database = await context.database();
    const data_dir = await mkdtemp(join(tmpdir(), 'vigie-bench-archives-'));
    const environment = {
      ...database.environment,
      VIGIE_DATA_DIR: data_dir,
      LIMIT_PER_USER_PER_HOUR: '0',
      LIMIT_PER_USER_PER_DAY: '0',
    };
    const mailing = await startMailing(database, { tenants: TENANTS, smtpPort: sink.port, environment });
    const web = await startServer({ ...environment, ...OPERATOR }, 'web');
    const mails = context.size(5_000, 300);
    const rates = async () => {
      const all: number[] = [];
      for (let run = 1; run <= context.runs; run++) all.push(mails / (await mailing.send(mails)));
      return all;
    };
    const nearlyEmpty = await rates();
    const half = median(nearlyEmpty) / 2;
    context.log(`mails are queued at ${Math.round(half)}/s`);
    for (let run = 1; run <= context.runs; run++)
      await insertOld(database, `tenant-${run}`, old, (line) => context.log(line));
    await database.sql.query('VACUUM ANALYZE notifications, deliveries');
    const full = await rates();
    context.log(
      `${Math.round(median(full))} mails/s at full speed; ${Math.round(median(nearlyEmpty))}/s before`,
    );

    const figures = {
      sending: [] as number[],
      alone: [] as number[],
      cleaned: [] as number[],
      wait: [] as number[],
      memory: [] as number[],
      memoryAlone: [] as number[],
    };
    const [worker] = mailing.workers;
    if (worker === undefined) throw new Error('there is no worker');
    await mailing.open();
    for (let run = 1; run <= context.runs; run++) {
      await database.sql.query('CHECKPOINT');
      const time = delay(context.quick ? 1_000 : ALONE_SECONDS * 1_000);
      const memoryAlone = watchMemory(worker);
      figures.alone.push(await sendDuring(mailing, half, time));
      figures.memoryAlone.push(await memoryAlone.stop());
      const trigger = await triggerOf(web, 'cleanup', `tenant-${run}`);
      const waits = watchLocks(database);
      const memory = watchMemory(worker);
      const began = performance.now();
      await trigger();
      figures.sending.push(await sendDuring(mailing, half, cleaned(database, run)));
      const seconds = (performance.now() - began) / 1_000;
      figures.cleaned.push((await archivedRows(database, `tenant-${run}`, old * 2)) / seconds);
      figures.wait.push(await waits.stop());
      figures.memory.push(await memory.stop());
      const [sending = 0, alone = 0, rows = 0, wait = 0] = Object.values(figures).map((all) => all.at(-1));
      context.log(
        `run ${run}: ${Math.round(sending)} mails/s; alone ${Math.round(alone)}/s; ` +
          `${Math.round(rows)} rows/s cleaned; longest wait for a lock ${Math.round(wait)} ms; ` +
          `worker ${Math.round(figures.memory.at(-1) ?? 0)} MB, alone ${Math.round(figures.memoryAlone.at(-1) ?? 0)} MB`,
      );
    }
    await Promise.all([mailing.stop(), web.stop(), sink.stop()]);
    await database.drop();
    await rm(data_dir, { recursive: true, force: true });
    return [
      compare({
        id: 'P10',
        what: `mails at full speed with ${old * context.runs * 2} old rows, vs without`,
        unit: 'mails/s',
        values: full,
        references: nearlyEmpty,
        target: { at_least: 0.9 },
      }),
      compare({
        id: 'P10',
        what: `mails sent while ${old * context.runs} old deliveries are archived and deleted, vs alone`,
        unit: 'mails/s',
        values: figures.sending,
        references: figures.alone,
        target: { at_least: 0.95 },
      }),
      limit({
        id: 'P10',
        what: 'rows archived and deleted meanwhile',
        unit: 'rows/s',
        values: figures.cleaned,
        target: { at_least: 5_000 },
      }),
      limit({
        id: 'P10',
        what: 'the longest wait for a lock of any process meanwhile',
        unit: 'ms',
        values: [Math.max(...figures.wait)],
        target: { at_most: 1_000 },
      }),
      compare({
        id: 'P10',
        what: 'memory of the worker meanwhile, vs when it only sends',
        unit: 'MB',
        values: figures.memory,
        references: figures.memoryAlone,
        target: { at_most: 1.5 },
      }),
    ];
  },
};

/** Queues mails at this rate until `end`. @returns how many were sent a second */
async function sendDuring(mailing: Mailing, rate: number, end: Promise<unknown>): Promise<number> {
  const ending = new AbortController();
  const watched = end.finally(() => ending.abort());
  const before = mailing.sent();
  const began = performance.now();
  let queued = 0;
  while (!ending.signal.aborted) {
    const due = Math.floor(((performance.now() - began) / 1_000) * rate) - queued;
    if (due > 0) {
      await insertDue(mailing.database, due);
      await mailing.kick();
      queued += due;
    }
    await delay(STEP_MS);
  }
  const seconds = (performance.now() - began) / 1_000;
  const sent = mailing.sent() - before;
  await watched;
  // The next window begins with an empty queue.
  await until('the queue to be empty', () => mailing.sent() - before >= queued);
  return sent / seconds;
}

/** Resolves when the newest run of this number has ended. */
async function cleaned({ sql }: BenchDatabase, run: number): Promise<void> {
  await until(
    'the cleanup',
    async () => {
      const { rows } = await sql.query<{ state: string; error: string | null }>(
        `SELECT state, error FROM job_runs WHERE job = 'cleanup' AND finished_at IS NOT NULL`,
      );
      const failed = rows.find(({ state }) => state !== 'succeeded');
      if (failed !== undefined) throw new Error(`the cleanup ended ${failed.state}: ${failed.error ?? ''}`);
      return rows.length >= run;
    },
    { everyMs: 200, timeoutMs: 60 * 60_000 },
  );
}

/** @throws Error if the tenant's archives do not have all of its old rows */
async function archivedRows({ sql }: BenchDatabase, slug: string, expected: number): Promise<number> {
  const { rows } = await sql.query<{ rows: number }>(
    `SELECT coalesce(sum(value::bigint), 0)::bigint AS rows FROM archives a, jsonb_each_text(a.counts)
     WHERE tenant_id = (SELECT id FROM tenants WHERE slug = $1) AND state = 'sealed'`,
    [slug],
  );
  const found = rows[0]?.rows ?? 0;
  if (found !== expected) throw new Error(`${found} instead of ${expected} rows were archived`);
  return found;
}

/** Looks for waiting locks of the database, until it is stopped. */
function watchLocks({ sql }: BenchDatabase): { stop(): Promise<number> } {
  const stopping = new AbortController();
  let longest = 0;
  const watching = (async () => {
    while (!stopping.signal.aborted) {
      const { rows } = await sql.query<{ ms: number | null }>(
        `SELECT (extract(epoch FROM max(clock_timestamp() - waitstart)) * 1000)::float AS ms
         FROM pg_locks WHERE NOT granted`,
      );
      longest = Math.max(longest, rows[0]?.ms ?? 0);
      await delay(LOOK_MS);
    }
  })();
  return {
    stop: async () => {
      stopping.abort();
      await watching;
      return longest;
    },
  };
}

/** Read notifications with a delivery that was sent 40 days ago, of the members of one tenant. */
async function insertOld(
  { sql }: BenchDatabase,
  slug: string,
  count: number,
  log: (line: string) => void,
): Promise<void> {
  log(`filling ${slug} with ${count}`);
  const at = new Date(Date.now() - 40 * DAY);
  for (let from = 0; from < count; from += INSERT_AT_ONCE) {
    await sql.query(
      `WITH members AS (
         SELECT tenant_id, id, email, row_number() OVER (ORDER BY id) - 1 AS place FROM users
         WHERE role = 'member' AND tenant_id = (SELECT id FROM tenants WHERE slug = $1)
       ),
       created AS (
         INSERT INTO notifications (tenant_id, recipient, user_id, dedupe_key, kind, severity, data, audience,
                                    created_at, read_at)
         SELECT m.tenant_id, 'user:' || m.id, m.id, gen_random_uuid(), 'deadline_near', 'info',
                jsonb_build_object('deadline_id', m.id, 'title', 'Deadline ' || i, 'category', 'TVA',
                                   'client_name', 'Client 7', 'due_on', '2026-12-01'), 'responsible', $3, $3
         FROM generate_series(0, $2::integer - 1) i JOIN members m ON m.place = i % (SELECT count(*) FROM members)
         RETURNING tenant_id, id, recipient, user_id
       )
       INSERT INTO deliveries (tenant_id, notification_id, recipient, critical, channel, address, state, attempts,
                               due_at, due_since, admitted_at, created_at, sent_at, ended_at, provider_id, sent_subject,
                               sent_text)
       SELECT t.tenant_id, t.id, t.recipient, false, 'email', m.email, 'sent', 1, $3, $3, $3, $3, $3, $3,
              '<' || t.id || '@vigie.example>', 'Deadline of Client 7 in 3 days', repeat('The deadline is near. ', 20)
       FROM created t JOIN members m ON m.id = t.user_id`,
      [slug, Math.min(INSERT_AT_ONCE, count - from), at],
    );
  }
}
