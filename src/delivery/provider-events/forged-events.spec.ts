import { addPerson, addTenant, type Person } from '../../../test/support/cast.js';
import { until } from '../../../test/support/until.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { withTimeout } from '../../platform/clock/timeout.js';
import { Database, SystemDatabase } from '../../platform/database/database.js';
import { type LocalProvider, startProvider } from '../channels/provider.fixture.js';
import { EventRecord } from './event-record.js';
import {
  type Call,
  CERT_PATH,
  genericCall,
  HOOKS_ENV,
  MAIL_CALLS,
  mailgunCall,
  NOW,
  post,
  type SentMail,
  sendgridCall,
  SNS,
  snsCall,
  TOKENS,
  twilioCall,
} from './hooks.fixture.js';

/** V18: requests that no provider has sent, or sent long ago. */
const clock = new FixedClock(NOW);
const TO = 'client@client.example';
let world: World;
let amazon: LocalProvider;
let admin: Person;
let mail: SentMail;

beforeAll(async () => {
  amazon = await startProvider({ status: 200, body: SNS.cert });
  world = await createWorld({
    clock,
    env: {
      ...HOOKS_ENV,
      HOOKS_SES_SNS_URL: amazon.url,
      DATABASE_POOL_SIZE: '2',
      SMTP_HOST: '127.0.0.1',
      SMTP_FROM_EMAIL: 'vigie@vigie.example',
    },
  });
  const tenant = await addTenant(world);
  admin = await addPerson(world, tenant.id, { name: 'Claire', role: 'admin' });
});
afterAll(async () => {
  await world.close();
  await amazon.close();
});
beforeEach(async () => {
  for (const table of ['notifications', 'stopped_addresses', 'provider_event_ids'])
    await world.sql(`DELETE FROM ${table}`);
  const { body } = await world.http('POST', '/api/v1/notifications', {
    token: admin.token,
    body: { channel: 'email', to: TO, subject: 'Relance', body: 'Bonjour' },
  });
  const [notification] = (body as { notifications: { deliveries: { id: string }[] }[] }).notifications;
  const { id } = notification!.deliveries[0]!;
  // As if it had been sent.
  await world.sql(
    `UPDATE deliveries SET state = 'sent', sent_at = $2, ended_at = $2, bundle_id = id WHERE id = $1`,
    [id, NOW],
  );
  mail = { message_id: `<${id}@vigie.example>`, to: TO, metadata: id };
});

/** Whether a hook has changed something. */
const changed = async () => {
  const [row] = await world.sql<{ rows: string }>(
    `SELECT (SELECT count(*) FROM provider_events) + (SELECT count(*) FROM stopped_addresses)
          + (SELECT count(*) FROM provider_event_ids) AS rows`,
  );
  return Number(row!.rows) > 0;
};
const hard = (provider: keyof typeof MAIL_CALLS) => MAIL_CALLS[provider]('hard_bounce', mail);
const minutesAgo = (minutes: number) => new Date(Date.parse(NOW) - minutes * 60_000).toISOString();
const mailgunEvent = () => (JSON.parse(hard('mailgun').body) as { 'event-data': object })['event-data'];
const sendgridEvents = () => JSON.parse(hard('sendgrid').body) as unknown[];
const genericEvents = () => (JSON.parse(hard('generic').body) as { events: unknown[] }).events;
const sesMessage = () => (JSON.parse(hard('ses').body) as { Message: string }).Message;
const altered = (call: Call, change: (body: Record<string, unknown>) => object): Call => ({
  ...call,
  body: JSON.stringify(change(JSON.parse(call.body) as Record<string, unknown>)),
});

it('V18: an unknown provider, a wrong token and none answer the same 404', async () => {
  const call = hard('generic');
  const answers = [];
  for (const path of [
    `/hooks/nobody/${TOKENS.generic}`,
    `/hooks/constructor/${TOKENS.generic}`,
    `/hooks/generic/${TOKENS.mailgun}`,
    `/hooks/generic/${TOKENS.generic}x`,
    `/hooks/generic/x`,
  ]) {
    const { status, text } = await post(world, call, path);
    answers.push(`${status} ${text}`);
  }
  expect(new Set(answers).size).toBe(1);
  expect(answers[0]).toMatch(/^404 /);
  expect(await changed()).toBe(false);
});

