import type { ProviderAct, ReceivedRequest } from '../../src/delivery/channels/provider.fixture.js';
import { jsonFields } from '../../src/delivery/channels/request.js';

/** A provider of text messages or pushes, as its documentation describes it. */
export interface Provider {
  name: string;
  /** The device token, number or path that a request sends to; null for logins and connection tests. */
  addressOf(request: ReceivedRequest): string | null;
  /** The answer to a message that it accepts. */
  accepts: Answer;
  /** The answer to a login or a connection test. */
  greets: Answer;
  /** Whether a 429 may say how long to wait. */
  says_when: boolean;
  /** A 429 is about the whole account, or may be: it uses no attempt. Else it is one of many services. */
  limits_account: boolean;
}

type Answer = Extract<ProviderAct, { status: number }>;

const form = ({ body }: ReceivedRequest) => new URLSearchParams(body);
const SNS = 'http://sns.amazonaws.com/doc/2010-03-31/';
const sns = (action: string, result: string): Answer => ({
  status: 200,
  headers: { 'content-type': 'text/xml' },
  body:
    `<${action}Response xmlns="${SNS}"><${action}Result>${result}</${action}Result>` +
    `<ResponseMetadata><RequestId>d74b8436</RequestId></ResponseMetadata></${action}Response>`,
});

export const TWILIO: Provider = {
  name: 'twilio',
  addressOf: (request) => form(request).get('To'),
  accepts: { status: 201, body: { sid: 'SM42', status: 'queued' } },
  greets: { status: 200, body: { status: 'active' } },
  says_when: true,
  limits_account: true,
};

export const AWS_SNS: Provider = {
  name: 'aws_sns',
  addressOf: (request) => form(request).get('PhoneNumber'),
  accepts: sns('Publish', '<MessageId>567910cd-659e</MessageId>'),
  greets: sns('GetSMSAttributes', '<attributes/>'),
  says_when: false,
  limits_account: true,
};

export const FCM: Provider = {
  name: 'fcm',
  addressOf: ({ path, body }) => {
    if (path === '/token') return null;
    const { message } = jsonFields(body) as { message?: { token?: string } };
    return message?.token ?? null;
  },
  accepts: { status: 200, body: { name: 'projects/vigie-test/messages/0:42' } },
  greets: { status: 200, body: { access_token: 'ya29.token', expires_in: 3_599, token_type: 'Bearer' } },
  says_when: true,
  limits_account: true,
};

export const WEB_PUSH: Provider = {
  name: 'web_push',
  addressOf: ({ path }) => decodeURIComponent(path.slice(1)),
  accepts: { status: 201, headers: { location: '/message/42' } },
  greets: { status: 404 },
  says_when: true,
  limits_account: false,
};
