import { randomUUID } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { selfSigned } from '../../../../../test/support/self-signed.js';
import { SystemClock } from '../../../../platform/clock/clock.js';
import type { CallableEndpoint } from '../endpoints/endpoint.js';
import { AddressGuard } from '../guard/address-guard.js';
import { TargetGuard } from '../guard/target.js';
import type { WebhookNotification } from '../payload.js';
import { type Behaviour, Receiver, verified } from '../receiver.fixture.js';
import type { CallLimits } from './post.js';
import { verdictOfCall } from './verdict.js';
import { newSecret, WebhookCaller } from './webhook-caller.js';

/** For endpoints that answer: long enough for a busy machine. */
const PATIENT: CallLimits = { connect_ms: 10_000, whole_ms: 15_000, body_ms: 5_000 };
/** For endpoints that never end their answer. */
const HASTY: CallLimits = { connect_ms: 10_000, whole_ms: 1_000, body_ms: 200 };
/** How long a call with the short time-out may take. */
const IN_TIME_MS = 8_000;

const NOTIFICATION: WebhookNotification = {
  id: '0199f3c4-0000-7000-8000-000000000009',
  kind: 'backup_alert',
  severity: 'critical',
  title: 'ALERTE SAUVEGARDE - compta - HASH_MISMATCH',
  body: 'Le fichier de « compta » diffère.',
  data: { verdict: 'HASH_MISMATCH' },
  alert_id: '0199f3c4-0000-7000-8000-000000000010',
  item_url: 'https://front.example/backup/1',
  created_at: new Date('2026-03-30T02:10:00.000Z'),
  tenant: { id: '0199f3c4-0000-7000-8000-000000000001', slug: 'martin', name: 'Cabinet Martin' },
};

const certificate = selfSigned();

function callerWith({
  resolve = () => Promise.resolve(['127.0.0.1']),
  ca = null,
  limits = PATIENT,
}: { resolve?: () => Promise<string[]>; ca?: string[] | null; limits?: CallLimits } = {}): WebhookCaller {
  const guard = new TargetGuard(new AddressGuard('loopback'), resolve, true);
  return new WebhookCaller(guard, new SystemClock(), limits, ca);
}

