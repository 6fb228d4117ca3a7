import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { addPerson, addTenant, type Person } from '../../../test/support/cast.js';
import { type Answer, createWorld, mailEnvironment, type World } from '../../../test/support/world.js';
import { type MailCatcher, startMailCatcher } from '../../cli/demo/mail-catcher.js';
import { PEOPLE_CHANNELS } from '../../contracts/channels.js';
import { type LocalProvider, startProvider } from '../../delivery/channels/provider.fixture.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import type { MessageState } from './messages.dto.js';

/** A Wednesday, 10:00 in Paris. */
const NOW = '2026-11-18T09:00:00.000Z';
const PHONE = '+33612345678';

/** E1, E7, E11, N3: messages by mail, SMS and push, with the limits and refusals of each. */
describe('direct messages on every channel', () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'vigie-direct-'));
  const smsFile = path.join(directory, 'sms.ndjson');
  const accountFile = path.join(directory, 'account.json');
  let catcher: MailCatcher;
  let google: LocalProvider;
  let world: World;
  let admin: Person;

  beforeAll(async () => {
    catcher = await startMailCatcher();
    google = await startProvider(({ path: asked }) =>
      asked === '/token'
        ? { status: 200, body: { access_token: 'ya29.token', expires_in: 3_599, token_type: 'Bearer' } }
        : { status: 200, body: { name: 'projects/vigie-test/messages/0:42' } },
    );
    writeFileSync(accountFile, JSON.stringify(serviceAccount(google.url)));
    world = await createWorld({
      clock: new FixedClock(NOW),
      env: {
        ...mailEnvironment(catcher),
        SMS_PROVIDER: 'console',
        SMS_SIMULATION_FILE: smsFile,
        FCM_SERVICE_ACCOUNT_FILE: accountFile,
        FCM_API_URL: google.url,
      },
    });
  });
  afterAll(async () => {
    await world.close();
    await catcher.close();
    await google.close();
    rmSync(directory, { recursive: true, force: true });
  });
  beforeEach(async () => {
    const { id } = await addTenant(world, { name: 'Cabinet Horizon' });
    admin = await addPerson(world, id, { name: 'Ines', role: 'admin', email: `${randomUUID()}@example.com` });
    await world.sql('UPDATE users SET phone = $2 WHERE id = $1', [admin.id, PHONE]);
    const device = { platform: 'fcm', token: `token-${admin.id}` };
    expect((await call('POST', 'me/devices', device)).status).toBe(201);
  });

  const call = (method: string, path: string, body?: unknown) =>
    world.http(method, `/api/v1/${path}`, { token: admin.token, ...(body !== undefined && { body }) });
  const post = (body: object) => call('POST', 'notifications', body);
  const states = (answer: Answer) => (answer.body as { notifications: MessageState[] }).notifications;
  const faults = ({ body }: Answer) => (body as { errors: { pointer: string; detail: string }[] }).errors;
  const lastSms = () =>
    JSON.parse(readFileSync(smsFile, 'utf8').trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
  const people = async (count: number) =>
    (
      await world.sql<{ id: string }>(
        `INSERT INTO users (tenant_id, email, name, role)
         SELECT $1, 'bulk' || i || '@example.com', 'Bulk ' || i, 'member' FROM generate_series(1, $2::int) i
         RETURNING id`,
        [admin.tenant_id, count],
      )
    ).map(({ id }) => id);
  const counts = () =>
    world.sql(
      `SELECT d.channel, count(*)::int FROM deliveries d WHERE d.tenant_id = $1 GROUP BY 1 ORDER BY 1`,
      [admin.tenant_id],
    );

  describe.each(PEOPLE_CHANNELS)('%s', (channel) => {
    const message = { channel, subject: 'Relance', body: 'Bonjour' };

    it('E1: takes 1,000 users at once; 1,001, one of them twice, and unknown ones are refused', async () => {
      const ids = await people(1_001);
      const [first = ''] = ids;
      expect(faults(await post({ ...message, user_ids: ids }))).toEqual([
        { pointer: '/user_ids', detail: 'user_ids must contain no more than 1000 elements' },
      ]);
      expect(faults(await post({ ...message, user_ids: [first, first.toUpperCase()] }))).toEqual([
        { pointer: '/user_ids', detail: "All user_ids's elements must be unique" },
      ]);
      const unknown = randomUUID();
      expect(faults(await post({ ...message, user_ids: [first, unknown] }))).toEqual([
        { pointer: '/user_ids/1', detail: `${unknown} is no user of this tenant` },
      ]);
      expect(await counts()).toEqual([]);
      const answer = await post({ ...message, user_ids: ids.slice(0, 1_000) });
      expect(answer.status).toBe(channel === 'email' ? 202 : 200);
      expect(states(answer).map(({ user_id }) => user_id)).toEqual(ids.slice(0, 1_000));
      expect(await counts()).toEqual([{ channel, count: 1_000 }]);
    });

    it('N3: POST notifications/send sends now, about a ticket, and the user’s log has all of it', async () => {
      const ticket = await call('POST', 'tickets', { title: 'Amende', due_on: '2026-12-02' });
      const { id: ticket_id } = ticket.body as { id: string };
      const answer = await call('POST', 'notifications/send', {
        ...{ user_id: admin.id, channel, subject: 'Rappel', message: 'Payez.\r\nMerci.', ticket_id },
      });
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({
        notifications: [
          {
            user_id: admin.id,
            created: true,
            deliveries: [{ channel, status: 'sent', attempts: 1, sent_at: NOW }],
          },
        ],
        segments: channel === 'sms' ? 1 : null,
      });
      const log = await call('GET', `users/${admin.id}/notifications?limit=10`);
      expect((log.body as { data: object[] }).data).toMatchObject([
        {
          ...{ user_id: admin.id, ticket_id, reminder_id: null, channel, status: 'sent', error: null },
          status_label: 'envoyé',
          subject: 'Rappel',
          message: expect.stringMatching(/Payez\.\s>?\s?Merci\./) as string,
          sent_at: NOW,
          created_at: NOW,
        },
      ]);
      if (channel === 'sms') expect(lastSms()).toMatchObject({ to: PHONE, text: 'Payez.\nMerci.' });
      if (channel === 'push') {
        const { message: push } = JSON.parse(google.received.at(-1)?.body ?? '') as {
          message: { token: string; notification: object };
        };
        expect(push).toMatchObject({
          token: `token-${admin.id}`,
          notification: { title: 'Rappel', body: 'Payez. Merci.' },
        });
      }
    });

    it.each<[string, object]>([
      ['/user_id', { user_id: 'x' }],
      ['/user_id', { user_id: randomUUID() }],
      ['/channel', { channel: 'webhook' }],
      ['/message', { message: '' }],
      ['/message', { message: undefined }],
      ['/subject', { subject: 'a\r\nBcc: bob@example.com' }],
      ['/subject', { subject: 'x'.repeat(201) }],
      ['/ticket_id', { ticket_id: 'x' }],
      ['/ticket_id', { ticket_id: randomUUID() }],
      ['/user_ids', { user_ids: [] }],
    ])('N3: refuses at %s (%#)', async (pointer, change) => {
      const body = { user_id: admin.id, channel, subject: 'Rappel', message: 'Bonjour.', ...change };
      const answer = await call('POST', 'notifications/send', body);
      expect(answer.status).toBe(400);
      expect(faults(answer).map((fault) => fault.pointer)).toContain(pointer);
      expect(await counts()).toEqual([]);
    });
  });

  it.each(['sms', 'push'])(
    'N3: %s to a user without an address is recorded with its reason',
    async (channel) => {
      const [id] = await people(1);
      const body = { user_id: id, channel, subject: 'Rappel', message: 'Bonjour.' };
      const answer = await call('POST', 'notifications/send', body);
      expect(answer.status).toBe(200);
      expect(states(answer)[0]?.deliveries).toMatchObject([
        { channel, status: 'failed', state: 'suppressed', reason: 'no_address' },
      ]);
    },
  );

  it('E7: shows each status in the reader’s language, and filters by the one word of all languages', async () => {
    await post({ channel: 'email', user_ids: [admin.id], subject: 'Relance', body: 'Bonjour' });
    await post({ channel: 'sms', to: PHONE, body: 'Bonjour', send_now: true });
    const [nobody] = await people(1);
    await post({ channel: 'push', user_ids: [nobody], subject: 'Relance', body: 'Bonjour' });
    const shown = async (query = '') =>
      ((await call('GET', `deliveries${query}`)).body as { data: Record<string, string>[] }).data
        .map(({ channel, status, status_label }) => [channel, status, status_label])
        .sort();
    expect(await shown()).toEqual([
      ['email', 'pending', 'en attente'],
      ['push', 'failed', 'échoué'],
      ['sms', 'sent', 'envoyé'],
    ]);
    expect(await shown('?status=sent')).toEqual([['sms', 'sent', 'envoyé']]);
    await call('PATCH', 'me', { locale: 'en' });
    expect(await shown()).toEqual([
      ['email', 'pending', 'pending'],
      ['push', 'failed', 'failed'],
      ['sms', 'sent', 'sent'],
    ]);
    const [{ id } = { id: '' }] = ((await call('GET', 'deliveries')).body as { data: { id: string }[] }).data;
    expect((await call('GET', `deliveries/${id}`)).body).toMatchObject({ status_label: 'failed' });
  });

  it.each<[string, string, object]>([
    ['several addresses', '/to', { to: 'a@example.com,b@example.com' }],
    ['several addresses', '/to', { to: 'a@example.com b@example.com' }],
    ['a display name with an address', '/to', { to: '"a@example.com" <b@example.com>' }],
    ['a comment', '/to', { to: 'a@example.com(b@example.com)' }],
    ['a reversed name', '/to', { to: '\u202emoc.elpmaxe@a' }],
    ['a URL', '/to', { to: 'mailto:a@example.com' }],
    ['a header after the address', '/to', { to: 'a@example.com\nBcc: b@example.com' }],
    ['a domain that punycode cannot write', '/to', { to: 'a@xn--zz.example' }],
    ['a phone without country', '/to', { channel: 'sms', to: '0612345678' }],
    ['two phones', '/to', { channel: 'sms', to: `${PHONE},+33612345679` }],
    ['a phone with an extension', '/to', { channel: 'sms', to: `${PHONE};ext=12` }],
    ['a number that does not exist', '/to', { channel: 'sms', to: '+33100' }],
    ['a mail address for an SMS', '/to', { channel: 'sms', to: 'a@example.com' }],
    ['a phone for a mail', '/to', { to: PHONE }],
    ['a bare device', '/to', { channel: 'push', to: 'token' }],
    ['an SMS of 1,601 characters', '/body', { channel: 'sms', to: PHONE, body: 'x'.repeat(1_601) }],
    ['an SMS of 1,601 emoji', '/body', { channel: 'sms', to: PHONE, body: '🎉'.repeat(1_601) }],
    ['a moment ago', '/send_at', { send_at: '2026-11-18T08:59:59Z' }],
    ['the year 2100', '/send_at', { send_at: '2100-01-01T00:00:00Z' }],
    [
      'a template that does not exist',
      '/template',
      { subject: undefined, body: undefined, template: 'nulle' },
    ],
  ])('E11: refuses %s at %s (%#)', async (_what, pointer, change) => {
    const to = 'claire@example.com';
    const answer = await post({ channel: 'email', to, subject: 'Relance', body: 'Bonjour', ...change });
    expect(answer.status).toBe(400);
    expect(faults(answer).map((fault) => fault.pointer)).toEqual([pointer]);
    expect(await counts()).toEqual([]);
  });

  it.each<[string, object, object]>([
    [
      'an international domain as punycode',
      { to: 'a@société.example' },
      { recipient: 'mailto:a@xn--socit-esab.example' },
    ],
    [
      'a phone as people write it',
      { channel: 'sms', to: '+33 6 12 34 56 78' },
      { recipient: `tel:${PHONE}` },
    ],
  ])('E11: accepts %s', async (_what, change, expected) => {
    const answer = await post({ channel: 'email', subject: 'Relance', body: 'Bonjour', ...change });
    expect(states(answer)[0]).toMatchObject(expected);
  });

  it.each([
    ['160 characters of the GSM alphabet', 'é'.repeat(160), 1],
    ['161 of them', 'é'.repeat(161), 2],
    ['70 characters with an emoji, which counts as two', `🎉${'a'.repeat(68)}`, 1],
    ['71 of them', `🎉${'a'.repeat(69)}`, 2],
    ['1,600 characters with one ê', `ê${'a'.repeat(1_599)}`, 24],
  ])('E11: an SMS of %s: its segments are shown', async (_what, body, segments) => {
    const answer = await post({ channel: 'sms', to: PHONE, body, send_now: true });
    expect(answer.status).toBe(200);
    expect(answer.body.segments).toBe(segments);
    expect(states(answer)[0]?.deliveries).toMatchObject([{ status: 'sent', segments }]);
    expect(lastSms()).toMatchObject({ text: body, segments });
  });
});

function serviceAccount(url: string): object {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  return {
    project_id: 'vigie-test',
    client_email: 'vigie@vigie-test.iam.example',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    private_key_id: 'key-1',
    token_uri: `${url}/token`,
  };
}
