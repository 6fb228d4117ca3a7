import type pg from 'pg';

/** Tenants and waiting deliveries, inserted directly into the tables, as an import and a check would leave them. */
export interface Backlog {
  tenants: number;
  /** Deliveries of each tenant, spread over `users` users. */
  deliveries: number;
  users?: number;
  /** Makes the slugs and addresses of a backlog unique. */
  prefix: string;
}

/** @returns the ids of the tenants. */
export async function insertBacklog(
  client: {
    query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<{ rows: Row[] }>;
  },
  backlog: Backlog,
): Promise<string[]> {
  const { tenants, deliveries, users = 10, prefix } = backlog;
  const { rows } = await client.query<{ id: string }>(
    `WITH t AS (
       INSERT INTO tenants (slug, name, kind, time_zone, locale, schedule_from)
       SELECT $1 || '-' || i, $1 || ' ' || i, 'cabinet', 'Europe/Paris', 'fr', now()
       FROM generate_series(1, $2::integer) i RETURNING id, slug
     ),
     u AS (
       INSERT INTO users (tenant_id, id, email, name, role)
       SELECT t.id, gen_random_uuid(), 'user' || i || '@' || t.slug || '.example', 'User ' || i, 'member'
       FROM t, generate_series(1, $3::integer) i RETURNING tenant_id, id, email
     ),
     numbered AS (SELECT u.*, row_number() OVER (PARTITION BY tenant_id ORDER BY id) - 1 AS position FROM u),
     n AS (
       INSERT INTO notifications (tenant_id, recipient, user_id, dedupe_key, kind, severity, data, audience,
                                  created_at)
       SELECT p.tenant_id, 'user:' || p.id, p.id, 'backlog:' || i, 'event', 'info',
              jsonb_build_object('kind', 'test', 'title', 'Message ' || i, 'body', 'Body'), 'addressed', now()
       FROM generate_series(0, $4::integer - 1) i JOIN numbered p ON p.position = i % $3
       RETURNING tenant_id, id, recipient, user_id
     )
     , d AS (
       INSERT INTO deliveries (tenant_id, notification_id, recipient, critical, channel, address, due_at,
                               created_at)
       SELECT n.tenant_id, n.id, n.recipient, false, 'email', u.email, now(), now()
       FROM n JOIN u ON u.tenant_id = n.tenant_id AND u.id = n.user_id
     )
     SELECT id FROM t`,
    [prefix, tenants, users, deliveries],
  );
  await client.query('ANALYZE deliveries, notifications, tenants, users');
  return rows.map(({ id }) => id);
}
