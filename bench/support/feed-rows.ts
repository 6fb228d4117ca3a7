import type { BenchDatabase } from '../context.js';
import { insertTenants, type Person, signIn } from './people.js';

/** A logged-in user with a feed, in a table of this many notifications. */
export interface Reader {
  person: Person;
  token: string;
}

export interface FeedSizes {
  /** Rows of the whole table. */
  rows: number;
  /** The reader's rows. */
  own: number;
  /** The reader's unread rows. */
  unread: number;
}

/** Fills `notifications`: a reader's feed, and the rest evenly over 1,000 other users of 100 tenants. */
export async function fillFeeds(database: BenchDatabase, { rows, own, unread }: FeedSizes): Promise<Reader> {
  const { sql } = database;
  const [person, ...others] = await insertTenants(sql, 100, 10);
  if (person === undefined) throw new Error('there is nobody');
  const owned = await sql.query<{ tgname: string; indexname: string; indexdef: string }>(
    `SELECT indexname, indexdef FROM pg_indexes
     WHERE tablename = 'notifications' AND indexdef NOT LIKE 'CREATE UNIQUE%'`,
  );
  // Rows first, then their indexes, without checking foreign keys: a tenth of the time. The two unique ones are
  // constraints that others reference, so they stay.
  for (const { indexname } of owned.rows) await sql.query(`DROP INDEX ${indexname}`);
  const client = await sql.connect();
  try {
    await client.query(`SET session_replication_role = replica; SET maintenance_work_mem = '1GB'`);
    // One feed after the other, so that the remaining indexes stay in memory.
    const insert = (people: readonly Person[], each: number, unreadEach: number) =>
      client.query(
        `INSERT INTO notifications (tenant_id, recipient, user_id, dedupe_key, kind, severity, data, audience,
                                    seq, created_seq, created_at, read_at)
         SELECT p.tenant_id, 'user:' || p.user_id, p.user_id, i::text, 'deadline_near', 'info',
                jsonb_build_object('title', 'Deadline ' || i, 'client_name', 'Client 7', 'due_on', '2026-12-01'), 'responsible',
                i, i, now() - make_interval(mins => $3::integer - i), CASE WHEN i <= $3::integer - $4::integer THEN now() END
         FROM unnest($1::uuid[], $2::uuid[]) AS p (tenant_id, user_id)
         CROSS JOIN LATERAL generate_series(1, $3::integer) i`,
        [people.map(({ tenant_id }) => tenant_id), people.map(({ id }) => id), each, unreadEach],
      );
    await insert([person], own, unread);
    await insert(others, Math.round((rows - own) / others.length), 0);
    for (const { indexdef } of owned.rows) await client.query(indexdef);
    await client.query('VACUUM ANALYZE notifications');
    await client.query('RESET session_replication_role; RESET maintenance_work_mem; CHECKPOINT');
  } finally {
    client.release();
  }
  const [token = ''] = await signIn(database, [person]);
  return { person, token };
}
