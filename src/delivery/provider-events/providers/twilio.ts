import { parse as parseForm } from 'node:querystring';
import { addressOf, keyOf, textOf, wordsOf } from '../fields.js';
import type { EventProvider, HookRequest, ProviderEvent, ProviderReport } from '../provider-event.js';
import { headerOf, hmac, isSame, requireSignature } from '../signatures.js';

type Meaning = Pick<ProviderEvent, 'name' | 'bounce'>;

/** Replies that end messages to a number; Twilio's own, and the French one. */
const STOP_WORDS = ['STOP', 'STOPALL', 'UNSUBSCRIBE', 'CANCEL', 'END', 'QUIT', 'REVOKE', 'OPTOUT', 'ARRET'];
const START_WORDS = ['START', 'YES', 'UNSTOP'];

/** The recipient has answered STOP. */
const UNSUBSCRIBED = '21610';
/** The number does not exist, or gets no text messages: https://www.twilio.com/docs/api/errors */
const NO_SUCH_NUMBER = ['21211', '21614', '30005', '30006'];
/** Switched off or without a network. */
const UNREACHABLE = ['30003'];

/**
 * Status callbacks and incoming messages, signed with the account's auth token.
 * https://www.twilio.com/docs/usage/webhooks/webhooks-security
 */
export class TwilioEvents implements EventProvider {
  readonly types = ['application/x-www-form-urlencoded'];

  /** @param url of the hook, as Twilio calls it: the public one */
  constructor(
    private readonly authToken: string,
    private readonly url: string,
  ) {}

  read(request: HookRequest): Promise<ProviderReport> {
    const form = parseForm(request.body.toString());
    const signature = headerOf(request, 'x-twilio-signature');
    const signed = spellings(this.url + request.query).map((url) =>
      hmac('sha1', this.authToken, url + parametersOf(form)).toString('base64'),
    );
    requireSignature(signed.filter((expected) => isSame(expected, signature)).length > 0);
    const event = form.MessageStatus === undefined ? replyOf(form) : statusOf(form);
    return Promise.resolve({
      request_key: null,
      events: event === null ? [] : [event],
      ignored: event === null ? 1 : 0,
    });
  }
}

type Form = Readonly<Record<string, string | string[] | undefined>>;

/** Twilio signs the URL with or without its standard port. */
function spellings(url: string): string[] {
  const { protocol, port } = new URL(url);
  if (port !== '') return [url];
  const standard = protocol === 'https:' ? '443' : '80';
  return [url, url.replace(/^(https?:\/\/[^/]+)/, `$1:${standard}`)];
}

/** Names and values without separators, sorted by name; repeated values only once. */
function parametersOf(form: Form): string {
  return Object.keys(form)
    .sort()
    .flatMap((name) => {
      const value = form[name] ?? '';
      const values = Array.isArray(value) ? [...new Set(value)].sort() : [value];
      return values.map((each) => name + each);
    })
    .join('');
}

/** https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks */
function statusOf(form: Form): ProviderEvent | null {
  const meaning = meaningOf(textOf(form.MessageStatus), textOf(form.ErrorCode));
  if (meaning === null) return null;
  const id = textOf(form.MessageSid) ?? textOf(form.SmsSid);
  return {
    ...meaning,
    key: keyOf('status', id, textOf(form.MessageStatus)),
    channel: 'sms',
    message_id: null,
    provider_id: id,
    address: addressOf('sms', form.To),
    detail: wordsOf(form.ErrorCode, form.ErrorMessage),
    at: null,
  };
}

function meaningOf(status: string | null, code: string | null): Meaning | null {
  if (status === 'delivered') return { name: 'delivered', bounce: null };
  if (status !== 'undelivered' && status !== 'failed') return null;
  if (code === UNSUBSCRIBED) return { name: 'stopped', bounce: null };
  if (code !== null && NO_SUCH_NUMBER.includes(code)) return { name: 'bounced', bounce: 'hard' };
  if (code !== null && UNREACHABLE.includes(code)) return { name: 'bounced', bounce: 'soft' };
  return { name: 'failed', bounce: null };
}

/** An incoming message: https://www.twilio.com/docs/messaging/guides/webhook-request */
function replyOf(form: Form): ProviderEvent | null {
  const word = textOf(form.OptOutType) ?? textOf(form.Body) ?? '';
  const plain = word
    .normalize('NFD')
    .replace(/[\p{M}\p{P}\s]/gu, '')
    .toUpperCase();
  const name = STOP_WORDS.includes(plain) ? 'stopped' : START_WORDS.includes(plain) ? 'started' : null;
  const address = addressOf('sms', form.From);
  if (name === null || address === null) return null;
  return {
    name,
    bounce: null,
    key: keyOf('reply', textOf(form.MessageSid) ?? textOf(form.SmsSid)),
    channel: 'sms',
    message_id: null,
    provider_id: null,
    address,
    detail: null,
    at: null,
  };
}
