import { FixedClock } from '../../../../platform/clock/fixed-clock.js';
import { type LocalProvider, type ProviderAct, startProvider } from '../../provider.fixture.js';
import { SendError } from '../../sender.js';
import { outcome, TestLease } from '../../sending.fixture.js';
import { TwilioSms, type TwilioSettings } from './twilio.js';

/** N6: Twilio's documented answers: https://www.twilio.com/docs/api/errors */
const SETTINGS: Omit<TwilioSettings, 'base_url'> = {
  account_sid: 'AC0123',
  auth_token: 'secret',
  from: '+33700000001',
  messaging_service_sid: null,
  status_url: null,
};
const SMS = { id: 'm-1', to: '+33612345678', text: 'Relance : TVA demain', segments: 1 };
const ACCEPTED = { status: 201, body: { sid: 'SM42', status: 'queued', error_code: null } };

let twilio: LocalProvider;
beforeEach(async () => {
  twilio = await startProvider(ACCEPTED);
});
afterEach(() => twilio.close());

function sender(changes: Partial<TwilioSettings> = {}): TwilioSms {
  return new TwilioSms(
    { ...SETTINGS, base_url: twilio.url, ...changes },
    new FixedClock('2026-03-02T08:00:00Z'),
  );
}

const refusal = (status: number, code: number, headers: Record<string, string> = {}): ProviderAct => ({
  status,
  headers,
  body: { code, message: `error ${code}`, more_info: `https://www.twilio.com/docs/errors/${code}`, status },
});

test('one form POST with the account’s login; the id of the message is kept', async () => {
  expect(await sender().send(SMS, new TestLease())).toBe('SM42');
  const [request] = twilio.received;
  expect(request).toMatchObject({ method: 'POST', path: '/2010-04-01/Accounts/AC0123/Messages.json' });
  expect(request!.headers.authorization).toBe(`Basic ${Buffer.from('AC0123:secret').toString('base64')}`);
  expect(Object.fromEntries(new URLSearchParams(request!.body))).toEqual({
    To: '+33612345678',
    From: '+33700000001',
    Body: 'Relance : TVA demain',
  });
});

test('V18: asks for receipts at the hook, if there is one', async () => {
  const status_url = 'https://vigie.example/hooks/twilio/token';
  await sender({ status_url }).send(SMS, new TestLease());
  expect(new URLSearchParams(twilio.received[0]!.body).get('StatusCallback')).toBe(status_url);
});

test('a messaging service instead of a number', async () => {
  await sender({ from: null, messaging_service_sid: 'MG7' }).send(SMS, new TestLease());
  expect(Object.fromEntries(new URLSearchParams(twilio.received[0]!.body))).toEqual({
    To: '+33612345678',
    MessagingServiceSid: 'MG7',
    Body: 'Relance : TVA demain',
  });
});

test.each([
  ['21211: not a number', refusal(400, 21211), 'permanent'],
  ['21614: not a mobile number', refusal(400, 21614), 'permanent'],
  ['21408: country not enabled', refusal(400, 21408), 'permanent'],
  ['21617: longer than 1600', refusal(400, 21617), 'permanent'],
  ['21610: STOP', refusal(400, 21610), 'permanent'],
  ['21606: From cannot send', refusal(400, 21606), 'channel misconfigured'],
  ['21659: not our number', refusal(400, 21659), 'channel misconfigured'],
  ['20003: wrong token', refusal(401, 20003), 'channel login'],
  ['30002: account suspended', refusal(403, 30002), 'channel policy'],
  ['20404: no such account', refusal(404, 20404), 'channel misconfigured'],
  ['21611: queue full', refusal(429, 21611), 'channel quota'],
  ['20429: too many requests', refusal(429, 20429, { 'retry-after': '7' }), 'channel quota'],
  ['429 of a proxy', { status: 429, body: '<html>' }, 'channel quota'],
  ['503', { status: 503, body: 'busy' }, 'retryable'],
  ['500: it may have been accepted', refusal(500, 20500), 'ambiguous'],
  ['502 of a proxy', { status: 502, body: '<html>' }, 'ambiguous'],
  ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }, 'channel misconfigured'],
  ['no answer after the request was read', 'reset', 'ambiguous'],
  ['4xx without JSON', { status: 400, body: 'no' }, 'permanent'],
] satisfies [string, ProviderAct, string][])('%s', async (_what, act, expected) => {
  twilio.answer(act);
  expect(await outcome(sender().send(SMS, new TestLease()))).toBe(expected);
  expect(twilio.received).toHaveLength(1);
});

test('STOP is about the number; Retry-After is kept', async () => {
  twilio.answer(refusal(400, 21610), refusal(429, 20429, { 'retry-after': '7' }));
  const failure = async () => {
    const error: unknown = await sender()
      .send(SMS, new TestLease())
      .catch((reason: unknown) => reason);
    if (!(error instanceof SendError)) throw new Error('it was sent');
    return error;
  };
  expect(await failure()).toMatchObject({ address_stopped: true, code: '400 21610' });
  expect(await failure()).toMatchObject({ address_stopped: false, retry_after_ms: 7_000 });
});

test('a refused connection is the channel’s fault: nothing was sent', async () => {
  expect(await outcome(sender({ base_url: 'http://127.0.0.1:1' }).send(SMS, new TestLease()))).toBe(
    'channel unreachable',
  );
});

test('nothing is sent without a valid lease', async () => {
  const lease = new TestLease();
  lease.expire();
  expect(await outcome(sender().send(SMS, lease))).toBe('retryable');
  expect(twilio.received).toEqual([]);
});

test('an endless answer is cut off', async () => {
  twilio.answer('endless');
  expect(await sender().send(SMS, new TestLease())).toBeNull();
});

test('the connection test reads the account and sends nothing', async () => {
  twilio.answer({ status: 200, body: { status: 'active' } });
  await sender().verify();
  expect(twilio.received).toMatchObject([{ method: 'GET', path: '/2010-04-01/Accounts/AC0123.json' }]);
  twilio.answer({ status: 200, body: { status: 'suspended' } }, refusal(401, 20003));
  expect(await outcome(sender().verify())).toBe('channel policy');
  expect(await outcome(sender().verify())).toBe('channel login');
});
