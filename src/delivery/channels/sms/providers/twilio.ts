import type { Clock } from '../../../../platform/clock/clock.js';
import { exchange, jsonFields, type ProviderAnswer, retryAfter } from '../../request.js';
import { type ChannelFault, SendError, type SendFailure, type SendLease } from '../../sender.js';
import type { OutgoingSms, SmsProvider } from '../sms-provider.js';

/** One Twilio account. */
export interface TwilioSettings {
  account_sid: string;
  auth_token: string;
  /** A number of the account, or a sender id of letters and digits; null with a messaging service. */
  from: string | null;
  messaging_service_sid: string | null;
  /** Where Twilio reports whether a message arrived; null: nowhere. */
  status_url: string | null;
  /** `https://api.twilio.com`; another one for regions and tests. */
  base_url: string;
}

/** Sends by Twilio's Messages resource: https://www.twilio.com/docs/messaging/api/message-resource */
export class TwilioSms implements SmsProvider {
  constructor(
    private readonly settings: TwilioSettings,
    private readonly clock: Clock,
  ) {}

  async send({ to, text }: OutgoingSms, lease: SendLease): Promise<string | null> {
    const { from, messaging_service_sid, status_url } = this.settings;
    const body = new URLSearchParams({
      To: to,
      Body: text,
      ...(messaging_service_sid === null
        ? { From: from ?? '' }
        : { MessagingServiceSid: messaging_service_sid }),
      ...(status_url !== null && { StatusCallback: status_url }),
    });
    const answer = await this.ask('POST', '/Messages.json', body.toString(), lease);
    if (answer.status < 200 || answer.status > 299) throw this.refused(answer);
    const { sid } = jsonFields(answer.body);
    return typeof sid === 'string' ? sid.slice(0, 100) : null;
  }

  /** Reads the account: https://www.twilio.com/docs/iam/api/account */
  async verify(): Promise<void> {
    const answer = await this.ask('GET', '.json', '', null);
    if (answer.status !== 200) throw this.refused(answer);
    const { status } = jsonFields(answer.body);
    if (status !== 'active')
      throw new SendError('channel', `The Twilio account is ${String(status)}`, undefined, 'policy');
  }

  private async ask(method: 'GET' | 'POST', path: string, body: string, lease: SendLease | null) {
    const { account_sid, auth_token, base_url } = this.settings;
    return exchange(
      {
        method,
        url: new URL(`${base_url}/2010-04-01/Accounts/${encodeURIComponent(account_sid)}${path}`),
        headers: {
          authorization: `Basic ${Buffer.from(`${account_sid}:${auth_token}`).toString('base64')}`,
          'content-type': 'application/x-www-form-urlencoded',
          accept: 'application/json',
        },
        body,
      },
      lease,
    );
  }

  private refused({ status, headers, body }: ProviderAnswer): SendError {
    const { code, message } = jsonFields(body);
    const number = typeof code === 'number' ? code : null;
    const { failure, cause, address_stopped } = verdictOf(status, number);
    const words = typeof message === 'string' ? message : `HTTP ${status} without an explanation`;
    return new SendError(
      failure,
      `Twilio: ${words}`,
      retryAfter(headers['retry-after'], this.clock.now().getTime()),
      cause,
      false,
      number === null ? String(status) : `${status} ${number}`,
      address_stopped,
    );
  }
}

interface Verdict {
  failure: SendFailure;
  cause?: ChannelFault;
  address_stopped?: boolean;
}

/**
 * Faults of the account or its sender, by Twilio's error code: no message leaves until somebody changes something.
 * https://www.twilio.com/docs/api/errors
 */
const ACCOUNT_FAULTS: ReadonlyMap<number, ChannelFault> = new Map([
  [20003, 'login'], // permission denied: wrong token, or no balance
  [20005, 'policy'], // account not active
  [20006, 'login'],
  [20404, 'misconfigured'],
  [21212, 'misconfigured'], // From is not a valid number
  [21603, 'misconfigured'], // From is missing
  [21606, 'misconfigured'], // From cannot send text messages
  [21611, 'quota'], // the sender's queue is full
  [21659, 'misconfigured'], // From is not a number of this account
  [21660, 'misconfigured'],
  [21701, 'misconfigured'], // the messaging service does not exist
  [21703, 'misconfigured'], // the messaging service has no numbers
  [30002, 'policy'], // account suspended
  [63038, 'quota'], // daily limit of the account
]);
/** Unsubscribed recipient: they have answered STOP to this sender. */
const STOPPED = 21610;

/** A refusal that names its reason, or a 4xx: this message was not accepted. After another 5xx it may have been. */
function verdictOf(status: number, code: number | null): Verdict {
  const cause = code === null ? undefined : ACCOUNT_FAULTS.get(code);
  if (cause !== undefined) return { failure: 'channel', cause };
  if (code === STOPPED) return { failure: 'permanent', address_stopped: true };
  if (status === 429) return { failure: 'channel', cause: 'quota' };
  if (status === 503) return { failure: 'retryable' };
  if (status === 401 || status === 403) return { failure: 'channel', cause: 'login' };
  if (status === 404) return { failure: 'channel', cause: 'misconfigured' };
  if (status >= 300 && status < 400) return { failure: 'channel', cause: 'misconfigured' };
  if (status >= 500) return { failure: 'ambiguous' };
  return { failure: 'permanent' };
}