describe('V19: a call', () => {
  let receiver: Receiver;
  const secret = newSecret();
  const endpoint = (changes: Partial<CallableEndpoint> = {}): CallableEndpoint => ({
    ...{
      tenant_id: randomUUID(),
      id: randomUUID(),
      url: receiver.url,
      format: 'standard',
      secrets: [secret],
    },
    ...changes,
  });
  const call = (changes: Partial<CallableEndpoint> = {}, id: string = randomUUID(), caller = callerWith()) =>
    caller.call(endpoint(changes), id, NOTIFICATION, new AbortController().signal);
  const judged = async (changes: Partial<CallableEndpoint> = {}, caller = callerWith()) => {
    const made = await call(changes, undefined, caller);
    return {
      ...made,
      verdict: verdictOfCall(changes.format ?? 'standard', made, new Date('2026-03-30T00:00:00Z')),
    };
  };

  beforeAll(async () => {
    receiver = await Receiver.start();
  });
  afterAll(() => receiver.close());
  beforeEach(() => {
    receiver.forget();
    receiver.behave(204);
  });

  it('V19: is a POST of Standard Webhooks that the receiver verifies with the public library', async () => {
    await call({}, 'a-message');
    const [received] = receiver.calls;
    expect(received).toMatchObject({
      path: '/hook',
      headers: {
        'content-type': 'application/json',
        'webhook-id': 'a-message',
        'user-agent': expect.stringMatching(/^Vigie\//) as string,
        host: `127.0.0.1:${receiver.port}`,
      },
    });
    expect(verified(secret, received!)).toEqual({
      type: 'backup_alert',
      timestamp: '2026-03-30T02:10:00.000Z',
      data: {
        id: NOTIFICATION.id,
        kind: 'backup_alert',
        severity: 'critical',
        title: NOTIFICATION.title,
        body: NOTIFICATION.body,
        data: { verdict: 'HASH_MISMATCH' },
        alert_id: NOTIFICATION.alert_id,
        item_url: 'https://front.example/backup/1',
        created_at: '2026-03-30T02:10:00.000Z',
        tenant: NOTIFICATION.tenant,
      },
    });
    expect(() => verified(newSecret(), received!)).toThrow('No matching signature');
    expect(() =>
      verified(secret, { ...received!, body: received!.body.replace('compta', 'autre') }),
    ).toThrow();
  });

  it('V19: carries a signature of each valid secret while one is replaced', async () => {
    const previous = newSecret();
    await call({ secrets: [secret, previous] });
    const [received] = receiver.calls;
    expect(String(received!.headers['webhook-signature']).split(' ')).toHaveLength(2);
    expect(verified(secret, received!)).toEqual(verified(previous, received!));
  });

  const REDIRECT = { status: 301, headers: { location: 'http://169.254.169.254/latest/meta-data' } };
  it.each<[string, Behaviour, object]>([
    ['200', 200, { delivered: true }],
    ['201', 201, { delivered: true }],
    ['204', 204, { delivered: true }],
    ['301 to another address', REDIRECT, { failure: 'permanent', gone: false }],
    ['307', { status: 307, headers: { location: '/elsewhere' } }, { failure: 'permanent', gone: false }],
    ['304', 304, { failure: 'permanent', gone: false }],
    ['400', 400, { failure: 'retryable', error: 'The endpoint answered 400' }],
    [
      '401',
      { status: 401, body: 'No\u0000 key\n' },
      { failure: 'retryable', error: 'The endpoint answered 401: No key' },
    ],
    ['404', 404, { failure: 'retryable', gone: false }],
    ['410', 410, { failure: 'permanent', gone: true }],
    [
      '429 with seconds',
      { status: 429, headers: { 'retry-after': '120' } },
      { failure: 'retryable', retry_after_ms: 120_000 },
    ],
    [
      '429 with a date',
      { status: 429, headers: { 'retry-after': 'Mon, 30 Mar 2026 01:00:00 GMT' } },
      { failure: 'retryable', retry_after_ms: 3_600_000 },
    ],
    [
      '503 with a far date',
      { status: 503, headers: { 'retry-after': 'Tue, 30 Mar 2027 01:00:00 GMT' } },
      { failure: 'retryable', retry_after_ms: 86_400_000 },
    ],
    ['503 with nonsense', { status: 503, headers: { 'retry-after': 'soon' } }, { failure: 'retryable' }],
    ['500', 500, { failure: 'retryable', gone: false }],
    ['502', 502, { failure: 'retryable', gone: false }],
    ['a reset before the request is read', 'reset_at_once', { gone: false }],
    ['a reset after the request', 'reset_after_request', { failure: 'ambiguous', gone: false }],
    ['another protocol', 'no_http', { failure: 'ambiguous', error: 'The endpoint does not answer in HTTP' }],
  ])('V19: answered by %s', async (_name, behaviour, expected) => {
    receiver.behave(behaviour);
    const { verdict } = await judged();
    expect(verdict).toMatchObject(expected);
    expect(receiver.connections).toBe(1);
  });

  it.each<[string, Behaviour, object]>([
    ['silence', 'silence', { failure: 'ambiguous', error: 'The endpoint did not answer in time' }],
    ['an endless body', 'endless_body', { delivered: true }],
    ['a slow body', 'slow_body', { delivered: true }],
  ])('V19: answered in time by %s', async (_name, behaviour, expected) => {
    receiver.behave(behaviour);
    const began = performance.now();
    const { verdict } = await judged({}, callerWith({ limits: HASTY }));
    expect(performance.now() - began).toBeLessThan(IN_TIME_MS);
    expect(verdict).toMatchObject(expected);
    expect(receiver.connections).toBe(1);
  });

  it('V19: reads 64 KB of an endless body, and closes the connection', async () => {
    receiver.behave('endless_body');
    const { reply } = await judged();
    expect(reply?.body).toHaveLength(64 * 1024);
    expect(receiver.sentBytes).toBeLessThan(16 * 1024 * 1024);
  });

  it('B9: speaks Slack’s format, in which no text can mention a channel or disguise a link', async () => {
    await callerWith().call(
      endpoint({ format: 'slack', secrets: [] }),
      'x',
      { ...NOTIFICATION, title: 'R&D <!channel>', body: '<https://evil.example|here>' },
      new AbortController().signal,
    );
    const [{ headers, body }] = receiver.calls as [(typeof receiver.calls)[number]];
    expect(headers).not.toHaveProperty('webhook-signature');
    expect(JSON.parse(body)).toEqual({
      text: '*R&amp;D &lt;!channel&gt;*\n&lt;https://evil.example|here&gt;\n<https://front.example/backup/1>',
    });
  });

  it('B9: cuts a long text where Slack would, never inside an entity', async () => {
    await callerWith().call(
      endpoint({ format: 'slack', secrets: [] }),
      'x',
      { ...NOTIFICATION, title: 'T', body: `${'x'.repeat(3_930)}${'&'.repeat(50)}` },
      new AbortController().signal,
    );
    const { text } = JSON.parse(receiver.calls[0]!.body) as { text: string };
    expect(text.length).toBeLessThanOrEqual(4_000);
    expect(text).toMatch(/(?:&amp;)+…\n<https:\/\/front\.example\/backup\/1>$/);
  });

  it.each<[number, string, object]>([
    [200, 'ok', { delivered: true }],
    [400, 'invalid_payload', { failure: 'permanent', gone: false }],
    [400, 'no_text', { failure: 'permanent', gone: false }],
    [403, 'invalid_token', { failure: 'permanent', gone: true }],
    [403, 'action_prohibited', { failure: 'retryable', gone: false }],
    [404, 'channel_not_found', { failure: 'retryable', gone: false }],
    [404, 'no_service', { failure: 'permanent', gone: true }],
    [410, 'channel_is_archived', { failure: 'retryable', gone: false }],
    [410, 'no_service', { failure: 'permanent', gone: true }],
    [500, 'rollup_error', { failure: 'retryable', gone: false }],
  ])('B9: Slack’s answer %i %s', async (status, body, expected) => {
    receiver.behave({ status, body });
    const { verdict } = await judged({ format: 'slack', secrets: [] });
    expect(verdict).toMatchObject(expected);
    if (status !== 200) expect(verdict).toMatchObject({ error: `The endpoint answered ${status}: ${body}` });
  });

  it.each<[string, Behaviour, CallLimits, object]>([
    [
      '429 with Retry-After',
      { status: 429, headers: { 'retry-after': '30' }, body: 'rate_limited' },
      PATIENT,
      { failure: 'retryable', gone: false, retry_after_ms: 30_000 },
    ],
    ['silence', 'silence', HASTY, { failure: 'ambiguous', error: 'The endpoint did not answer in time' }],
    ['a slow body', 'slow_body', HASTY, { delivered: true }],
    ['a reset after the request', 'reset_after_request', PATIENT, { failure: 'ambiguous', gone: false }],
  ])('B9: Slack answers by %s', async (_name, behaviour, limits, expected) => {
    receiver.behave(behaviour);
    const { verdict } = await judged({ format: 'slack', secrets: [] }, callerWith({ limits }));
    expect(verdict).toMatchObject(expected);
    expect(receiver.connections).toBe(1);
  });

  it('V19: if nothing listens, the call was not sent', async () => {
    const closed = await Receiver.start();
    const { url } = closed;
    await closed.close();
    const { verdict, error } = await judged({ url });
    expect(verdict).toMatchObject({ failure: 'retryable', error: 'The endpoint refused the connection' });
    expect(error?.fault).toBe('unreachable');
  });

  it('V19: over TLS only to the name in the certificate, from a known authority', async () => {
    const tls = await Receiver.start({ tls: certificate, host: 'localhost' });
    try {
      const ca = [...rootCertificates, certificate.cert];
      expect((await judged({ url: tls.url }, callerWith({ ca }))).verdict).toEqual({ delivered: true });
      expect(tls.calls[0]?.headers.host).toBe(`localhost:${tls.port}`);
      const unknown = await judged({ url: tls.url });
      expect(unknown).toMatchObject({
        error: { fault: 'tls', sent: false },
        verdict: { failure: 'retryable', error: 'The endpoint has a self-signed certificate' },
      });
      const other = await judged({ url: tls.url.replace('localhost', 'other.example') }, callerWith({ ca }));
      expect(other.verdict).toMatchObject({ error: 'The endpoint has a certificate for another name' });
      const plain = await judged({ url: receiver.url.replace('http:', 'https:') }, callerWith({ ca }));
      expect(plain).toMatchObject({
        error: { fault: 'tls', sent: false },
        verdict: { failure: 'retryable' },
      });
      expect([tls.calls.length, receiver.calls.length]).toEqual([1, 0]);
    } finally {
      await tls.close();
    }
  });

  it('V19: connects to the address that was checked, although the name resolves to another by then', async () => {
    const answers = [['127.0.0.1'], ['10.0.0.5']];
    const caller = callerWith({ resolve: () => Promise.resolve(answers.shift() ?? []) });
    const first = await judged({ url: `http://rebind.example:${receiver.port}/` }, caller);
    expect(first.verdict).toEqual({ delivered: true });
    expect(receiver.calls[0]?.headers.host).toBe(`rebind.example:${receiver.port}`);
    const second = await judged({ url: `http://rebind.example:${receiver.port}/` }, caller);
    expect(second).toMatchObject({
      error: { fault: 'forbidden_address', sent: false },
      verdict: {
        failure: 'retryable',
        error: 'The endpoint leads to an address that is not public (private)',
      },
    });
    expect(receiver.connections).toBe(1);
  });

  it('V19: a lost lease stops a call that is not connected yet', async () => {
    const stopped = new AbortController();
    stopped.abort();
    const made = await callerWith().call(endpoint(), 'x', NOTIFICATION, stopped.signal);
    expect(made.error).toMatchObject({ fault: 'stopped', sent: false });
    expect(receiver.calls).toEqual([]);
  });
});
