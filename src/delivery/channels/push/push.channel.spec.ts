import webPush from 'web-push';
import { addPerson, type Cast, createCast, type Person } from '../../../../test/support/cast.js';
import { until } from '../../../../test/support/until.js';
import { runJob } from '../../../../test/support/watched.js';
import { createWorld, type World } from '../../../../test/support/world.js';
import { FixedClock } from '../../../platform/clock/fixed-clock.js';
import { StepwiseDelivery } from '../../dispatch/bundling.fixture.js';
import { type LocalProvider, startProvider } from '../provider.fixture.js';
import { Browser } from '../../../cli/demo/browser.js';

/** N6: devices of users, and the pushes that reach them. */
const VAPID = webPush.generateVAPIDKeys();
const PUSHES = {
  VAPID_PUBLIC_KEY: VAPID.publicKey,
  VAPID_PRIVATE_KEY: VAPID.privateKey,
  VAPID_SUBJECT: 'mailto:admin@vigie.example',
};
const clock = new FixedClock('2026-03-30T07:00:00Z');
let service: LocalProvider;
let world: World;
let way: StepwiseDelivery;
let cast: Cast;
let count = 0;

beforeAll(async () => {
  service = await startProvider({ status: 201 });
  world = await createWorld({
    clock,
    env: { ...PUSHES, WEB_PUSH_SERVICES: service.url },
  });
  cast = await createCast(world);
  way = new StepwiseDelivery(world, 'push');
  await world.sql(`INSERT INTO workers VALUES (gen_random_uuid(), 'push', 50, now() + interval '1 day')`);
});
afterAll(async () => {
  await world.close();
  await service.close();
});
beforeEach(() => {
  service.received.length = 0;
});

const newBrowser = () => new Browser(`${service.url}/push/${(count += 1)}`);
const register = (person: Person, browser: Browser, name?: string) =>
  world.http('POST', '/api/v1/me/devices', {
    token: person.token,
    body: { platform: 'web_push', subscription: browser.subscription, name },
  });
const devices = async ({ token }: Person) =>
  (await world.http('GET', '/api/v1/me/devices', { token })).body as {
    data: { id: string; name: string | null }[];
    web_push_public_key: string;
  };
const person = (name: string) => addPerson(world, cast.tenant_id, { name, role: 'member' });
const event = (who: Person, severity = 'warning') =>
  world.http('POST', '/api/v1/events', {
    token: cast.admin.token,
    body: {
      kind: 'disk',
      title: 'Disque plein',
      body: 'Il reste 2 %.',
      severity,
      dedupe_key: `e${(count += 1)}`,
      user_ids: [who.id],
    },
  });
const reads = (browser: Browser) =>
  service.received
    .filter(({ path }) => browser.subscription.endpoint.endsWith(path))
    .map(({ bytes }) => browser.read(bytes));

test('E8: the connection test of pushes makes no request', async () => {
  const { body } = await world.http('GET', '/api/v1/admin/connections', { token: cast.operator.token });
  const { data } = body as { data: { service: string }[] };
  expect(data.find(({ service: name }) => name === 'push')).toMatchObject({
    ...{ configured: true, ok: true, error: null },
  });
  expect(service.received).toEqual([]);
});

test('a device is registered once, encrypted, and shown without its address', async () => {
  const claire = await person('Claire');
  const browser = newBrowser();
  expect((await register(claire, browser, 'Firefox')).status).toBe(201);
  expect((await register(claire, browser, 'Firefox on Windows')).status).toBe(201);
  const { data, web_push_public_key } = await devices(claire);
  expect(web_push_public_key).toBe(VAPID.publicKey);
  expect(data).toEqual([expect.objectContaining({ platform: 'web_push', name: 'Firefox on Windows' })]);
  expect(JSON.stringify(data)).not.toContain('push/');
  const [row] = await world.sql<{ token: string }>('SELECT token FROM devices');
  expect(row!.token).toMatch(/^v1\./);
  expect(row!.token).not.toContain('push');
});