const FORGED: [string, () => Call][] = [
  ['ses: another text', () => altered(hard('ses'), (body) => ({ ...body, Message: `${sesMessage()} ` }))],
  [
    'ses: another topic',
    () => snsCall({ Message: sesMessage(), TopicArn: 'arn:aws:sns:eu-west-3:666666666666:evil' }),
  ],
  ['ses: no signature', () => altered(hard('ses'), ({ Signature: _none, ...body }) => body)],
  [
    'mailgun: another token',
    () =>
      altered(hard('mailgun'), (body) => ({
        ...body,
        signature: { ...(body.signature as object), token: 'x' },
      })),
  ],
  ['mailgun: no signature', () => altered(hard('mailgun'), ({ signature: _none, ...body }) => body)],
  ['sendgrid: another text', () => ({ ...hard('sendgrid'), body: `${hard('sendgrid').body} ` })],
  [
    'sendgrid: no signature',
    () => ({ ...hard('sendgrid'), headers: { 'content-type': 'application/json' } }),
  ],
  ['generic: another text', () => ({ ...hard('generic'), body: `${hard('generic').body} ` })],
  ['generic: no signature', () => ({ ...hard('generic'), headers: { 'content-type': 'application/json' } })],
  [
    'twilio: another number',
    () => ({ ...twilioCall({ From: '+33612345678', Body: 'STOP' }), body: 'From=%2B33612345679&Body=STOP' }),
  ],
  ['twilio: another URL', () => twilioCall({ From: '+33612345678', Body: 'STOP' }, 'https://evil.example/')],
];
test.each(FORGED)('V18: forged, 403: %s', async (_what, call) => {
  const { status, body } = await post(world, call());
  expect([status, (body as { code: string }).code]).toEqual([403, 'forbidden']);
  expect(await changed()).toBe(false);
});

const OLD: [string, () => Call, number][] = [
  ['mailgun, 4 min', () => mailgunCall(mailgunEvent(), minutesAgo(4)), 200],
  ['mailgun, 6 min', () => mailgunCall(mailgunEvent(), minutesAgo(6)), 403],
  ['mailgun, in 6 min', () => mailgunCall(mailgunEvent(), minutesAgo(-6)), 403],
  ['sendgrid, 6 min', () => sendgridCall(sendgridEvents(), minutesAgo(6)), 403],
  ['generic, 6 min', () => genericCall(genericEvents(), minutesAgo(6)), 403],
  ['generic, in 6 min', () => genericCall(genericEvents(), minutesAgo(-6)), 403],
  // The time of the event, which SNS repeats for up to an hour.
  ['ses, 50 min', () => snsCall({ Message: sesMessage(), Timestamp: minutesAgo(50) }), 200],
  ['ses, 61 min', () => snsCall({ Message: sesMessage(), Timestamp: minutesAgo(61) }), 403],
];
test.each(OLD)('V18: a signature is valid only for a limited time: %s', async (_what, call, expected) => {
  expect((await post(world, call())).status).toBe(expected);
  expect(await changed()).toBe(expected === 200);
});

it('V18: refuses a token of Mailgun that has signed an earlier event', async () => {
  const delivered = (JSON.parse(MAIL_CALLS.mailgun('delivered', mail).body) as { 'event-data': object })[
    'event-data'
  ];
  expect((await post(world, mailgunCall(delivered, NOW, 'once'))).status).toBe(200);
  expect((await post(world, mailgunCall(mailgunEvent(), NOW, 'once'))).status).toBe(200);
  expect(await world.sql('SELECT event FROM provider_events')).toEqual([{ event: 'delivered' }]);
});

it('V18: the same event twenty times at once is recorded once', async () => {
  const call = hard('sendgrid');
  const answers = await Promise.all(Array.from({ length: 20 }, () => post(world, call)));
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
  expect(await world.sql('SELECT event FROM provider_events')).toEqual([{ event: 'bounced' }]);
  const notices = await world.sql(`SELECT id FROM notifications WHERE kind = 'address_stopped'`);
  expect(notices).toHaveLength(1);
});

