import type { BenchDatabase } from '../context.js';
import { insertTenants, type Person, signIn } from './people.js';

/** Somebody with a feed, signed in, in a table of this many notifications. */
export interface Reader {
  person: Person;
  token: string;
}

export interface FeedSizes {
  /** Rows of the whole table. */
  rows: number;
  /** Of those, the reader's. */
  own: number;
  /** And the reader's that are unread. */
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
  // Rows first, then their indexes, and no look at foreign keys: a tenth of the time. The two unique ones are
  // constraints that others refer to, and stay.
  for (const { indexname } of owned.rows) await sql.query(`DROP INDEX ${indexname}`);
  const client = await sql.connect();
  try {
    await client.query(`SET session_replication_role = replica; SET maintenance_work_mem = '1GB'`);
    const insert = (people: readonly Person[], count: number, unreadCount: number) =>
      client.query(
        `INSERT INTO notifications (tenant_id, recipient, user_id, dedupe_key, kind, severity, title, body, data,
                                    seq, created_at, read_at)
         SELECT p.tenant_id, 'user:' || p.user_id, p.user_id, i::text, 'deadline_near', 'info',
                'Échéance dans 7 jours : Deadline ' || i, 'Client 7 · Date limite : 01/12/2026',
                jsonb_build_object('title', 'Deadline ' || i, 'client_name', 'Client 7', 'due_on', '2026-12-01'),
                i / $6::integer + 1, now() - make_interval(secs => i),
                -- The newest are unread.
                CASE WHEN i > $5::integer THEN now() END
         FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS p (tenant_id, user_id, place)
         JOIN generate_series($3::integer, $4::integer) i ON i % $6::integer = p.place - 1`,
        [
          people.map(({ tenant_id }) => tenant_id),
          people.map(({ id }) => id),
          1,
          count,
          unreadCount,
          people.length,
        ],
      );
    await insert([person], own, unread);
    await insert(others, rows - own, 0);
    for (const { indexdef } of owned.rows) await client.query(indexdef);
    await client.query('VACUUM ANALYZE notifications');
    await client.query('RESET session_replication_role; RESET maintenance_work_mem; CHECKPOINT');
  } finally {
    client.release();
  }
  const [token = ''] = await signIn(database, [person]);
  return { person, token };
}