test('an alert reaches each device of its recipient, and the feed shows each outcome', async () => {
  const paul = await person('Paul');
  const [phone, laptop] = [newBrowser(), newBrowser()];
  await register(paul, phone);
  await register(paul, laptop);
  await world.sql(
    `INSERT INTO deadlines (tenant_id, title, due_on, responsible_id) VALUES ($1, 'TVA CA3', '2026-03-31', $2)`,
    [cast.tenant_id, paul.id],
  );
  await runJob(world, cast.tenant_id, 'check-notifications');
  await way.leave();
  for (const browser of [phone, laptop])
    expect(reads(browser)).toEqual([
      expect.objectContaining({
        title: 'TVA CA3, échéance demain',
        data: expect.objectContaining({ kind: 'deadline_near', count: '1' }),
      }),
    ]);
  const feed = await world.http('GET', '/api/v1/notifications', { token: paul.token });
  const [{ id }] = (feed.body as { data: [{ id: string }] }).data;
  const shown = await world.http('GET', `/api/v1/notifications/${id}`, { token: paul.token });
  expect(
    (shown.body as { deliveries: { channel: string }[] }).deliveries.filter(
      ({ channel }) => channel === 'push',
    ),
  ).toEqual([
    expect.objectContaining({ status: 'sent', sent_subject: 'TVA CA3, échéance demain' }),
    expect.objectContaining({ status: 'sent' }),
  ]);
});

test('B9: a push has the tenant’s own words', async () => {
  const nina = await person('Nina');
  const browser = newBrowser();
  await register(nina, browser);
  const { token } = cast.admin;
  const path = '/api/v1/tenant/templates/deadline_near/fr';
  await world.http('PUT', path, { token, body: { title: 'Pensez à {{data.title}}', body: 'Appelez-nous.' } });
  await world.sql(
    `INSERT INTO deadlines (tenant_id, title, due_on, responsible_id) VALUES ($1, 'CFE', '2026-03-31', $2)`,
    [cast.tenant_id, nina.id],
  );
  await runJob(world, cast.tenant_id, 'check-notifications');
  await way.leave();
  expect(reads(browser)).toEqual([expect.objectContaining({ title: 'Pensez à CFE', body: 'Appelez-nous.' })]);
  await world.http('DELETE', path, { token });
});

test('E1: a push with a message template has the template’s text, filled with the message’s data', async () => {
  const nora = await person('Nora');
  const browser = newBrowser();
  await register(nora, browser);
  const { token } = cast.admin;
  await world.http('PUT', '/api/v1/tenant/templates/message.facture/fr', {
    token,
    body: { title: 'Facture de {{data.client}}', body: 'Bonjour {{recipient.name}}' },
  });
  const answer = await world.http('POST', '/api/v1/notifications', {
    token,
    body: { channel: 'push', user_ids: [nora.id], template: 'facture', data: { client: 'Leroy' } },
  });
  expect(answer.status).toBe(202);
  await way.leave();
  expect(reads(browser)).toEqual([
    expect.objectContaining({ title: 'Facture de Leroy', body: 'Bonjour Nora' }),
  ]);
});

test('people without a device have no delivery, and those who turned pushes off get none', async () => {
  const [anne, luc] = [await person('Anne'), await person('Luc')];
  const browser = newBrowser();
  await register(luc, browser);
  await world.http('PUT', '/api/v1/preferences', {
    token: luc.token,
    body: { preferences: [{ kind: 'event', channel: 'push', enabled: false }] },
  });
  await event(anne);
  await event(luc);
  await way.leave();
  expect(reads(browser)).toEqual([]);
  expect(
    await world.sql(
      `SELECT recipient, reason FROM deliveries WHERE channel = 'push' AND recipient = ANY ($1)`,
      [[anne, luc].map(({ id }) => `user:${id}`)],
    ),
  ).toEqual([{ recipient: `user:${luc.id}`, reason: 'preference' }]);
});

