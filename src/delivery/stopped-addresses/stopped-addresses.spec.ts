import { addPerson, addTenant, type Person } from '../../../test/support/cast.js';
import { runJob } from '../../../test/support/watched.js';
import { createWorld, mailEnvironment, type World } from '../../../test/support/world.js';
import { type MailCatcher, startMailCatcher } from '../../cli/demo/mail-catcher.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { Database } from '../../platform/database/database.js';
import { StepwiseDelivery } from '../dispatch/bundling.fixture.js';
import { genericCall, HOOKS_ENV, NOW, post } from '../provider-events/hooks.fixture.js';
import { StoppedAddresses } from './stopped-addresses.service.js';

/** V18: stopped addresses, and how they are freed. */
const clock = new FixedClock(NOW);
let world: World;
let smtp: MailCatcher;
let way: StepwiseDelivery;
let admin: Person;
let second: Person;
let member: Person;
let people = 0;

beforeAll(async () => {
  smtp = await startMailCatcher();
  world = await createWorld({ clock, env: { ...HOOKS_ENV, ...mailEnvironment(smtp) } });
  way = new StepwiseDelivery(world);
  await world.sql(`INSERT INTO workers VALUES (gen_random_uuid(), 'email', 50, now() + interval '1 day')`);
});
afterAll(async () => {
  await world.close();
  await smtp.close();
});
beforeEach(async () => {
  clock.set(NOW);
  const tenant = await addTenant(world, { name: 'Cabinet Horizon' });
  people += 1;
  admin = await addPerson(world, tenant.id, { name: `Claire${people}`, role: 'admin' });
  second = await addPerson(world, tenant.id, { name: `Denis${people}`, role: 'admin' });
  member = await addPerson(world, tenant.id, { name: `Eve${people}`, role: 'member' });
});

interface Row {
  id: string;
  channel: string;
  address: string;
  reason: string;
}
const list = async (query = '', person = admin) => {
  const answer = await world.http('GET', `/api/v1/tenant/stopped-addresses${query}`, { token: person.token });
  expect(answer.status).toBe(200);
  return answer.body as { data: Row[]; next_cursor: string | null };
};
const free = (id: string, person = admin) =>
  world.http('DELETE', `/api/v1/tenant/stopped-addresses/${id}`, { token: person.token });

interface Delivery {
  id: string;
  state: string;
  reason: string | null;
}
const message = async (to: object, more: object = {}) => {
  const answer = await world.http('POST', '/api/v1/notifications', {
    token: admin.token,
    body: { channel: 'email', ...to, subject: 'Relance', body: 'Bonjour', ...more },
  });
  expect([answer.status, answer.text]).toEqual([
    expect.any(Number),
    expect.stringContaining('notifications'),
  ]);
  return (answer.body as { notifications: { deliveries: Delivery[] }[] }).notifications[0]!.deliveries[0]!;
};
const state = async ({ id }: { id: string }) => {
  const [row] = await world.sql<{ state: string; reason: string | null }>(
    'SELECT state, reason FROM deliveries WHERE id = $1',
    [id],
  );
  return row!;
};
const stop = (address: string, deliveryId: string, channel: 'email' | 'sms' = 'email') =>
  world.app
    .get(Database)
    .tenant(admin.tenant_id, (tx) =>
      world.app
        .get(StoppedAddresses)
        .stop(tx, [{ channel, address, reason: 'complaint', provider: 'generic', delivery_id: deliveryId }]),
    );
const STOPPED = { state: 'suppressed', reason: 'address_stopped' };

