import { generateKeyPairSync } from 'node:crypto';
import { jwtVerify } from 'jose';
import { FixedClock } from '../../../platform/clock/fixed-clock.js';
import { type LocalProvider, type ProviderAct, startProvider } from '../provider.fixture.js';
import { SendError } from '../sender.js';
import { outcome, TestLease } from '../sending.fixture.js';
import { Fcm } from './fcm.js';
import { GoogleLogin } from './google-login.js';

/** N6: FCM's documented answers: https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode */
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const NOW = '2026-03-02T08:00:00Z';
const PUSH = {
  id: '01a22a70-1f05-7e08-bcbd-6362d6345de6',
  title: 'TVA CA3, échéance demain',
  body: 'Date limite : mardi 31 mars 2026',
  data: { tenant: 'horizon', kind: 'deadline_near', notification_ids: '', count: '1' },
  urgent: false,
};
const TOKEN = { platform: 'fcm', token: 'device-token' } as const;
const SENT = { status: 200, body: { name: 'projects/vigie-test/messages/0:42' } };

const refusal = (status: number, code: string, headers: Record<string, string> = {}): ProviderAct => ({
  status,
  headers,
  body: {
    error: {
      code: status,
      message: `because of ${code}`,
      status: code,
      details: [{ '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode: code }],
    },
  },
});

let google: LocalProvider;
let fcm: Fcm;
let clock: FixedClock;
/** The answers to the next messages; logins succeed. */
let acts: ProviderAct[];
let login: ProviderAct;

beforeEach(async () => {
  acts = [];
  login = { status: 200, body: { access_token: 'ya29.token', expires_in: 3_599, token_type: 'Bearer' } };
  google = await startProvider(({ path }) => (path === '/token' ? login : (acts.shift() ?? SENT)));
  clock = new FixedClock(NOW);
  const account = {
    project_id: 'vigie-test',
    client_email: 'vigie@vigie-test.iam.example',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    private_key_id: 'key-1',
    token_uri: `${google.url}/token`,
  };
  fcm = new Fcm(account.project_id, new GoogleLogin(account, clock), clock, google.url);
});
afterEach(() => google.close());

const messages = () => google.received.filter(({ path }) => path !== '/token');
const logins = () => google.received.filter(({ path }) => path === '/token');

test('logs in with a signed assertion once, and posts the message with its token', async () => {
  expect(await fcm.send(PUSH, TOKEN, new TestLease())).toBe('projects/vigie-test/messages/0:42');
  await fcm.send(PUSH, TOKEN, new TestLease());
  expect(logins()).toHaveLength(1);
  const assertion = new URLSearchParams(logins()[0]!.body).get('assertion')!;
  const { payload, protectedHeader } = await jwtVerify(assertion, publicKey, {
    issuer: 'vigie@vigie-test.iam.example',
    audience: `${google.url}/token`,
    currentDate: new Date(NOW),
  });
  expect([payload.scope, protectedHeader.kid]).toEqual([
    'https://www.googleapis.com/auth/firebase.messaging',
    'key-1',
  ]);
  const [first] = messages();
  expect(first!.path).toBe('/v1/projects/vigie-test/messages:send');
  expect(first!.headers.authorization).toBe('Bearer ya29.token');
  expect(JSON.parse(first!.body)).toEqual({
    message: {
      token: 'device-token',
      notification: { title: PUSH.title, body: PUSH.body },
      data: PUSH.data,
      android: { priority: 'NORMAL', notification: { tag: PUSH.id } },
      apns: { headers: { 'apns-collapse-id': PUSH.id, 'apns-priority': '5' } },
    },
  });
});

test('renews its access token before it expires, and after a refusal once', async () => {
  await fcm.send(PUSH, TOKEN, new TestLease());
  clock.advance(3_540_000);
  await fcm.send(PUSH, TOKEN, new TestLease());
  expect(logins()).toHaveLength(2);
  acts.push(refusal(401, 'UNAUTHENTICATED'));
  await fcm.send(PUSH, TOKEN, new TestLease());
  expect(logins()).toHaveLength(3);
  acts.push(refusal(401, 'UNAUTHENTICATED'), refusal(401, 'UNAUTHENTICATED'));
  expect(await outcome(fcm.send(PUSH, TOKEN, new TestLease()))).toBe('channel login');
});

test.each([
  ['UNREGISTERED', refusal(404, 'UNREGISTERED'), 'permanent', true],
  ['SENDER_ID_MISMATCH', refusal(403, 'SENDER_ID_MISMATCH'), 'permanent', true],
  ['INVALID_ARGUMENT', refusal(400, 'INVALID_ARGUMENT'), 'permanent', false],
  ['QUOTA_EXCEEDED', refusal(429, 'QUOTA_EXCEEDED', { 'retry-after': '60' }), 'retryable', false],
  ['UNAVAILABLE', refusal(503, 'UNAVAILABLE'), 'retryable', false],
  ['INTERNAL', refusal(500, 'INTERNAL'), 'ambiguous', false],
  ['THIRD_PARTY_AUTH_ERROR', refusal(401, 'THIRD_PARTY_AUTH_ERROR'), 'channel', false],
  ['PERMISSION_DENIED', { status: 403, body: { error: { status: 'PERMISSION_DENIED' } } }, 'channel', false],
  ['no such project', { status: 404, body: { error: { status: 'NOT_FOUND' } } }, 'channel', false],
  ['no answer after the request was read', 'reset', 'ambiguous', false],
  ['an answer that is not JSON', { status: 502, body: '<html>' }, 'ambiguous', false],
] satisfies [string, ProviderAct, string, boolean][])('%s', async (_what, act, failure, address_stopped) => {
  acts.push(act);
  const error: unknown = await fcm.send(PUSH, TOKEN, new TestLease()).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(SendError);
  expect(error).toMatchObject({ failure, address_stopped });
  expect(messages()).toHaveLength(1);
});

test.each([
  [
    'refuses it',
    { status: 400, body: { error: 'invalid_grant', error_description: 'Invalid JWT' } },
    'channel login',
  ],
  ['does not answer', 'reset', 'channel unreachable'],
] satisfies [string, ProviderAct, string][])(
  'a login that Google %s is the channel’s fault',
  async (_what, act, expected) => {
    login = act;
    expect(await outcome(fcm.send(PUSH, TOKEN, new TestLease()))).toBe(expected);
    expect(messages()).toEqual([]);
  },
);

test('the connection test only lets FCM check a message', async () => {
  await fcm.verify();
  expect(JSON.parse(messages()[0]!.body)).toMatchObject({ validate_only: true });
});
