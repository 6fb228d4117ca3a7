import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addPerson, addTenant, createCast, type Person } from '../../../../test/support/cast.js';
import { until } from '../../../../test/support/until.js';
import { createWorld, type World } from '../../../../test/support/world.js';
import { runJob } from '../../../../test/support/watched.js';
import { FixedClock } from '../../../platform/clock/fixed-clock.js';
import { StepwiseDelivery } from '../../dispatch/bundling.fixture.js';
import { type LocalProvider, type ProviderAct, startProvider } from '../provider.fixture.js';

/** E1, E3, E11: text messages, from the request to the provider. */
interface Simulated {
  to: string;
  text: string;
  segments: number;
}

const clock = new FixedClock('2026-03-30T07:00:00Z');
let world: World;
let way: StepwiseDelivery;
let folder: string;
let admin: Person;
let operator: { token: string };

async function open(env: Record<string, string>): Promise<void> {
  world = await createWorld({ clock, env });
  way = new StepwiseDelivery(world, 'sms');
  ({ operator } = await createCast(world));
  await world.sql(`INSERT INTO workers VALUES (gen_random_uuid(), 'sms', 50, now() + interval '1 day')`);
  const tenant = await addTenant(world, { name: 'Cabinet Horizon' });
  admin = await addPerson(world, tenant.id, { name: 'Claire', role: 'admin' });
}

const message = async (body: object, expected = 202) => {
  const answer = await world.http('POST', '/api/v1/notifications', {
    token: admin.token,
    body: { channel: 'sms', to: '+33 6 12 34 56 78', ...body },
  });
  expect([answer.status, answer.body]).toEqual([expected, expect.anything()]);
  return answer.body;
};

