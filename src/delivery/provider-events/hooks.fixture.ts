import { createHmac, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { selfSigned } from '../../../test/support/self-signed.js';
import type { Answer, World } from '../../../test/support/world.js';
import type { EventProviderName } from './provider-event.js';

export const NOW = '2026-03-30T07:00:00.000Z';
export const PUBLIC_URL = 'https://vigie.cabinet.example';
export const TOPIC = 'arn:aws:sns:eu-west-3:123456789012:vigie';
export const CERT_PATH = '/SimpleNotificationService-0123456789abcdef.pem';

const token = (provider: string) => `${provider}-Zk3xV9pLq0sW7tRb2mYc5nHd8fJg4aE1`.slice(0, 40);
export const TOKENS: Readonly<Record<EventProviderName, string>> = {
  ses: token('ses'),
  postmark: token('postmark'),
  mailgun: token('mailgun'),
  sendgrid: token('sendgrid'),
  twilio: token('twilio'),
  generic: token('generic'),
};
const MAILGUN_KEY = 'mailgun-signing-key-of-the-test';
const TWILIO_AUTH_TOKEN = 'twilio-auth-token-of-the-test';
const GENERIC_SECRET = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`;
const sendgrid = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** The signer of SNS, whose certificate the test serves. */
export const SNS = selfSigned('rsa');

/** An installation that every provider may call. */
export const HOOKS_ENV: Readonly<Record<string, string>> = {
  VIGIE_PUBLIC_URL: PUBLIC_URL,
  HOOKS_SES_TOKEN: TOKENS.ses,
  HOOKS_SES_TOPIC_ARN: TOPIC,
  HOOKS_POSTMARK_TOKEN: TOKENS.postmark,
  HOOKS_MAILGUN_TOKEN: TOKENS.mailgun,
  HOOKS_MAILGUN_SIGNING_KEY: MAILGUN_KEY,
  HOOKS_SENDGRID_TOKEN: TOKENS.sendgrid,
  HOOKS_SENDGRID_VERIFICATION_KEY: sendgrid.publicKey
    .export({ type: 'spki', format: 'der' })
    .toString('base64'),
  HOOKS_TWILIO_TOKEN: TOKENS.twilio,
  SMS_PROVIDER: 'twilio',
  TWILIO_ACCOUNT_SID: 'AC0123',
  TWILIO_AUTH_TOKEN,
  TWILIO_FROM: '+33644601234',
  HOOKS_GENERIC_TOKEN: TOKENS.generic,
  HOOKS_GENERIC_SECRET: GENERIC_SECRET,
};

/** A signed request of a provider. */
export interface Call {
  provider: EventProviderName;
  headers: Record<string, string>;
  body: string;
}

export async function post(world: World, call: Call, path?: string): Promise<Answer> {
  const { provider, headers, body } = call;
  return world.http('POST', path ?? `/hooks/${provider}/${TOKENS[provider]}`, { headers, body });
}

const secondsOf = (at: string) => String(Math.floor(Date.parse(at) / 1_000));

/** A message of SNS: with SHA-1 (version 1, the default) or SHA-256. */
export function snsCall(fields: Record<string, string>, version: '1' | '2' = '1'): Call {
  const type = fields.Type ?? 'Notification';
  const message: Record<string, string> = {
    Type: type,
    MessageId: randomUUID(),
    TopicArn: TOPIC,
    Timestamp: NOW,
    SignatureVersion: version,
    SigningCertURL: `https://sns.eu-west-3.amazonaws.com${CERT_PATH}`,
    ...fields,
  };
  const names =
    type === 'Notification'
      ? ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']
      : ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];
  const text = names
    .filter((name) => message[name] !== undefined)
    .map((name) => `${name}\n${message[name]}\n`)
    .join('');
  const algorithm = version === '1' ? 'sha1' : 'sha256';
  message.Signature = sign(algorithm, Buffer.from(text), SNS.key).toString('base64');
  return {
    provider: 'ses',
    headers: { 'content-type': 'text/plain; charset=UTF-8', 'x-amz-sns-message-type': type },
    body: JSON.stringify(message),
  };
}

