import { type LocalProvider, type ProviderAct, startProvider } from '../../provider.fixture.js';
import { outcome, TestLease } from '../../sending.fixture.js';
import { SnsSms } from './aws-sns.js';

/** N6: SNS' documented answers: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
const SMS = { id: 'm-1', to: '+33612345678', text: 'Échéance demain', segments: 1 };
const NAMESPACE = 'http://sns.amazonaws.com/doc/2010-03-31/';
const PUBLISHED = {
  status: 200,
  headers: { 'content-type': 'text/xml' },
  body: `<PublishResponse xmlns="${NAMESPACE}"><PublishResult><MessageId>567910cd-659e</MessageId></PublishResult>
    <ResponseMetadata><RequestId>d74b8436</RequestId></ResponseMetadata></PublishResponse>`,
};

let sns: LocalProvider;
beforeEach(async () => {
  sns = await startProvider(PUBLISHED);
});
afterEach(() => sns.close());

function sender(endpoint = sns.url): SnsSms {
  return new SnsSms({
    region: 'eu-west-3',
    credentials: { access_key_id: 'AKIA0', secret_access_key: 'secret' },
    sender_id: 'Vigie',
    endpoint,
  });
}

const refusal = (status: number, code: string, type = 'Sender'): ProviderAct => ({
  status,
  headers: { 'content-type': 'text/xml' },
  body: `<ErrorResponse xmlns="${NAMESPACE}"><Error><Type>${type}</Type><Code>${code}</Code>
    <Message>because of ${code}</Message></Error><RequestId>9dbe</RequestId></ErrorResponse>`,
});

test('one signed request; the id of the message is kept', async () => {
  expect(await sender().send(SMS, new TestLease())).toBe('567910cd-659e');
  const [request] = sns.received;
  expect(request!.headers.authorization).toMatch(
    /^AWS4-HMAC-SHA256 Credential=AKIA0\/\d{8}\/eu-west-3\/sns\/aws4_request/,
  );
  const form = Object.fromEntries(new URLSearchParams(request!.body));
  expect(form).toMatchObject({ Action: 'Publish', PhoneNumber: '+33612345678', Message: 'Échéance demain' });
  expect(Object.values(form)).toEqual(expect.arrayContaining(['Transactional', 'Vigie']));
});

test.each([
  ['InvalidParameter', refusal(400, 'InvalidParameter'), 'permanent'],
  ['OptedOut', refusal(400, 'OptedOut'), 'permanent'],
  ['AuthorizationError', refusal(403, 'AuthorizationError'), 'channel policy'],
  ['InvalidClientTokenId', refusal(403, 'InvalidClientTokenId'), 'channel login'],
  ['SignatureDoesNotMatch', refusal(403, 'SignatureDoesNotMatch'), 'channel login'],
  ['Throttled', refusal(429, 'Throttled'), 'channel quota'],
  ['Throttling', refusal(400, 'Throttling'), 'channel quota'],
  ['429 of a proxy', { status: 429, body: '<html>' }, 'channel quota'],
  ['ServiceUnavailable', refusal(503, 'ServiceUnavailable', 'Receiver'), 'retryable'],
  ['InternalError', refusal(500, 'InternalError', 'Receiver'), 'ambiguous'],
  ['no answer after the request was read', 'reset', 'ambiguous'],
] satisfies [string, ProviderAct, string][])('%s', async (_what, act, expected) => {
  sns.answer(act);
  expect(await outcome(sender().send(SMS, new TestLease()))).toBe(expected);
  expect(sns.received).toHaveLength(1);
});

test('V18: a number whose owner has opted out is stopped, another refused one is not', async () => {
  sns.answer(refusal(400, 'OptedOut'), refusal(400, 'InvalidParameter'));
  const failure = () =>
    sender()
      .send(SMS, new TestLease())
      .catch((error: unknown) => error);
  expect(await failure()).toMatchObject({ failure: 'permanent', address_stopped: true });
  expect(await failure()).toMatchObject({ failure: 'permanent', address_stopped: false });
});

test('a refused connection is the channel’s fault: nothing was sent', async () => {
  expect(await outcome(sender('http://127.0.0.1:1').send(SMS, new TestLease()))).toBe('channel unreachable');
});

test('the connection test sends nothing; a login without the right to read settings works', async () => {
  sns.answer(
    {
      status: 200,
      headers: { 'content-type': 'text/xml' },
      body: `<GetSMSAttributesResponse xmlns="${NAMESPACE}"><GetSMSAttributesResult><attributes/></GetSMSAttributesResult></GetSMSAttributesResponse>`,
    },
    refusal(403, 'AuthorizationError'),
    refusal(403, 'InvalidClientTokenId'),
  );
  await sender().verify();
  await sender().verify();
  expect(await outcome(sender().verify())).toBe('channel login');
  expect(sns.received.every(({ body }) => body.includes('Action=GetSMSAttributes'))).toBe(true);
});