describe('with the provider `console`', () => {
  const file = () => join(folder, 'a new folder', 'sms.ndjson');
  const written = (): Simulated[] =>
    existsSync(file())
      ? readFileSync(file(), 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as Simulated)
      : [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vigie-sms-'));
    await open({ SMS_PROVIDER: 'console', SMS_SIMULATION_FILE: file() });
  });
  afterAll(async () => {
    await world.close();
    await rm(folder, { recursive: true });
  });

  test('a message is written to the file, in no log, and its segments are shown before and after', async () => {
    const body = 'Votre déclaration de TVA est prête à être signée.';
    const queued = await message({ body });
    expect(queued).toMatchObject({
      segments: 1,
      notifications: [
        {
          recipient: 'tel:+33612345678',
          deliveries: [{ channel: 'sms', status: 'pending', segments: null }],
        },
      ],
    });
    await way.leave();
    expect(written().at(-1)).toMatchObject({ to: '+33612345678', text: body, segments: 1 });
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(globalThis.logged?.filter((line) => /TVA|612345678/.test(line))).toEqual([]);
    const id = (queued as { notifications: { id: string }[] }).notifications[0]!.id;
    const shown = await world.http('GET', `/api/v1/notifications/${id}`, { token: admin.token });
    expect(shown.body).toMatchObject({
      title: body,
      deliveries: [{ status: 'sent', sent_text: body, sent_subject: null, segments: 1 }],
    });
  });

  test('with send_now in the request itself', async () => {
    const state = await message({ body: 'Maintenant 🎉'.padEnd(80, '.'), send_now: true }, 200);
    expect(state).toMatchObject({
      segments: 2,
      notifications: [{ deliveries: [{ status: 'sent', segments: 2 }] }],
    });
  });

  test.each([
    [{ to: '06 12 34 56 78', body: 'x' }, '/to'],
    [{ to: '+33612345678,+33612345679', body: 'x' }, '/to'],
    [{ to: '+33612345678\r\nX: y', body: 'x' }, '/to'],
    [{ to: '+33612345678;ext=3', body: 'x' }, '/to'],
    [{ to: 'claire@client.example', body: 'x' }, '/to'],
    [{ to: '+331', body: 'x' }, '/to'],
    [{ to: '+33612345678 Claire', body: 'x' }, '/to'],
    [{ body: `long${'x'.repeat(1_597)}` }, '/body'],
    [{ body: '' }, '/body'],
  ])('E11: what is no number or no text is refused (%#)', async (body, pointer) => {
    const answer = await message(body, 400);
    expect(answer).toMatchObject({ code: 'validation_failed', errors: [{ pointer }] });
  });

  test('1,600 characters are eleven segments', async () => {
    expect(await message({ body: 'x'.repeat(1_600) })).toMatchObject({ segments: 11 });
    await way.leave();
    expect(written().at(-1)).toMatchObject({ segments: 11 });
  });

  test('an e-mail still needs a subject', async () => {
    const answer = await message({ channel: 'email', to: 'a@client.example', body: 'x' }, 400);
    expect(answer).toMatchObject({ errors: [{ pointer: '/subject' }] });
  });

  test('B9: an SMS has the tenant’s own words', async () => {
    const { tenant_id, token } = admin;
    const zoe = await addPerson(world, tenant_id, { name: 'Zoe', role: 'member' });
    await world.sql(`UPDATE users SET phone = '+33612000009' WHERE id = $1`, [zoe.id]);
    await world.http('PUT', '/api/v1/preferences', {
      token: zoe.token,
      body: { preferences: [{ kind: 'deadline_near', channel: 'sms', enabled: true }] },
    });
    const path = '/api/v1/tenant/templates/deadline_near/fr';
    await world.http('PUT', path, {
      token,
      body: { title: 'Pensez à {{data.title}}', body: 'Appelez-nous.' },
    });
    await world.sql(
      `INSERT INTO deadlines (tenant_id, title, due_on, responsible_id) VALUES ($1, 'CFE', '2026-03-31', $2)`,
      [tenant_id, zoe.id],
    );
    await runJob(world, tenant_id, 'check-notifications');
    await way.leave();
    expect(written().at(-1)).toMatchObject({
      to: '+33612000009',
      text: 'Pensez à CFE\nAppelez-nous.\nCabinet Horizon',
    });
    await world.http('DELETE', path, { token });
  });

  test('an alert reaches who has chosen it, and has a number: one short message in their language', async () => {
    const { tenant_id } = admin;
    const [paul, none] = await Promise.all([
      addPerson(world, tenant_id, { name: 'Paul', role: 'member' }),
      addPerson(world, tenant_id, { name: 'Anne', role: 'member' }),
    ]);
    await world.sql(`UPDATE users SET phone = '+33612000007' WHERE id = $1`, [paul.id]);
    for (const { token } of [paul, none]) {
      const chosen = await world.http('PUT', '/api/v1/preferences', {
        token,
        body: { preferences: [{ kind: 'deadline_near', channel: 'sms', enabled: true }] },
      });
      expect(chosen.status).toBe(200);
    }
    for (const person of [paul, none])
      await world.sql(
        `INSERT INTO deadlines (tenant_id, title, client_name, due_on, responsible_id)
         VALUES ($1, 'TVA CA3', 'Boulangerie Martin', '2026-03-31', $2)`,
        [tenant_id, person.id],
      );
    await runJob(world, tenant_id, 'check-notifications');
    const before = written().length;
    await way.leave();
    expect(written().slice(before)).toEqual([
      expect.objectContaining({
        to: '+33612000007',
        text: 'Boulangerie Martin : TVA CA3, échéance demain\nDate limite : mardi 31 mars 2026\nCabinet Horizon',
        segments: 1,
      }),
    ]);
    expect(
      await world.sql(`SELECT state, reason FROM deliveries WHERE channel = 'sms' AND recipient = $1`, [
        `user:${none.id}`,
      ]),
    ).toEqual([{ state: 'suppressed', reason: 'no_address' }]);
  });

  test('V13: many alerts are one message that counts them', async () => {
    const { tenant_id } = admin;
    const person = await addPerson(world, tenant_id, { name: 'Luc', role: 'member' });
    await world.sql(`UPDATE users SET phone = '+33612000008' WHERE id = $1`, [person.id]);
    await world.http('PUT', '/api/v1/preferences', {
      token: person.token,
      body: { preferences: [{ kind: 'deadline_near', channel: 'sms', enabled: true }] },
    });
    await world.sql(
      `INSERT INTO deadlines (tenant_id, title, due_on, responsible_id)
       SELECT $1, 'Déclaration ' || n, '2026-03-31', $2 FROM generate_series(1, 40) n`,
      [tenant_id, person.id],
    );
    await runJob(world, tenant_id, 'check-notifications');
    const before = written().length;
    expect(await way.leave()).toEqual([40]);
    const [sms, ...others] = written().slice(before);
    expect(others).toEqual([]);
    expect(sms!.text).toMatch(/^40 échéances - Cabinet Horizon\nDéclaration \d+, échéance demain\n/);
    expect(sms!.segments).toBe(2);
  });
});

