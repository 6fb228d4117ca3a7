import { Redis } from 'ioredis';
import type { BenchDatabase } from '../context.js';
import { insertTenants } from './people.js';
import { type Child, startServer } from './processes.js';
import { until } from './time.js';

/** Concurrent mails of one worker process, and connections of the reference's pool. */
export const CONCURRENCY = 30;

/** Workers and a scheduler on a database, whose channel is paused until a run starts. */
export interface Mailing {
  database: BenchDatabase;
  /**
   * Queues `count` deliveries, releases them, and waits until all have their outcome. @returns seconds.
   * @param bundles the number of mails, if several deliveries may leave as one; default: one mail each
   */
  send(count: number, bundles?: number): Promise<number>;
  /** Releases what is queued. */
  open(): Promise<void>;
  /** Pauses the channel, and waits until nothing is under way. */
  pause(): Promise<void>;
  /** Wakes the dispatcher, as the creation of a notification does. */
  kick(): Promise<unknown>;
  /** Mails whose outcome was recorded so far. */
  sent(): number;
  readonly workers: readonly Child[];
  stop(): Promise<void>;
}

/**
 * @param entry the process to start instead of the real server
 * @param workers the number of worker processes
 */
export async function startMailing(
  database: BenchDatabase,
  options: {
    tenants: number;
    members?: number;
    smtpPort: number;
    entry?: URL;
    workers?: number;
    environment?: Record<string, string>;
  },
): Promise<Mailing> {
  const { sql } = database;
  await insertTenants(sql, options.tenants, options.members ?? 10);
  await sql.query('UPDATE channels SET paused = true');
  const environment = {
    ...database.environment,
    SMTP_HOST: '127.0.0.1',
    SMTP_PORT: String(options.smtpPort),
    SMTP_TLS: 'false',
    SMTP_FROM_EMAIL: 'vigie@vigie.example',
    MAIL_CONCURRENCY: String(CONCURRENCY),
    ...options.environment,
  };
  const workers: Child[] = [];
  for (let number = 1; number <= (options.workers ?? 1); number++)
    workers.push(await startServer(environment, 'worker', options.entry));
  const scheduler = await startServer(environment, 'scheduler');
  const sent = countSent(workers);
  const { REDIS_URL = '', REDIS_PREFIX = '' } = database.environment;
  const redis = new Redis(REDIS_URL);
  const kick = () =>
    redis.publish(
      `${REDIS_PREFIX}:wake-ups`,
      JSON.stringify({ name: 'dispatch.kick', message: { channel: 'email' } }),
    );
  const open = async () => {
    await sql.query('UPDATE channels SET paused = false');
    await kick();
  };
  const pause = async () => {
    await sql.query('UPDATE channels SET paused = true');
    await settle(database);
  };
  return {
    database,
    open,
    pause,
    kick,
    sent,
    workers,
    send: async (count, bundles) => {
      await insertDeliveries(database, count, bundles === undefined ? null : 'together');
      await sql.query('CHECKPOINT');
      const before = sent();
      const began = performance.now();
      await open();
      const mails = bundles ?? count;
      await until(`${mails} mails`, () => sent() - before >= mails, { everyMs: 5 });
      const seconds = (performance.now() - began) / 1_000;
      await pause();
      return seconds;
    },
    stop: async () => {
      redis.disconnect();
      await Promise.all([...workers, scheduler].map((child) => child.stop()));
    },
  };
}

/** `insertDue`, and lets PostgreSQL count the rows. */
export async function insertDeliveries(...[database, ...which]: Parameters<typeof insertDue>): Promise<void> {
  await insertDue(database, ...which);
  await database.sql.query('VACUUM ANALYZE notifications, deliveries');
}

/**
 * Inserts due deliveries, evenly for all users. Earlier ones are older, and so leave first.
 * @param bundleKey null: each leaves alone
 * @param tenants their slugs; null: all
 */
export async function insertDue(
  { sql }: BenchDatabase,
  count: number,
  bundleKey: string | null = null,
  tenants: readonly string[] | null = null,
): Promise<void> {
  await sql.query(
    `WITH members AS (
       SELECT tenant_id, id, email, row_number() OVER (ORDER BY id) - 1 AS place
       FROM users WHERE role = 'member'
         AND ($3::text[] IS NULL OR tenant_id IN (SELECT id FROM tenants WHERE slug = ANY ($3)))
     ),
     created AS (
       INSERT INTO notifications (tenant_id, recipient, user_id, dedupe_key, kind, severity, data, audience,
                                  created_at)
       SELECT m.tenant_id, 'user:' || m.id, m.id, gen_random_uuid(), 'deadline_near', 'info',
              jsonb_build_object('deadline_id', m.id, 'title', 'Deadline ' || i, 'category', 'TVA',
                                 'client_name', 'Client 7', 'due_on', '2026-12-01'), 'responsible', now()
       FROM generate_series(0, $1::integer - 1) i JOIN members m ON m.place = i % (SELECT count(*) FROM members)
       RETURNING tenant_id, id, recipient, user_id
     )
     INSERT INTO deliveries (tenant_id, notification_id, recipient, critical, channel, address, bundle_key, due_at,
                             created_at)
     SELECT t.tenant_id, t.id, t.recipient, false, 'email', u.email, $2, now(), now()
     FROM created t JOIN users u ON u.tenant_id = t.tenant_id AND u.id = t.user_id`,
    [count, bundleKey, tenants],
  );
}

/** Mails whose outcome the workers have recorded, from their logs. */
function countSent(workers: readonly Child[]): () => number {
  let sent = 0;
  const count = (line: string) => {
    if (line.includes('"delivery_sent"')) sent += 1;
    else if (/"delivery_|"level":"(warn|error)"/.test(line)) process.stderr.write(`${line}\n`);
  };
  for (const worker of workers) worker.onLine(count);
  return () => sent;
}

/** Waits until messages that were admitted before the pause have their outcome, too. */
async function settle({ sql }: BenchDatabase): Promise<void> {
  await until('what is under way', async () => {
    const { rows } = await sql.query(`SELECT FROM deliveries WHERE state IN ('queued', 'sending') LIMIT 1`);
    return rows.length === 0;
  });
}