export function mailgunCall(event: object, at = NOW, oneTime: string = randomUUID()): Call {
  const timestamp = secondsOf(at);
  const signature = createHmac('sha256', MAILGUN_KEY)
    .update(timestamp + oneTime)
    .digest('hex');
  return {
    provider: 'mailgun',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ signature: { timestamp, token: oneTime, signature }, 'event-data': event }),
  };
}

export function sendgridCall(events: unknown, at = NOW): Call {
  const body = JSON.stringify(events);
  const timestamp = secondsOf(at);
  return {
    provider: 'sendgrid',
    headers: {
      'content-type': 'application/json',
      'x-twilio-email-event-webhook-timestamp': timestamp,
      'x-twilio-email-event-webhook-signature': sign(
        'sha256',
        Buffer.from(timestamp + body),
        sendgrid.privateKey,
      ).toString('base64'),
    },
    body,
  };
}

export function postmarkCall(event: object): Call {
  return {
    provider: 'postmark',
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify(event),
  };
}

/** @param url as Twilio writes it in the text that it signs */
export function twilioCall(
  fields: Record<string, string>,
  url = `${PUBLIC_URL}/hooks/twilio/${TOKENS.twilio}`,
): Call {
  const text = Object.keys(fields)
    .sort()
    .reduce((signed, name) => signed + name + (fields[name] ?? ''), url);
  return {
    provider: 'twilio',
    headers: {
      'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
      'x-twilio-signature': createHmac('sha1', TWILIO_AUTH_TOKEN).update(text).digest('base64'),
    },
    body: new URLSearchParams(fields).toString(),
  };
}