it('V18: suppresses waiting deliveries to it; other channels and other people are not affected', async () => {
  const to = { to: 'Client@client.example' };
  const sent = await message(to);
  await way.leave();
  const [pending, later] = [await message(to), await message(to, { send_at: '2026-04-02T08:00:00Z' })];
  const queued = await message(to);
  await way.admit();
  const else_ = await message({ to: 'other@client.example' });
  await stop('client@CLIENT.example', sent.id);
  for (const waiting of [pending, later, queued]) expect(await state(waiting)).toEqual(STOPPED);
  expect(await state(sent)).toMatchObject({ state: 'sent' });
  expect(await state(else_)).toMatchObject({ state: 'pending' });
  expect(
    await world.sql('SELECT event, reason FROM delivery_events WHERE delivery_id = $1', [pending.id]),
  ).toEqual([{ event: 'suppressed', reason: 'address_stopped' }]);
});

it('V18: an alert to a stopped address reaches its user on their other channels', async () => {
  const delivery = await message({ user_ids: [member.id] });
  await stop(member.email, delivery.id);
  await world.sql(
    `INSERT INTO deadlines (tenant_id, title, due_on, responsible_id) VALUES ($1, 'TVA', '2026-03-31', $2)`,
    [admin.tenant_id, member.id],
  );
  await runJob(world, admin.tenant_id, 'check-notifications');
  expect(
    await world.sql(
      `SELECT d.channel, d.state, d.reason FROM notifications n JOIN deliveries d ON d.notification_id = n.id
       WHERE n.kind = 'deadline_near' AND n.user_id = $1`,
      [member.id],
    ),
  ).toEqual([{ channel: 'email', ...STOPPED }]);
  const feed = await world.http('GET', '/api/v1/notifications?kind=deadline_near', { token: member.token });
  expect((feed.body as { data: unknown[] }).data).toHaveLength(1);
});

it('V18: a claim checks again: a message created during the stop is not sent', async () => {
  const delivery = await message({ to: 'race@client.example' });
  await way.admit();
  // As a transaction that does not see the message yet.
  await world.sql(
    `INSERT INTO stopped_addresses (tenant_id, channel, address, reason, since)
     VALUES ($1, 'email', 'race@client.example', 'stop', $2)`,
    [admin.tenant_id, NOW],
  );
  await way.send();
  expect(await state(delivery)).toEqual(STOPPED);
  expect(smtp.mails.filter(({ to }) => to.includes('race@client.example'))).toEqual([]);
});

it('V18: admins are notified in one mail, in their words, and not at the stopped address itself', async () => {
  const mine = await message({ user_ids: [second.id] });
  await way.leave();
  const before = smtp.count;
  const events = [
    { id: `own-${mine.id}`, event: 'complained', message_id: `<${await bundleOf(mine)}@x.example>` },
  ];
  await post(world, genericCall(events));
  await way.leave();
  const [mail, ...more] = smtp.mails.slice(before - smtp.count);
  expect(more).toEqual([]);
  expect(mail).toMatchObject({ to: [admin.email], subject: `Adresse bloquée\u00a0: ${second.email}` });
  expect(mail!.text).toContain('Le destinataire a signalé un e-mail comme indésirable');
  expect(
    await world.sql(
      `SELECT n.user_id, d.channel, d.state, d.reason FROM notifications n
       JOIN deliveries d ON d.notification_id = n.id WHERE n.kind = 'address_stopped' AND n.tenant_id = $1
       ORDER BY d.state`,
      [admin.tenant_id],
    ),
  ).toEqual([
    { user_id: admin.id, channel: 'email', state: 'sent', reason: null },
    { user_id: second.id, channel: 'email', ...STOPPED },
  ]);
  const feed = await world.http('GET', '/api/v1/notifications?kind=address_stopped', { token: second.token });
  expect((feed.body as { data: { title: string }[] }).data).toMatchObject([
    { title: `Adresse bloquée\u00a0: ${second.email}` },
  ]);
  await way.leave();
  expect((await list()).data).toHaveLength(1);
});

it('V18: many bounces at once are one mail to each admin', async () => {
  const ids = await Promise.all(
    Array.from({ length: 12 }, (_none, place) => message({ to: `c${place}@dead.example` })),
  );
  await way.leave();
  const before = smtp.count;
  const events = await Promise.all(
    ids.map(async (one) => ({
      id: `dead-${one.id}`,
      event: 'bounced',
      bounce: 'hard',
      message_id: `<${await bundleOf(one)}@x.example>`,
    })),
  );
  await post(world, genericCall(events));
  await way.leave();
  expect((await list()).data).toHaveLength(12);
  expect(smtp.count - before).toBe(2);
});

