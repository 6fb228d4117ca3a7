import { addPerson, type Cast, createCast } from '../../../../test/support/cast.js';
import { until } from '../../../../test/support/until.js';
import { createWorld, type World } from '../../../../test/support/world.js';
import { Receiver, verified } from './receiver.fixture.js';
import { addEndpoint, LOCAL_RECEIVERS, report } from './webhooks.fixture.js';

/** V19, B9: from a fact to a call, with workers and Redis. */
describe('webhooks of a tenant', () => {
  let world: World;
  let cast: Cast;
  let receiver: Receiver;

  beforeAll(async () => {
    receiver = await Receiver.start();
    world = await createWorld({
      env: {
        ...LOCAL_RECEIVERS,
        LOG_LEVEL: 'debug',
        ...{ VIGIE_ROLES: 'web,worker,scheduler', ITEM_URL: 'https://front.example/{tenant}/{type}/{id}' },
        ...{ SMTP_HOST: '127.0.0.1', SMTP_PORT: '1', SMTP_FROM_EMAIL: 'vigie@vigie.example' },
      },
    });
    cast = await createCast(world);
    await addPerson(world, cast.tenant_id, { name: 'Anna', role: 'admin' });
  });
  afterAll(async () => {
    await world.close();
    await receiver.close();
  });
  beforeEach(async () => {
    for (const table of ['deliveries', 'notifications', 'alerts', 'webhook_endpoints'])
      await world.sql(`DELETE FROM ${table}`);
    receiver.forget();
    receiver.behave(204);
  });

  const route = (path = '') => `/api/v1/tenant/webhooks${path}`;
  const http = (method: string, path: string, body?: unknown) =>
    world.http(method, route(path), { token: cast.admin.token, body });
  const leadingTo = (path: string) => ({ url: `${new URL(receiver.url).origin}/${path}` });
  const calls = (count: number) => until(`${count} calls`, () => receiver.calls.length >= count);
  const ended = () =>
    until('all calls to end', async () => {
      const [row] = await world.sql<{ open: number }>(
        `SELECT count(*) AS open FROM deliveries WHERE channel = 'webhook' AND ended_at IS NULL`,
      );
      return Number(row?.open) === 0;
    });

  it('V19: one call per fact, however many people are notified, signed, in the tenant’s language', async () => {
    const { secret, id } = await addEndpoint(world, cast.admin, receiver);
    const alert_id = await report(world, cast.admin, 'disk-1');
    await calls(1);
    await ended();
    expect(receiver.calls).toHaveLength(1);
    const [delivery] = await world.sql(
      `SELECT d.id, d.state, d.address, d.sent_subject, n.id AS notification_id, n.user_id, n.recipient, n.audience,
              n.created_at
       FROM deliveries d JOIN notifications n ON n.id = d.notification_id WHERE d.channel = 'webhook'`,
    );
    expect(delivery).toMatchObject({
      ...{ state: 'sent', address: id, user_id: null, recipient: `webhook:${id}`, audience: 'endpoint' },
      sent_subject: 'Disque plein disk-1',
    });
    expect(receiver.ids).toEqual([delivery!.id]);
    expect(verified(secret, receiver.calls[0]!)).toEqual({
      type: 'event',
      timestamp: (delivery!.created_at as Date).toISOString(),
      data: {
        ...{ id: delivery!.notification_id, kind: 'event', severity: 'warning', alert_id, item_url: null },
        ...{ title: 'Disque plein disk-1', body: 'Il reste 1 %.', data: { kind: 'disk.full' } },
        created_at: (delivery!.created_at as Date).toISOString(),
        tenant: { id: cast.tenant_id, slug: cast.tenant.slug, name: 'Cabinet Martin' },
      },
    });
  });

  it('V19: calls do not appear in feeds, or in the deliveries and statistics of people', async () => {
    await addEndpoint(world, cast.admin, receiver);
    await report(world, cast.admin, 'disk-1');
    await ended();
    const get = async (path: string) => (await world.http('GET', path, { token: cast.admin.token })).body;
    expect((await get('/api/v1/notifications')).data).toHaveLength(1);
    const deliveries = (await get('/api/v1/deliveries')).data as { channel: string }[];
    expect(new Set(deliveries.map(({ channel }) => channel))).toEqual(new Set(['email']));
    expect(Object.keys((await get('/api/v1/notifications/statistics')).by_channel as object)).not.toContain(
      'webhook',
    );
    const preferences = (await get('/api/v1/preferences')).preferences as { channel: string }[];
    expect(preferences.map(({ channel }) => channel)).not.toContain('webhook');
    const counted = await world.http('GET', '/api/v1/admin/statistics', { token: cast.admin.token });
    expect(counted.body.channels.webhook.totals.sent).toBe(1);
  });

  it('V19: endpoints are called at once: hours and limits apply only to people', async () => {
    await world.sql(
      `UPDATE tenants SET settings = '{"operating_hours": {"days": [], "from": "08:00", "to": "18:00"},
                                       "limits": {"per_user_per_hour": 1, "per_user_per_day": 1}}' WHERE id = $1`,
      [cast.tenant_id],
    );
    try {
      await addEndpoint(world, cast.admin, receiver);
      for (const key of ['a', 'b', 'c']) await report(world, cast.admin, key);
      await calls(3);
    } finally {
      await world.sql(`UPDATE tenants SET settings = '{}' WHERE id = $1`, [cast.tenant_id]);
    }
  });

  it('V19: an endpoint gets only its kinds, and only facts of its own tenant', async () => {
    await addEndpoint(world, cast.admin, receiver, { kinds: ['backup_alert'] });
    await addEndpoint(world, cast.outsider, receiver);
    await addEndpoint(world, cast.admin, receiver, { kinds: ['event', 'backup_alert'], description: 'mine' });
    await report(world, cast.admin, 'disk-1');
    await ended();
    expect(receiver.calls).toHaveLength(1);
    const [{ tenant_id }] = (await world.sql(
      `SELECT tenant_id FROM deliveries WHERE channel = 'webhook'`,
    )) as [{ tenant_id: string }];
    expect(tenant_id).toBe(cast.tenant_id);
  });

  it('B9: calls in both formats have the words of their tenant', async () => {
    const words = { title: 'Chez nous : {{data.title}}', body: '{{data.body}}' };
    const templates = '/api/v1/tenant/templates/event/fr';
    expect((await world.http('PUT', templates, { token: cast.admin.token, body: words })).status).toBe(200);
    try {
      await addEndpoint(world, cast.admin, receiver);
      await addEndpoint(world, cast.admin, leadingTo('slack'), { format: 'slack' });
      await addEndpoint(world, cast.outsider, leadingTo('other'));
      await report(world, cast.admin, 'disk-2');
      await report(world, cast.outsider, 'disk-3');
      await calls(3);
      const sent = new Map(receiver.calls.map(({ path, body }) => [path, JSON.parse(body)]));
      expect(sent.get('/hook').data.title).toBe('Chez nous : Disque plein disk-2');
      expect(sent.get('/slack').text).toMatch(/^\*Chez nous : Disque plein disk-2\*/);
      expect(sent.get('/other').data.title).toBe('Disque plein disk-3');
    } finally {
      await world.http('DELETE', templates, { token: cast.admin.token });
    }
  });

  it('V19: a test shows the answer, and its failure does not count', async () => {
    const { id, secret } = await addEndpoint(world, cast.admin, receiver);
    receiver.behave({ status: 500, body: 'Oups' });
    const failed = await http('POST', `/${id}/test`);
    expect(failed).toMatchObject({
      status: 200,
      body: {
        delivered: false,
        status: 500,
        fault: null,
        error: 'The endpoint answered 500: Oups',
        answer: 'Oups',
      },
    });
    receiver.behave(200);
    expect(await http('POST', `/${id}/test`)).toMatchObject({
      body: { delivered: true, status: 200, error: null },
    });
    expect(verified(secret, receiver.calls[1]!)).toMatchObject({
      type: 'test',
      data: { title: expect.any(String) as string },
    });
    const { body } = await http('GET', `/${id}`);
    expect(body).toMatchObject({
      state: 'enabled',
      failing_since: null,
      last_success_at: expect.any(String) as string,
    });
    const attempts = await http('GET', `/${id}/attempts?limit=1`);
    expect(attempts.body.data).toMatchObject([
      { delivered: true, delivery_id: null, attempt: null, status: 200 },
    ]);
    const older = await http('GET', `/${id}/attempts?limit=1&cursor=${String(attempts.body.next_cursor)}`);
    expect(older.body).toMatchObject({ data: [{ delivered: false, answer: 'Oups' }], next_cursor: null });
  });

  it('V19: a tenant has at most ten tests a minute, also of endpoints that it adds and deletes', async () => {
    const { token } = cast.outsider;
    const test = (id: string) => world.http('POST', route(`/${id}/test`), { token });
    const { id } = await addEndpoint(world, cast.outsider, receiver);
    for (let count = 0; count < 10; count++) expect((await test(id)).status).toBe(200);
    expect((await world.http('DELETE', route(`/${id}`), { token })).status).toBe(204);
    const other = await addEndpoint(world, cast.outsider, receiver);
    const refused = await test(other.id);
    expect(refused).toMatchObject({ status: 429, body: { code: 'too_many_attempts' } });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60);
    expect(receiver.calls).toHaveLength(10);
  });

  it('V19: after a rotation both secrets verify a call for a day', async () => {
    const { id, secret } = await addEndpoint(world, cast.admin, receiver);
    const rotated = await http('POST', `/${id}/rotate`);
    expect(rotated.headers['cache-control']).toBe('no-store');
    const next = rotated.body.secret as string;
    expect(next).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(next).not.toBe(secret);
    await report(world, cast.admin, 'disk-1');
    await calls(1);
    expect(verified(secret, receiver.calls[0]!)).toEqual(verified(next, receiver.calls[0]!));
    await world.sql(`UPDATE webhook_endpoints SET previous_until = now()`);
    await report(world, cast.admin, 'disk-2');
    await calls(2);
    expect(verified(next, receiver.calls[1]!)).toMatchObject({ type: 'event' });
    expect(() => verified(secret, receiver.calls[1]!)).toThrow('No matching signature');
  });

  it('V19: no secret and no URL with a token is in the database, in lists or in logs', async () => {
    const tokens = ['T0SECRET/B0SECRET/abcdef', 'hooks/catch/5301/S1SECRET/', 'hook?token=S2SECRET'] as const;
    const [slack, standard] = [
      await addEndpoint(world, cast.admin, leadingTo(tokens[0]), { format: 'slack' }),
      await addEndpoint(world, cast.admin, leadingTo(tokens[1])),
      await addEndpoint(world, cast.admin, leadingTo(tokens[2])),
    ];
    expect(slack.secret).toBeNull();
    const stored = JSON.stringify(await world.sql('SELECT * FROM webhook_endpoints'));
    const { text } = await http('GET', '');
    expect(await http('POST', `/${slack.id}/rotate`)).toMatchObject({ status: 409 });
    await report(world, cast.admin, 'disk-1');
    await calls(3);
    await ended();
    expect(receiver.calls.map(({ path }) => path).sort()).toEqual(tokens.map((token) => `/${token}`).sort());
    const logs = (globalThis.logged ?? []).join('\n');
    expect(logs).toContain('webhook_created');
    for (const place of [stored, text, logs]) expect(place).not.toMatch(/SECRET|whsec_/);
    expect(stored).not.toContain(standard.secret);
    const toSlack = receiver.calls.find(({ path }) => path === `/${tokens[0]}`);
    expect(JSON.parse(toSlack!.body)).toEqual({ text: '*Disque plein disk-1*\nIl reste 1 %.' });
    // What is shown is not accepted as an address.
    const shown = JSON.parse(text) as { data: { url: string }[] };
    expect(await http('PATCH', `/${standard.id}`, { url: shown.data[0]!.url })).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/url' }] },
    });
  });

  it('V19: refuses URLs that must not be called, and names the field', async () => {
    for (const url of [
      'http://[::ffff:a9fe:a9fe]/',
      'https://169.254.169.254/',
      'ftp://x.example/',
      'https://a@b.example/',
    ]) {
      expect(await http('POST', '', { url })).toMatchObject({
        status: 400,
        body: { errors: [{ pointer: '/url' }] },
      });
    }
    const { id } = await addEndpoint(world, cast.admin, receiver);
    expect(await http('PATCH', `/${id}`, { url: 'https://10.0.0.1/' })).toMatchObject({ status: 400 });
    expect(await http('POST', '', { url: receiver.url, kinds: ['password_reset'] })).toMatchObject({
      status: 400,
    });
    expect(await http('POST', '', { url: receiver.url, kinds: [] })).toMatchObject({ status: 400 });
    expect((await world.http('GET', route(), { token: cast.teammate.token })).status).toBe(403);
  });

  it('V19: a tenant has at most 20 endpoints', async () => {
    for (let count = 0; count < 20; count++) await addEndpoint(world, cast.admin, receiver);
    expect(await http('POST', '', { url: receiver.url })).toMatchObject({ status: 409 });
  });

  it('can be changed and deleted; a deleted one is not called', async () => {
    const { id } = await addEndpoint(world, cast.admin, receiver, { description: 'Astreinte' });
    expect(await http('PATCH', `/${id}`, { kinds: ['event'], description: null })).toMatchObject({
      status: 200,
      body: { kinds: ['event'], description: null, url: leadingTo('…').url, state: 'enabled' },
    });
    expect(await http('DELETE', `/${id}`)).toMatchObject({ status: 204 });
    expect(await http('GET', `/${id}`)).toMatchObject({ status: 404 });
    await report(world, cast.admin, 'disk-1');
    expect(await world.sql(`SELECT id FROM deliveries WHERE channel = 'webhook'`)).toEqual([]);
  });
});