export function genericCall(events: unknown, at = NOW, id = `msg_${randomUUID()}`): Call {
  const body = JSON.stringify({ events });
  const timestamp = secondsOf(at);
  const key = Buffer.from(GENERIC_SECRET.replace('whsec_', ''), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return {
    provider: 'generic',
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${signature}`,
    },
    body,
  };
}

/** A sent mail, as its provider knows it. */
export interface SentMail {
  /** Our Message-ID, with its brackets. */
  message_id: string;
  to: string;
  /** The value of Postmark's metadata header. */
  metadata: string;
}

/** An event that a provider reports about a mail. */
export type MailEvent = 'delivered' | 'hard_bounce' | 'soft_bounce' | 'complaint' | 'opened';

/** The providers' real formats: from their documentation, shortened. */
export const MAIL_CALLS: Readonly<
  Record<'ses' | 'postmark' | 'mailgun' | 'sendgrid' | 'generic', (event: MailEvent, mail: SentMail) => Call>
> = {
  ses: (event, mail) => snsCall({ Message: JSON.stringify(sesEvent(event, mail)) }),
  postmark: (event, mail) => postmarkCall(postmarkEvent(event, mail)),
  mailgun: (event, mail) => mailgunCall(mailgunEvent(event, mail)),
  sendgrid: (event, mail) => sendgridCall([sendgridEvent(event, mail)]),
  generic: (event, mail) => genericCall(event === 'opened' ? [] : [genericEvent(event, mail)]),
};

function sesEvent(event: MailEvent, { message_id, to }: SentMail): object {
  const mail = {
    timestamp: NOW,
    source: 'vigie@vigie.example',
    messageId: '0102015fd91a5ca3-93c245fe-e333-46ae-8fed-96160d20cfab-000000',
    destination: [to],
    headersTruncated: false,
    headers: [{ name: 'From', value: 'vigie@vigie.example' }],
    commonHeaders: { messageId: message_id, subject: 'Relance' },
  };
  const recipient = { emailAddress: to, action: 'failed', status: '5.1.1' };
  const bounce = (bounceType: string) => ({
    eventType: 'Bounce',
    bounce: {
      bounceType,
      bounceSubType: 'General',
      bouncedRecipients: [{ ...recipient, diagnosticCode: `smtp; 550 5.1.1 <${to}>... User unknown` }],
      timestamp: NOW,
    },
    mail,
  });
  switch (event) {
    case 'delivered':
      return {
        notificationType: 'Delivery',
        delivery: { timestamp: NOW, recipients: [to], smtpResponse: '250 ok: Message accepted' },
        mail,
      };
    case 'hard_bounce':
      return bounce('Permanent');
    case 'soft_bounce':
      return bounce('Transient');
    case 'complaint':
      return {
        eventType: 'Complaint',
        complaint: {
          complainedRecipients: [{ emailAddress: to }],
          timestamp: NOW,
          complaintFeedbackType: 'abuse',
        },
        mail,
      };
    case 'opened':
      return { eventType: 'Open', open: { timestamp: NOW }, mail };
  }
}

function postmarkEvent(event: MailEvent, { metadata, to }: SentMail): object {
  const common = {
    MessageID: '883953f4-6105-42a2-a16a-77a8eac79483',
    MessageStream: 'outbound',
    Metadata: { 'vigie-message': metadata },
  };
  const bounce = (RecordType: string, Type: string) => ({
    ...common,
    RecordType,
    ID: Math.floor(Math.random() * 1e9),
    Type,
    Description: 'The server was unable to deliver your message.',
    Details: `smtp;550 5.1.1 <${to}>: user unknown`,
    Email: to,
    BouncedAt: '2026-03-30T06:59:10.2735393-00:00',
  });
  switch (event) {
    case 'delivered':
      return { ...common, RecordType: 'Delivery', Recipient: to, DeliveredAt: NOW, Details: 'accepted' };
    case 'hard_bounce':
      return bounce('Bounce', 'HardBounce');
    case 'soft_bounce':
      return bounce('Bounce', 'SoftBounce');
    case 'complaint':
      return bounce('SpamComplaint', 'SpamComplaint');
    case 'opened':
      return { ...common, RecordType: 'Open', Recipient: to, ReceivedAt: NOW };
  }
}

function mailgunEvent(event: MailEvent, { message_id, to }: SentMail): object {
  const common = {
    id: randomUUID(),
    timestamp: Date.parse(NOW) / 1_000,
    recipient: to,
    message: { headers: { 'message-id': message_id.slice(1, -1), to } },
  };
  const failed = (severity: string, code: number) => ({
    ...common,
    event: 'failed',
    severity,
    reason: 'bounce',
    'delivery-status': { code, message: `${code} 5.1.1 <${to}>: user unknown` },
  });
  switch (event) {
    case 'delivered':
      return { ...common, event: 'delivered', 'delivery-status': { code: 250, message: 'OK' } };
    case 'hard_bounce':
      return failed('permanent', 550);
    case 'soft_bounce':
      return failed('temporary', 452);
    case 'complaint':
      return { ...common, event: 'complained' };
    case 'opened':
      return { ...common, event: 'opened' };
  }
}

function sendgridEvent(event: MailEvent, { message_id, to }: SentMail): object {
  const common = {
    email: to,
    timestamp: Date.parse(NOW) / 1_000,
    'smtp-id': message_id,
    sg_event_id: randomUUID(),
    sg_message_id: '14c5d75ce93.dfd.64b469.filter0001',
  };
  switch (event) {
    case 'delivered':
      return { ...common, event: 'delivered', response: '250 OK' };
    case 'hard_bounce':
      return { ...common, event: 'bounce', type: 'bounce', status: '5.1.1', reason: '550 user unknown' };
    case 'soft_bounce':
      return { ...common, event: 'bounce', type: 'blocked', status: '4.0.0', reason: '421 try later' };
    case 'complaint':
      return { ...common, event: 'spamreport' };
    case 'opened':
      return { ...common, event: 'open', useragent: 'Mozilla/5.0' };
  }
}

function genericEvent(event: Exclude<MailEvent, 'opened'>, { message_id, to }: SentMail): object {
  const common = { id: randomUUID(), message_id, address: to, at: NOW };
  switch (event) {
    case 'delivered':
      return { ...common, event: 'delivered' };
    case 'hard_bounce':
      return { ...common, event: 'bounced', bounce: 'hard', detail: `550 <${to}> user unknown` };
    case 'soft_bounce':
      return { ...common, event: 'bounced', bounce: 'soft' };
    case 'complaint':
      return { ...common, event: 'complained' };
  }
}