describe('with Twilio', () => {
  let twilio: LocalProvider;
  /** Its answers to the next messages. */
  const acts: ProviderAct[] = [];
  /** Its answer to connection tests, which read the account. */
  const ACTIVE = { status: 200, body: { status: 'active' } };
  let account: ProviderAct = ACTIVE;

  beforeAll(async () => {
    twilio = await startProvider(({ method }) =>
      method === 'GET' ? account : (acts.shift() ?? { status: 201, body: { sid: 'SM1' } }),
    );
    await open({
      SMS_PROVIDER: 'twilio',
      TWILIO_ACCOUNT_SID: 'AC1',
      TWILIO_AUTH_TOKEN: 'secret',
      TWILIO_FROM: '+33612000001',
      TWILIO_API_URL: twilio.url,
    });
  });
  afterAll(async () => {
    await world.close();
    await twilio.close();
  });

  /** The messages that Twilio received: connection tests only read the account. */
  const posts = () => twilio.received.filter(({ method }) => method === 'POST').length;
  /** Sends until the newest delivery is in this state: while the channel is not proven, a round admits one message. */
  const leaves = (state: string) =>
    until(`a delivery that is ${state}`, async () => {
      await way.leave();
      const [newest] = await outcomes();
      return newest?.state === state;
    });
  const outcomes = () =>
    world.sql(
      `SELECT state, attempts, error IS NOT NULL AS error FROM deliveries ORDER BY created_at DESC, id DESC LIMIT 1`,
    );

  test('E8: the connection test says whether the account is accepted, and sends nothing', async () => {
    const before = posts();
    const connection = async () => {
      const { body } = await world.http('GET', '/api/v1/admin/connections', { token: operator.token });
      return (body as { data: { service: string }[] }).data.find(({ service }) => service === 'sms');
    };
    expect(await connection()).toMatchObject({ configured: true, ok: true, error: null });
    account = { status: 401, body: { code: 20003, message: 'Authenticate' } };
    expect(await connection()).toMatchObject({ configured: true, ok: false, error: 'Twilio: Authenticate' });
    account = ACTIVE;
    expect(posts()).toBe(before);
  });

  test('V15: a wrong token closes the channel, costs no attempt, and the message leaves once it is right', async () => {
    const before = posts();
    acts.push({ status: 401, body: { code: 20003, message: 'Authenticate' } });
    await message({ body: 'plus tard' });
    await way.admit();
    await way.send();
    expect(await world.sql(`SELECT down_cause FROM channels WHERE channel = 'sms'`)).toEqual([
      { down_cause: 'login' },
    ]);
    expect(await outcomes()).toEqual([{ state: 'pending', attempts: 0, error: true }]);
    await world.sql(`UPDATE channels SET next_probe_at = now() WHERE channel = 'sms'`);
    await leaves('sent');
    expect(await outcomes()).toEqual([{ state: 'sent', attempts: 1, error: expect.any(Boolean) }]);
    expect(posts() - before).toBe(2);
  });

  test('a 429 closes the channel until Retry-After, and costs no attempt', async () => {
    const limited = { code: 20429, message: 'Too Many Requests' };
    acts.push({ status: 429, headers: { 'retry-after': '70' }, body: limited });
    await message({ body: 'trop vite' });
    await leaves('pending');
    const [channel] = await world.sql<{ down_cause: string; wait: number }>(
      `SELECT down_cause, extract(epoch FROM next_probe_at - probed_at)::double precision AS wait
       FROM channels WHERE channel = 'sms'`,
    );
    expect(channel).toEqual({ down_cause: 'quota', wait: 70 });
    expect(await outcomes()).toEqual([{ state: 'pending', attempts: 0, error: true }]);
    await world.sql(`UPDATE channels SET next_probe_at = now() WHERE channel = 'sms'`);
    await leaves('sent');
    expect(await outcomes()).toEqual([{ state: 'sent', attempts: 1, error: expect.any(Boolean) }]);
  });

  test('a refused number fails for good, with the provider’s words', async () => {
    acts.push({ status: 400, body: { code: 21614, message: 'not a mobile number' } });
    const queued = await message({ body: 'fixe' });
    await leaves('failed');
    const id = (queued as { notifications: { id: string }[] }).notifications[0]!.id;
    const shown = await world.http('GET', `/api/v1/notifications/${id}`, { token: admin.token });
    expect(shown.body).toMatchObject({
      deliveries: [{ status: 'failed', error: 'Twilio: not a mobile number' }],
    });
  });

  test('an ambiguous send is never repeated: a person decides', async () => {
    const before = posts();
    acts.push('reset');
    await message({ body: 'une fois' });
    await leaves('unknown');
    clock.advance(24 * 3_600_000);
    await way.leave();
    expect(await outcomes()).toEqual([{ state: 'unknown', attempts: 1, error: true }]);
    expect(posts() - before).toBe(1);
  });
});
