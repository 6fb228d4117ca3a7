import type { Clock } from '../../../platform/clock/clock.js';
import {
  addressOf,
  type Fields,
  fieldsOf,
  instantOf,
  jsonObjectOf,
  keyOf,
  messageIdOf,
  textOf,
  wordsOf,
} from '../fields.js';
import type { EventProvider, HookRequest, ProviderEvent, ProviderReport } from '../provider-event.js';
import { hmac, isSame, requireRecent, requireSignature, secondsOf } from '../signatures.js';

type Meaning = Pick<ProviderEvent, 'name' | 'bounce'>;

/** Mailgun sent nothing, because of an earlier event. */
const SUPPRESSED: ReadonlyMap<unknown, Meaning> = new Map<string, Meaning>([
  ['suppress-bounce', { name: 'bounced', bounce: 'hard' }],
  ['suppress-complaint', { name: 'complained', bounce: null }],
  ['suppress-unsubscribe', { name: 'stopped', bounce: null }],
]);

/**
 * The signature covers a time and a token, not the event: each token counts once.
 * https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks
 */
export class MailgunEvents implements EventProvider {
  readonly types = ['application/json'];

  constructor(
    private readonly signingKey: string,
    private readonly clock: Clock,
  ) {}

  read({ body }: HookRequest): Promise<ProviderReport> {
    const fields = jsonObjectOf(body.toString());
    const { timestamp, token, signature } = fieldsOf(fields.signature);
    const signed = hmac('sha256', this.signingKey, `${String(timestamp)}${String(token)}`).toString('hex');
    requireSignature(typeof token === 'string' && isSame(signed, String(signature).toLowerCase()));
    requireRecent(secondsOf(timestamp), this.clock.now());
    const event = eventOf(fieldsOf(fields['event-data']));
    return Promise.resolve({
      request_key: keyOf('token', String(token)),
      events: event === null ? [] : [event],
      ignored: event === null ? 1 : 0,
    });
  }
}

/** https://documentation.mailgun.com/docs/mailgun/user-manual/events/event-structure */
function eventOf(fields: Fields): ProviderEvent | null {
  const meaning = meaningOf(fields);
  if (meaning === null) return null;
  const { id, timestamp, recipient, message, reason } = fields;
  const status = fieldsOf(fields['delivery-status']);
  return {
    ...meaning,
    // An id is unique within a day only.
    key: keyOf('event', textOf(id), textOf(timestamp)),
    channel: 'email',
    message_id: messageIdOf(fieldsOf(fieldsOf(message).headers)['message-id']),
    provider_id: null,
    address: addressOf('email', recipient),
    detail: wordsOf(reason, status.code, textOf(status.message) ?? status.description),
    at: instantOf(timestamp),
  };
}

function meaningOf(fields: Fields): Meaning | null {
  const { event, severity, reason } = fields;
  switch (event) {
    case 'delivered':
      return { name: event, bounce: null };
    case 'complained':
      return { name: event, bounce: null };
    case 'unsubscribed':
      return { name: 'stopped', bounce: null };
    case 'rejected':
      return { name: 'failed', bounce: null };
    case 'failed': {
      const suppressed = SUPPRESSED.get(reason);
      if (suppressed !== undefined) return suppressed;
      const { code } = fieldsOf(fields['delivery-status']);
      // `old`: given up after hours of temporary failures.
      const isHard =
        severity === 'permanent' && reason !== 'old' && (typeof code !== 'number' || code >= 500);
      return { name: 'bounced', bounce: isHard ? 'hard' : 'soft' };
    }
    default:
      return null;
  }
}