async function bundleOf({ id }: { id: string }): Promise<string> {
  const [row] = await world.sql<{ bundle_id: string }>('SELECT bundle_id FROM deliveries WHERE id = $1', [
    id,
  ]);
  return row!.bundle_id;
}

it('V18: an admin lists and frees it; later messages are sent, and another bounce is announced again', async () => {
  const delivery = await message({ to: 'client@client.example' });
  await stop('client@client.example', delivery.id);
  await stop('+33612345678', delivery.id, 'sms');
  expect((await list('?channel=sms')).data).toMatchObject([{ address: '+33612345678' }]);
  const first = await list('?limit=1');
  expect(first.data).toHaveLength(1);
  const rest = await list(`?limit=1&cursor=${first.next_cursor}`);
  expect([...first.data, ...rest.data].map(({ address }) => address).sort()).toEqual([
    '+33612345678',
    'client@client.example',
  ]);
  expect(rest.next_cursor).toBeNull();
  const { id } = (await list('?channel=email')).data[0]!;
  expect((await free(id)).status).toBe(204);
  expect((await free(id)).status).toBe(404);
  const audit = await world.http('GET', '/api/v1/admin/audit', { token: admin.token });
  expect(audit.text).toContain('DELETE /api/v1/tenant/stopped-addresses/:id');
  expect((await list('?channel=email')).data).toEqual([]);
  const again = await message({ to: 'client@client.example' });
  await way.leave();
  expect(await state(again)).toMatchObject({ state: 'sent' });
  await stop('client@client.example', again.id);
  const notices = await world.sql(
    `SELECT id FROM notifications WHERE kind = 'address_stopped' AND user_id = $1 AND data ->> 'channel' = 'email'`,
    [admin.id],
  );
  expect(notices).toHaveLength(2);
});

it('V18: only admins of the tenant see and free it; a channel that stops nothing is refused', async () => {
  const delivery = await message({ to: 'client@client.example' });
  await stop('client@client.example', delivery.id);
  const { id } = (await list()).data[0]!;
  expect((await free(id, member)).status).toBe(403);
  const elsewhere = await addTenant(world);
  const outsider = await addPerson(world, elsewhere.id, { name: `Zoe${people}`, role: 'admin' });
  expect((await free(id, outsider)).status).toBe(404);
  expect((await list('', outsider)).data).toEqual([]);
  expect((await list()).data).toHaveLength(1);
  const wrong = await world.http('GET', '/api/v1/tenant/stopped-addresses?channel=push', {
    token: admin.token,
  });
  expect(wrong.status).toBe(400);
});

it('V18: the address of a user who is erased is forgotten, in notices and sent mails, too', async () => {
  const delivery = await message({ user_ids: [member.id] });
  await stop(member.email, delivery.id);
  await way.leave();
  await smtp.waitFor(({ subject }) => subject.includes(member.email));
  const { status } = await world.http('DELETE', `/api/v1/users/${member.id}`, { token: admin.token });
  expect(status).toBe(204);
  expect((await list()).data).toEqual([]);
  const [found] = await world.sql<{ found: string }>(
    `SELECT (SELECT count(*) FROM notifications n WHERE n::text LIKE $1)
          + (SELECT count(*) FROM deliveries d WHERE d::text LIKE $1) AS found`,
    [`%${member.email}%`],
  );
  expect(Number(found!.found)).toBe(0);
  const feed = await world.http('GET', '/api/v1/notifications?kind=address_stopped', { token: admin.token });
  expect((feed.body as { data: { title: string }[] }).data).toMatchObject([
    { title: 'Adresse bloquée\u00a0: utilisateur effacé' },
  ]);
});