test('a device that its service has forgotten (410) is removed; the other device still gets it', async () => {
  const eva = await person('Eva');
  const [old, current] = [newBrowser(), newBrowser()];
  await register(eva, old);
  await register(eva, current);
  service.answer({ status: 410 });
  await event(eva, 'critical');
  await way.leave();
  expect(
    await world.sql(`SELECT state FROM deliveries WHERE channel = 'push' AND recipient = $1 ORDER BY state`, [
      `user:${eva.id}`,
    ]),
  ).toEqual([{ state: 'failed' }, { state: 'sent' }]);
  expect((await devices(eva)).data).toHaveLength(1);
});

test('an identity that every push service refuses closes the channel, and costs no attempt', async () => {
  const max = await person('Max');
  const browsers = [newBrowser(), newBrowser(), newBrowser()];
  for (const browser of browsers) await register(max, browser);
  service.answer(...browsers.map(() => ({ status: 401 })));
  await event(max);
  await way.leave();
  const channel = () => world.sql(`SELECT down_cause FROM channels WHERE channel = 'push'`);
  const deliveries = () =>
    world.sql(
      `SELECT state, attempts, count(*) FROM deliveries WHERE recipient = $1 AND channel = 'push' GROUP BY 1, 2`,
      [`user:${max.id}`],
    );
  expect(await channel()).toEqual([{ down_cause: 'login' }]);
  expect(await deliveries()).toEqual([{ state: 'pending', attempts: 0, count: 3 }]);
  // Repaired: the next probe opens the channel, and all of them leave.
  await world.sql(`UPDATE deliveries SET due_at = $1 WHERE state = 'pending'`, [clock.now()]);
  await world.sql(`UPDATE channels SET next_probe_at = now() WHERE channel = 'push'`);
  await until('the channel to be up', async () => {
    await way.leave();
    return (await channel())[0]?.down_cause === null;
  });
  await way.leave();
  expect(await deliveries()).toEqual([{ state: 'sent', attempts: 1, count: 3 }]);
});

test('a replaced JWT_SECRET keeps devices reachable, and the nightly cleanup makes them its own', async () => {
  const hugo = await person('Hugo');
  const browser = newBrowser();
  await register(hugo, browser);
  const registered = await world.sql('SELECT id FROM devices WHERE tenant_id = $1', [cast.tenant_id]);
  const JWT_SECRET = 'another-secret-of-this-installation-kQx81';
  const JWT_SECRET_PREVIOUS = world.config.jwtSecret ?? '';
  const rotated = await createWorld({
    ...{ join: world, clock },
    env: { ...PUSHES, WEB_PUSH_SERVICES: service.url, JWT_SECRET, JWT_SECRET_PREVIOUS },
  });
  try {
    const cleanup = () => runJob(rotated, cast.tenant_id, 'cleanup');
    expect(await cleanup()).toMatchObject({ device_tokens_renewed: registered.length });
    expect(await cleanup()).toMatchObject({ device_tokens_renewed: 0 });
    await event(hugo);
    await new StepwiseDelivery(rotated, 'push').leave();
    expect(reads(browser)).toEqual([expect.objectContaining({ title: 'Disque plein' })]);
    // A process that still has the old secret alone cannot read it: it leaves it to the others.
    await event(hugo);
    await way.leave();
    const [waiting] = await world.sql(
      `SELECT state, error FROM deliveries WHERE recipient = $1 AND channel = 'push' AND state <> 'sent'`,
      [`user:${hugo.id}`],
    );
    expect(waiting).toEqual({
      state: 'pending',
      error: expect.stringContaining('JWT_SECRET was replaced') as string,
    });
    expect(reads(browser)).toHaveLength(1);
    expect((await devices(hugo)).data).toHaveLength(1);
  } finally {
    await rotated.close();
    await world.sql('DELETE FROM devices');
  }
});

