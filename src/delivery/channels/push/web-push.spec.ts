import { importJWK, jwtVerify } from 'jose';
import webPush from 'web-push';
import { FixedClock } from '../../../platform/clock/fixed-clock.js';
import { type LocalProvider, type ProviderAct, startProvider } from '../provider.fixture.js';
import { SendError } from '../sender.js';
import { TestLease } from '../sending.fixture.js';
import { Browser } from '../../../cli/demo/browser.js';
import { checkSubscription, isService } from './device-token.js';
import { WebPush } from './web-push.js';

const VAPID = webPush.generateVAPIDKeys();
const PUSH = {
  id: '01a22a70-1f05-7e08-bcbd-6362d6345de6',
  title: 'TVA CA3, échéance demain',
  body: 'Date limite : mardi 31 mars 2026',
  data: { tenant: 'horizon', kind: 'deadline_near', notification_ids: '', count: '1' },
  urgent: true,
};

let service: LocalProvider;
let browser: Browser;
let sender: WebPush;

beforeEach(async () => {
  service = await startProvider({ status: 201, headers: { location: '/message/42' } });
  browser = new Browser(`${service.url}/push/abc`);
  sender = new WebPush(
    { public_key: VAPID.publicKey, private_key: VAPID.privateKey, subject: 'mailto:admin@vigie.example' },
    [service.url],
    new FixedClock('2026-03-02T08:00:00Z'),
  );
});
afterEach(() => service.close());

const send = (to = browser) =>
  sender.send(PUSH, { platform: 'web_push', subscription: to.subscription }, new TestLease());

test('the browser reads the push, and its service knows who sends (RFC 8291, RFC 8292)', async () => {
  expect(await send()).toBe('/message/42');
  const [request] = service.received;
  expect(request).toMatchObject({
    method: 'POST',
    path: '/push/abc',
    headers: {
      'content-encoding': 'aes128gcm',
      urgency: 'high',
      ttl: '86400',
      topic: PUSH.id.replaceAll('-', ''),
    },
  });
  const { id, title, body, data } = PUSH;
  expect(browser.read(request!.bytes)).toEqual({ id, title, body, data });
  const [, token = '', key = ''] = /^vapid t=([^,]+), k=(.+)$/.exec(request!.headers.authorization!)!;
  expect(key).toBe(VAPID.publicKey);
  const point = Buffer.from(key, 'base64url');
  const publicKey = await importJWK(
    {
      kty: 'EC',
      crv: 'P-256',
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
    },
    'ES256',
  );
  const { payload } = await jwtVerify(token, publicKey, { audience: service.url });
  expect(payload.sub).toBe('mailto:admin@vigie.example');
});

test.each([
  ['410: unsubscribed', { status: 410 }, 'permanent', true],
  ['404: unknown', { status: 404 }, 'permanent', true],
  ['403: another key', { status: 403 }, 'permanent', false],
  ['413: too large', { status: 413 }, 'permanent', false],
  ['429', { status: 429, headers: { 'retry-after': '5' } }, 'retryable', false],
  ['503', { status: 503 }, 'retryable', false],
  ['500', { status: 500 }, 'ambiguous', false],
  [
    'a redirect is not followed',
    { status: 307, headers: { location: 'http://127.0.0.1:1/' } },
    'permanent',
    false,
  ],
  ['no answer after the request was read', 'reset', 'ambiguous', false],
] satisfies [string, ProviderAct, string, boolean][])('%s', async (_what, act, failure, address_stopped) => {
  service.answer(act);
  const error: unknown = await send().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(SendError);
  expect(error).toMatchObject({ failure, address_stopped });
});

test('one push service that is not reached does not close the channel alone', async () => {
  const url = service.url;
  await service.close();
  service = await startProvider({ status: 201 });
  const error: unknown = await send(new Browser(`${url}/push/abc`)).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ failure: 'channel', cause: 'unreachable', with_message: true });
});

test('calls nothing but push services', async () => {
  const error: unknown = await send(new Browser('http://169.254.169.254/latest')).catch(
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ failure: 'permanent' });
});

const SERVICES = ['https://fcm.googleapis.com', 'https://*.push.services.mozilla.com'];

test.each([
  ['https://fcm.googleapis.com/fcm/send/abc', true],
  ['https://updates.push.services.mozilla.com/wpush/v2/x', true],
  ['http://fcm.googleapis.com/fcm/send/abc', false],
  ['https://fcm.googleapis.com:8443/', false],
  ['https://fcm.googleapis.com.evil.example/', false],
  ['https://push.services.mozilla.com.evil.example/', false],
  ['https://evilpush.services.mozilla.com/', false],
  ['https://user@fcm.googleapis.com/', false],
  ['https://127.0.0.1/', false],
  ['//fcm.googleapis.com/', false],
  ['file:///etc/passwd', false],
])('%s is a push service: %s', (endpoint, expected) => {
  expect(isService(endpoint, SERVICES)).toBe(expected);
});

test.each([
  [{ p256dh: 'AAAA' }, '/subscription/keys/p256dh'],
  [{ p256dh: 'not base64url!' }, '/subscription/keys/p256dh'],
  [{ auth: 'AAAA' }, '/subscription/keys/auth'],
])('a subscription with the key %j is refused', (keys, pointer) => {
  const { subscription } = new Browser('https://fcm.googleapis.com/fcm/send/abc');
  const broken = { ...subscription, keys: { ...subscription.keys, ...keys } };
  expect(faultOf(() => checkSubscription(broken, SERVICES))).toMatchObject({
    code: 'validation_failed',
    options: { errors: [{ pointer }] },
  });
});

function faultOf(check: () => void): unknown {
  try {
    check();
  } catch (error) {
    return error;
  }
  return null;
}
