import type pg from 'pg';
import { AccessTokens } from '#vigie/auth/sessions/access-tokens.js';
import { Signing } from '#vigie/auth/sessions/signing.js';
import { SystemClock } from '#vigie/platform/clock/clock.js';
import { readConfig } from '#vigie/platform/config/config.js';
import type { BenchDatabase } from '../context.js';

export interface Person {
  tenant_id: string;
  id: string;
}

/** Tenants with an admin and `members` members each. @returns the members, in the order of their tenants. */
export async function insertTenants(sql: pg.Pool, tenants: number, members: number): Promise<Person[]> {
  await sql.query(
    `INSERT INTO tenants (slug, name, kind, time_zone, locale, schedule_from)
     SELECT 'tenant-' || i, 'Tenant ' || i, 'cabinet', 'Europe/Paris', 'fr', now()
     FROM generate_series(1, $1::integer) i`,
    [tenants],
  );
  await sql.query(
    `INSERT INTO users (tenant_id, email, name, role)
     SELECT t.id, 'user' || i || '@' || t.slug || '.example', 'User ' || i,
            CASE WHEN i = 0 THEN 'admin' ELSE 'member' END
     FROM tenants t, generate_series(0, $1::integer) i`,
    [members],
  );
  const { rows } = await sql.query<Person>(
    `SELECT tenant_id, id FROM users WHERE role = 'member' ORDER BY tenant_id, id`,
  );
  return rows;
}

/** Logs people in: a session each, and a token valid for a day. */
export async function signIn(
  { sql, environment }: BenchDatabase,
  people: readonly Person[],
): Promise<string[]> {
  const config = readConfig(environment);
  const tokens = new AccessTokens(new Signing(config), config, new SystemClock());
  const { rows } = await sql.query<{ family: string }>(
    `INSERT INTO sessions (tenant_id, user_id, token_hash, created_at, expires_at)
     SELECT tenant_id, user_id, '', now(), now() + interval '1 day'
     FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS p (tenant_id, user_id, place) ORDER BY place
     RETURNING family`,
    [people.map(({ tenant_id }) => tenant_id), people.map(({ id }) => id)],
  );
  return Promise.all(
    people.map(async ({ tenant_id, id }, place) => {
      const { token } = await tokens.issue({ tenant_id, id, family: rows[place]?.family ?? '' }, 'member');
      return token;
    }),
  );
}