test('a device belongs to the last user who registered it; a removed one gets nothing', async () => {
  const [first, second] = [await person('Un'), await person('Deux')];
  const shared = newBrowser();
  await register(first, shared);
  await register(second, shared);
  expect((await devices(first)).data).toEqual([]);
  const [device] = (await devices(second)).data;
  const remove = (token: string) => world.http('DELETE', `/api/v1/me/devices/${device!.id}`, { token });
  expect((await remove(first.token)).status).toBe(404);
  await event(second);
  expect((await remove(second.token)).status).toBe(204);
  await way.leave();
  expect(reads(shared)).toEqual([]);
});

test('a user with two devices can be erased while pushes wait: none is sent, and no address stays', async () => {
  const erased = await person('Effacé');
  const browsers = [newBrowser(), newBrowser()];
  for (const browser of browsers) await register(erased, browser);
  await event(erased);
  const { status } = await world.http('DELETE', `/api/v1/users/${erased.id}`, { token: cast.admin.token });
  expect(status).toBe(204);
  await way.leave();
  expect(browsers.flatMap(reads)).toEqual([]);
  const { data } = (
    await world.http('GET', '/api/v1/tenant/deliveries?channel=push', { token: cast.admin.token })
  ).body as { data: { notification_id: string; recipient: string; state: string; reason: string }[] };
  const own = data.filter(({ recipient }) => recipient === `user:${erased.id}`);
  expect(own.map(({ state, reason }) => [state, reason])).toEqual([
    ['suppressed', 'user_erased'],
    ['suppressed', 'user_erased'],
  ]);
  const trace = await world.http('GET', `/api/v1/notifications/${own[0]!.notification_id}/trace`, {
    token: cast.admin.token,
  });
  const pushes = trace.body.deliveries.filter(({ channel }: { channel: string }) => channel === 'push');
  expect(pushes.map(({ address }: { address: string }) => address)).toEqual(['', '']);
});

test('a user has at most 20 devices: the one not seen for longest goes', async () => {
  const many = await person('Beaucoup');
  for (let n = 0; n < 21; n += 1) {
    clock.advance(1_000);
    await register(many, newBrowser(), `device ${n}`);
  }
  const { data } = await devices(many);
  expect(data).toHaveLength(20);
  expect(data.map(({ name }) => name)).not.toContain('device 0');
});

test.each([
  [{ platform: 'fcm', token: 'x' }, '/platform'],
  [{ platform: 'web_push' }, '/subscription'],
  [
    {
      platform: 'web_push',
      subscription: { endpoint: 'http://169.254.169.254/', keys: { p256dh: 'A', auth: 'A' } },
    },
    '/subscription/endpoint',
  ],
  [{ platform: 'pager', token: 'x' }, '/platform'],
])('%j is refused', async (body, pointer) => {
  const answer = await world.http('POST', '/api/v1/me/devices', { token: cast.admin.token, body });
  expect(answer.status).toBe(400);
  expect(answer.body).toMatchObject({ code: 'validation_failed', errors: [{ pointer }] });
});

test('E1: a direct message reaches a user’s devices; a bare address cannot have one', async () => {
  const zoe = await person('Zoé');
  const browser = newBrowser();
  await register(zoe, browser);
  const send = (to: object) =>
    world.http('POST', '/api/v1/notifications', {
      token: cast.admin.token,
      body: { channel: 'push', subject: 'Relance', body: 'Bonjour', send_now: true, ...to },
    });
  expect(await send({ user_ids: [zoe.id] })).toMatchObject({
    status: 200,
    body: { notifications: [{ deliveries: [{ status: 'sent' }] }] },
  });
  expect(reads(browser)).toEqual([expect.objectContaining({ title: 'Relance', body: 'Bonjour' })]);
  expect((await send({ to: 'x' })).status).toBe(400);
});
