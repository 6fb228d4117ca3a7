import { randomUUID } from 'node:crypto';
import { Operators } from '../../src/auth/operators.js';
import { Sessions } from '../../src/auth/sessions/sessions.js';
import type { Locale } from '../../src/contracts/locales.js';
import { Database } from '../../src/platform/database/database.js';
import type { World } from './world.js';

/** A logged-in user of a tenant. */
export interface Person {
  id: string;
  /** The same as `id`, under the name that callers have. */
  user_id: string;
  tenant_id: string;
  email: string;
  name: string;
  role: 'member' | 'admin';
  password: string;
  token: string;
  refresh_token: string;
}

export interface CastTenant {
  id: string;
  slug: string;
}

/** The fixed cast of every test. */
export interface Cast {
  tenant: CastTenant;
  /** Of `tenant`. */
  tenant_id: string;
  /** The tenant's admin. */
  admin: Person;
  /** The admin again, for tests about ownership. */
  owner: Person;
  /** A member of the same tenant. */
  teammate: Person;
  /** The admin of another tenant: with the same rights, but only there. */
  outsider: Person;
  other: { tenant: CastTenant; outsider: Person };
  operator: { id: string; email: string; password: string; token: string };
}

/** Everybody's password, hashed once: argon2id is slow on purpose. */
export const PASSWORD = 'correct horse battery staple';
const PASSWORD_HASH =
  '$argon2id$v=19$m=19456,t=2,p=1$avv8vZk4pCrE6dWCCDL/Mw$mIO3NmG0fW9ALDn3KvjQnPp/cGawNm5hFTKqG4ZUNgQ';
/** Long before any test's clock, so that every slot is due. */
const SINCE = '2020-01-01T00:00:00Z';

/** Adds a tenant, bypassing the API. Its slots are due from 2020 on. */
export async function addTenant(
  world: World,
  fields: {
    slug?: string;
    name?: string;
    time_zone?: string;
    locale?: Locale;
    settings?: object;
    /** No slot is due before it. */
    schedule_from?: string;
  } = {},
): Promise<CastTenant> {
  const slug = fields.slug ?? `tenant-${randomUUID()}`;
  const [row] = await world.sql<{ id: string }>(
    `INSERT INTO tenants (slug, name, kind, time_zone, locale, settings, schedule_from, created_at)
     VALUES ($1, $2, 'cabinet', $3, $4, $5, $6, $7) RETURNING id`,
    [
      slug,
      fields.name ?? slug,
      fields.time_zone ?? 'Europe/Paris',
      fields.locale ?? 'fr',
      JSON.stringify(fields.settings ?? {}),
      fields.schedule_from ?? SINCE,
      SINCE,
    ],
  );
  return { id: row!.id, slug };
}

/** Adds a user, bypassing the API (without a welcome mail), and logs them in with a session of the application. */
export async function addPerson(
  world: World,
  tenantId: string,
  fields: { name: string; role?: 'member' | 'admin'; email?: string },
): Promise<Person> {
  const { name, role = 'member', email = `${name.toLowerCase()}@example.com` } = fields;
  const [row] = await world.sql<{ id: string }>(
    `INSERT INTO users (tenant_id, email, name, role, password_hash, created_at)
     VALUES ($1, $2, $3, $4, $5, $6) RETURNING id`,
    [tenantId, email, name, role, PASSWORD_HASH, SINCE],
  );
  const { id } = row!;
  const pair = await world.app
    .get(Database)
    .tenant(tenantId, (tx) => world.app.get(Sessions, { strict: false }).begin(tx, { id, role }));
  return {
    id,
    user_id: id,
    tenant_id: tenantId,
    email,
    name,
    role,
    password: PASSWORD,
    token: pair.access_token,
    refresh_token: pair.refresh_token,
  };
}

/** Creates the cast in a new world. Tokens last as long as configured, by the world's clock. */
export async function createCast(world: World): Promise<Cast> {
  const tenant = await addTenant(world, { slug: 'cabinet-martin', name: 'Cabinet Martin' });
  const admin = await addPerson(world, tenant.id, { name: 'Alice', role: 'admin' });
  const teammate = await addPerson(world, tenant.id, { name: 'Bob' });
  const elsewhere = await addTenant(world, { slug: 'cabinet-durand', name: 'Cabinet Durand' });
  const outsider = await addPerson(world, elsewhere.id, { name: 'Charlie', role: 'admin' });
  return {
    tenant,
    tenant_id: tenant.id,
    admin,
    owner: admin,
    teammate,
    outsider,
    other: { tenant: elsewhere, outsider },
    operator: await addOperator(world),
  };
}

async function addOperator(world: World): Promise<Cast['operator']> {
  const email = 'operator@example.com';
  await world.sql(`INSERT INTO operators (email, name, password_hash) VALUES ($1, 'Operator', $2)`, [
    email,
    PASSWORD_HASH,
  ]);
  const operator = await world.app.get(Operators, { strict: false }).byEmail(email);
  const { id } = operator!;
  const { access_token } = await world.app.get(Sessions, { strict: false }).beginOperator(operator!);
  return { id, email, password: PASSWORD, token: access_token };
}
