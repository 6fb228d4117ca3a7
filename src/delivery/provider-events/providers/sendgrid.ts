import { type KeyObject, verify } from 'node:crypto';
import type { Clock } from '../../../platform/clock/clock.js';
import { Problem } from '../../../platform/errors/problem.js';
import {
  addressOf,
  type Fields,
  fieldsOf,
  hashedKeyOf,
  instantOf,
  jsonOf,
  messageIdOf,
  textOf,
  wordsOf,
} from '../fields.js';
import type { EventProvider, HookRequest, ProviderEvent, ProviderReport } from '../provider-event.js';
import { headerOf, requireRecent, requireSignature, secondsOf } from '../signatures.js';

type Meaning = Pick<ProviderEvent, 'name' | 'bounce'>;

/** SendGrid sent nothing, because of an earlier event, or for the reason it gives. */
const DROPPED: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ['bounced address', { name: 'bounced', bounce: 'hard' }],
  ['invalid', { name: 'bounced', bounce: 'hard' }],
  ['spam reporting address', { name: 'complained', bounce: null }],
  ['unsubscribed address', { name: 'stopped', bounce: null }],
]);

/**
 * An ECDSA signature over time and body.
 * https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features
 */
export class SendGridEvents implements EventProvider {
  readonly types = ['application/json'];

  constructor(
    private readonly key: KeyObject,
    private readonly clock: Clock,
  ) {}

  read(request: HookRequest): Promise<ProviderReport> {
    const timestamp = headerOf(request, 'x-twilio-email-event-webhook-timestamp');
    const signature = Buffer.from(headerOf(request, 'x-twilio-email-event-webhook-signature'), 'base64');
    const signed = Buffer.concat([Buffer.from(timestamp), request.body]);
    requireSignature(verify('sha256', signed, this.key, signature));
    requireRecent(secondsOf(timestamp), this.clock.now());
    const list = jsonOf(request.body.toString());
    if (!Array.isArray(list))
      throw new Problem('malformed_request', 'the body must be a JSON list of events');
    const events = list.flatMap((fields) => eventOf(fieldsOf(fields)) ?? []);
    return Promise.resolve({ request_key: null, events, ignored: list.length - events.length });
  }
}

/** https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event */
function eventOf(fields: Fields): ProviderEvent | null {
  const meaning = meaningOf(fields);
  if (meaning === null) return null;
  const { sg_event_id, email, timestamp, status, reason, response } = fields;
  const smtpId = fields['smtp-id'];
  return {
    ...meaning,
    key:
      textOf(sg_event_id) ??
      hashedKeyOf(textOf(fields.event), textOf(smtpId), textOf(email), textOf(timestamp)),
    channel: 'email',
    message_id: messageIdOf(smtpId),
    provider_id: null,
    address: addressOf('email', email),
    detail: wordsOf(status, textOf(reason) ?? response),
    at: instantOf(timestamp),
  };
}

function meaningOf({ event, type, reason }: Fields): Meaning | null {
  switch (event) {
    case 'delivered':
      return { name: event, bounce: null };
    case 'bounce':
      // `blocked`: refused for now, such as by a filter.
      return { name: 'bounced', bounce: type === 'blocked' ? 'soft' : 'hard' };
    case 'dropped':
      return DROPPED.get(String(reason).toLowerCase()) ?? { name: 'failed', bounce: null };
    case 'spamreport':
      return { name: 'complained', bounce: null };
    case 'unsubscribe':
    case 'group_unsubscribe':
      return { name: 'stopped', bounce: null };
    case 'group_resubscribe':
      return { name: 'started', bounce: null };
    default:
      return null;
  }
}