it('V18: an event whose recording failed is recorded when the request is repeated', async () => {
  const call = mailgunCall(mailgunEvent(), NOW, 'failed');
  const other = mailgunCall({ ...mailgunEvent(), id: 'other' }, NOW, 'failed');
  const add = jest.spyOn(EventRecord.prototype, 'add').mockRejectedValueOnce(new Error('killed'));
  expect((await post(world, call)).status).toBe(500);
  expect((await post(world, other)).status).toBe(200);
  expect(await world.sql('SELECT event FROM provider_events')).toEqual([]);
  expect((await post(world, call)).status).toBe(200);
  expect((await post(world, call)).status).toBe(200);
  expect(await world.sql('SELECT event FROM provider_events')).toEqual([{ event: 'bounced' }]);
  add.mockRestore();
});

it('V18: requests do not hold a connection of one pool while they wait for the other', async () => {
  const add = jest.spyOn(EventRecord.prototype, 'add');
  // Like `send_now` with a limit per minute, in as many requests as the pool has connections.
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const holders = Array.from({ length: 2 }, () =>
    world.app.get(Database).tenant(admin.tenant_id, async (tx) => {
      await tx.query('SELECT');
      await released;
      return world.app.get(SystemDatabase).query('SELECT');
    }),
  );
  const begun = Promise.all([post(world, hard('sendgrid')), post(world, hard('postmark'))]);
  await until('both requests to record', () => add.mock.calls.length === 2);
  release();
  await withTimeout(Promise.all(holders), 3_000, 'both pools are exhausted');
  expect((await begun).map(({ status }) => status)).toEqual([200, 200]);
  add.mockRestore();
});

test.each([
  'http://sns.eu-west-3.amazonaws.com/a.pem',
  'https://sns.eu-west-3.amazonaws.com.evil.example/a.pem',
  'https://sns.eu-west-3.amazonaws.com@evil.example/a.pem',
  'https://evil.example/sns.eu-west-3.amazonaws.com/a.pem',
  'https://sns.eu-west-3.amazonaws.com:8443/a.pem',
  'https://evil-sns.eu-west-3.amazonaws.com/a.pem',
  'https://s3.eu-west-3.amazonaws.com/evil/a.pem',
  'https://sns.eu-west-3.amazonaws.com/a.txt',
  'https://169.254.169.254/a.pem',
  'nonsense',
])('V18: no certificate is fetched from %s', async (SigningCertURL) => {
  const before = amazon.received.length;
  expect((await post(world, snsCall({ Message: sesMessage(), SigningCertURL }))).status).toBe(403);
  expect(amazon.received).toHaveLength(before);
  expect(await changed()).toBe(false);
});

test.each([
  'http://sns.eu-west-3.amazonaws.com/?Action=ConfirmSubscription',
  'https://evil.example/?Action=ConfirmSubscription',
  'https://sns.eu-west-3.amazonaws.com/?Action=DeleteTopic',
  'https://sns.eu-west-3.amazonaws.com/other?Action=ConfirmSubscription',
])('V18: no subscription is confirmed at %s', async (SubscribeURL) => {
  const call = snsCall({ Type: 'SubscriptionConfirmation', Message: 'm', Token: 't', SubscribeURL });
  expect((await post(world, call)).status).toBe(403);
  expect(amazon.received.map(({ path }) => path).filter((path) => path !== CERT_PATH)).toEqual([]);
});

it('V18: SNS answers later if its certificate cannot be read now', async () => {
  const SigningCertURL = 'https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem';
  for (const act of [{ status: 500 }, { status: 200, body: 'no certificate' }, 'reset'] as const) {
    amazon.answer(act);
    expect((await post(world, snsCall({ Message: sesMessage(), SigningCertURL }))).status).toBe(503);
  }
  expect((await post(world, snsCall({ Message: sesMessage(), SigningCertURL }))).status).toBe(200);
});

