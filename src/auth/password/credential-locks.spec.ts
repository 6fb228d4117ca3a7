import pg from 'pg';
import { addPerson, type Cast, createCast, PASSWORD, type Person } from '../../../test/support/cast.js';
import { tokenOf } from '../../../test/support/links.js';
import { until } from '../../../test/support/until.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { SUPPRESS_OF_LINKS } from '../../delivery/transitions/acts.sql.js';
import { Database } from '../../platform/database/database.js';
import { PasswordLinks } from './password-links.js';

const NEW = 'another horse, another battery';
let world: World;
let cast: Cast;
/** Another transaction of the same database. */
let other: pg.Client;
let count = 0;

beforeAll(async () => {
  world = await createWorld();
  cast = await createCast(world);
  other = new pg.Client({ connectionString: world.config.databaseUrl! });
  await other.connect();
});
afterAll(async () => {
  await other.end();
  await world.close();
});
beforeEach(() => other.query('BEGIN'));
afterEach(() => other.query('ROLLBACK'));

const someone = (): Promise<Person> => addPerson(world, cast.tenant_id, { name: `Lotte${count++}` });
const post = (path: string, body: object, token?: string) =>
  world.http('POST', `/api/v1/${path}`, { body, ...(token === undefined ? {} : { token }) });
const change = (token: string) =>
  post('auth/password/change', { current_password: PASSWORD, new_password: NEW }, token);

/** Until so many statements wait for a lock. */
const waiting = (statements = 1) =>
  until('the locks', async () => {
    const rows = await world.sql(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return rows.length === statements;
  });

async function linkOf(person: Person): Promise<{ token: string; link_id: string }> {
  const links = world.app.get(PasswordLinks, { strict: false });
  const { link_id } = await world.app
    .get(Database)
    .tenant(cast.tenant_id, (tx) => links.create(tx, person.id, 'password_reset'));
  return { token: tokenOf(links.url(cast.tenant_id, link_id)), link_id };
}

describe('an announcement that has locked the inbox can refer to the user', () => {
  it.each([
    ['their password is changed', 204, (person: Person) => change(person.token)],
    [
      'their password is set by a link',
      204,
      async (person: Person) => post('auth/password', { token: (await linkOf(person)).token, password: NEW }),
    ],
    [
      'an admin changes their address',
      200,
      ({ id, email }: Person) =>
        world.http('PATCH', `/api/v1/users/${id}`, {
          token: cast.admin.token,
          body: { email: `moved.${email}` },
        }),
    ],
    [
      'they ask for a link',
      202,
      ({ email }: Person) => post('auth/password-reset', { email, tenant: cast.tenant.slug }),
    ],
    [
      'they are erased',
      204,
      ({ id }: Person) => world.http('DELETE', `/api/v1/users/${id}`, { token: cast.admin.token }),
    ],
  ])('while %s', async (_what, status, act) => {
    const person = await someone();
    await other.query(
      `INSERT INTO inboxes AS i (tenant_id, user_id, seq) VALUES ($1, $2, 1)
       ON CONFLICT (tenant_id, user_id) DO UPDATE SET seq = i.seq + 1`,
      [cast.tenant_id, person.id],
    );
    await other.query('COMMIT');
    await other.query('BEGIN');
    await other.query(`UPDATE inboxes SET seq = seq + 1 WHERE user_id = $1`, [person.id]);
    const answer = act(person);
    await waiting();
    // As the foreign key of a notification does.
    await other.query(`SELECT 1 FROM users WHERE id = $1 FOR KEY SHARE NOWAIT`, [person.id]);
    await other.query('COMMIT');
    expect((await answer).status).toBe(status);
  });
});

it('two changes of one password at the same time: one is too late, none fails', async () => {
  const { token, id } = await someone();
  await other.query(`SELECT 1 FROM users WHERE id = $1 FOR SHARE`, [id]);
  const both = Promise.all([change(token), change(token)]);
  await waiting(2);
  await other.query('COMMIT');
  expect((await both).map(({ status }) => status).sort()).toEqual([204, 409]);
});

it('a link waits for its user before it is locked itself, as all who end links do', async () => {
  const person = await someone();
  const { token, link_id } = await linkOf(person);
  await other.query(`SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE`, [person.id]);
  const answer = post('auth/password', { token, password: NEW });
  await waiting();
  await other.query(`SELECT 1 FROM password_links WHERE id = $1 FOR UPDATE NOWAIT`, [link_id]);
  await other.query(`UPDATE password_links SET used_at = now() WHERE id = $1`, [link_id]);
  await other.query('COMMIT');
  expect(await answer).toMatchObject({ status: 410, body: { code: 'link_used' } });
});

it('a link asked for while the links end is not made until they have ended', async () => {
  const person = await someone();
  await other.query(`SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE`, [person.id]);
  const answer = post('auth/password-reset', { email: person.email, tenant: cast.tenant.slug });
  await waiting();
  await other.query(`UPDATE users SET email = 'elsewhere@example.com' WHERE id = $1`, [person.id]);
  await other.query('COMMIT');
  expect((await answer).status).toBe(202);
  // The mailbox that was asked for is no longer the user's.
  expect(await world.sql(`SELECT 1 FROM password_links WHERE user_id = $1`, [person.id])).toEqual([]);
});

it('the links of a user, and the mails that carry them, are found by their indexes', async () => {
  const [tenant, user, now] = [cast.tenant_id, cast.teammate.id, new Date()];
  // A tenant with mails to others, rolled back at the end.
  await other.query(
    `WITH n AS (
       INSERT INTO notifications (tenant_id, recipient, dedupe_key, kind, severity, audience, created_at)
       SELECT $1, 'mailto:p' || i || '@example.com', 'k', 'welcome', 'info', 'self', now()
       FROM generate_series(1, 5000) i RETURNING *)
     INSERT INTO deliveries (tenant_id, notification_id, recipient, critical, channel, address, state, due_at,
                             created_at, sent_at, ended_at)
     SELECT tenant_id, id, recipient, false, 'email', 'x', 'sent', now(), now(), now(), now() FROM n`,
    [tenant],
  );
  await other.query('ANALYZE notifications, deliveries');
  await other.query(`SET LOCAL enable_seqscan = off`);
  const plan = async (statement: string, ...parameters: unknown[]) => {
    const { rows } = await other.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${statement}`, parameters);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  };
  const links = `UPDATE password_links SET used_at = $3 WHERE tenant_id = $1 AND user_id = $2 AND used_at IS NULL`;
  expect(await plan(links, tenant, user, now)).toContain('password_links_user');
  const mails = await plan(SUPPRESS_OF_LINKS, tenant, `user:${user}`, now);
  expect(mails).toContain('notifications_tenant_id_recipient_dedupe_key_key');
  expect(mails).toContain('deliveries_tenant_id_notification_id_channel_address_key');
});