const MALFORMED: [string, () => Call, number, string][] = [
  ['no JSON', () => ({ ...hard('postmark'), body: '{"a"' }), 400, 'malformed_request'],
  ['no object', () => ({ ...hard('postmark'), body: '[]' }), 400, 'malformed_request'],
  ['nothing', () => ({ ...hard('postmark'), body: '' }), 400, 'malformed_request'],
  ['no list', () => sendgridCall({ event: 'bounce' }), 400, 'malformed_request'],
  ['no JSON, signed', () => snsCall({ Message: '{"a"' }), 400, 'malformed_request'],
  [
    'nested without end',
    () => sendgridCall(JSON.parse('['.repeat(40) + ']'.repeat(40))),
    400,
    'malformed_request',
  ],
  [
    'another type',
    () => ({ ...hard('postmark'), headers: { 'content-type': 'text/xml' } }),
    415,
    'unsupported_media_type',
  ],
  ['a form', () => ({ ...twilioCall({ a: 'b' }), provider: 'postmark' }), 415, 'unsupported_media_type'],
  [
    'over 1 MB',
    () => ({ ...hard('postmark'), body: `{"a":"${'x'.repeat(1_048_576)}"}` }),
    413,
    'payload_too_large',
  ],
  ['an event without id', () => genericCall([{ event: 'delivered' }]), 400, 'validation_failed'],
  ['an unknown event', () => genericCall([{ id: '1', event: 'opened' }]), 400, 'validation_failed'],
  [
    'a bounce of no kind',
    () => genericCall([{ id: '1', event: 'bounced', message_id: mail.message_id }]),
    400,
    'validation_failed',
  ],
  ['about nobody', () => genericCall([{ id: '1', event: 'delivered' }]), 400, 'validation_failed'],
  [
    'to no address',
    () => genericCall([{ id: '1', event: 'delivered', provider_id: 'x', address: 'a,b' }]),
    400,
    'validation_failed',
  ],
  [
    '1,001 events',
    () => genericCall(Array(1_001).fill({ id: '1', event: 'delivered' })),
    400,
    'validation_failed',
  ],
];
test.each(MALFORMED)('V18: %s is refused with a clear error', async (_what, call, status, code) => {
  const answer = await post(world, call());
  expect(answer).toMatchObject({ status, body: { code } });
  expect(answer.headers['content-type']).toContain('application/problem+json');
  expect(await changed()).toBe(false);
});

it('V18: accepts values of any type, and texts that PostgreSQL cannot store', async () => {
  const odd = [
    { id: 'nul', event: 'delivered', message_id: mail.message_id, detail: 'a\u0000b\ud800c' },
    { id: 'x'.repeat(5_000), event: 'delivered', message_id: mail.message_id, at: 'yesterday' },
    { id: 7, event: 'failed', message_id: mail.message_id, detail: { a: 1 }, at: -1 },
  ];
  expect((await post(world, genericCall(odd))).status).toBe(200);
  expect(await world.sql('SELECT detail FROM provider_events ORDER BY detail')).toEqual([
    { detail: 'a b\ufffdc' },
    { detail: null },
    { detail: null },
  ]);
  for (const value of [null, 1, 'x', [], {}, { constructor: 1 }]) {
    for (const call of [
      sendgridCall([value]),
      mailgunCall(value as object),
      snsCall({ Message: JSON.stringify({ eventType: 'Bounce', bounce: value, mail: value }) }),
      snsCall({ Message: JSON.stringify({ eventType: 'constructor' }) }),
    ])
      expect((await post(world, call)).status).toBeLessThan(500);
  }
});

it('V18: only refused requests count against the rate limit of their address', async () => {
  const strict = await createWorld({
    clock,
    join: world,
    env: { ...HOOKS_ENV, HOOKS_SES_SNS_URL: amazon.url, API_ANONYMOUS_REQUESTS_PER_MINUTE: '3' },
  });
  try {
    const call = hard('generic');
    for (let time = 0; time < 5; time += 1) expect((await post(strict, call)).status).toBe(200);
    const statuses = [];
    for (let time = 0; time < 4; time += 1)
      statuses.push((await post(strict, call, `/hooks/generic/${'x'.repeat(40)}`)).status);
    expect(statuses).toEqual([404, 404, 404, 429]);
    expect((await post(strict, call)).status).toBe(200);
  } finally {
    await strict.close();
  }
});

it('V18: without a token there is no hook, and a token needs the key of its provider', async () => {
  const closed = await createWorld({ clock, join: world });
  try {
    for (const provider of Object.keys(TOKENS))
      expect((await post(closed, hard('generic'), `/hooks/${provider}/undefined`)).status).toBe(404);
  } finally {
    await closed.close();
  }
  // An empty variable counts as unset.
  const missing = { ...HOOKS_ENV, HOOKS_MAILGUN_SIGNING_KEY: '' };
  await expect(createWorld({ join: world, env: missing })).rejects.toThrow(
    'HOOKS_MAILGUN_SIGNING_KEY is required when HOOKS_MAILGUN_TOKEN is set',
  );
});
