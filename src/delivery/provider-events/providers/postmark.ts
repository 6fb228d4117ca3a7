import {
  addressOf,
  type Fields,
  fieldsOf,
  hashedKeyOf,
  instantOf,
  jsonObjectOf,
  keyOf,
  messageIdOf,
  textOf,
  wordsOf,
} from '../fields.js';
import type { EventProvider, HookRequest, ProviderEvent, ProviderReport } from '../provider-event.js';

type Meaning = Pick<ProviderEvent, 'name' | 'bounce'>;

const HARD: Meaning = { name: 'bounced', bounce: 'hard' };
const SOFT: Meaning = { name: 'bounced', bounce: 'soft' };
const COMPLAINED: Meaning = { name: 'complained', bounce: null };
const STOPPED: Meaning = { name: 'stopped', bounce: null };
const FAILED: Meaning = { name: 'failed', bounce: null };

/** The mail header whose value Postmark returns with each event: https://postmarkapp.com/support/article/1125 */
export const POSTMARK_ID_HEADER = 'X-PM-Metadata-vigie-message';
const METADATA_NAME = 'vigie-message';

/** https://postmarkapp.com/developer/api/bounce-api#bounce-types; others, such as automatic replies, say nothing. */
const BOUNCE_TYPES: ReadonlyMap<unknown, Meaning> = new Map(
  Object.entries({
    HardBounce: HARD,
    BadEmailAddress: HARD,
    SoftBounce: SOFT,
    Transient: SOFT,
    DnsError: SOFT,
    Unknown: SOFT,
    SpamNotification: COMPLAINED,
    SpamComplaint: COMPLAINED,
    Unsubscribe: STOPPED,
    Blocked: FAILED,
    VirusNotification: FAILED,
    ManuallyDeactivated: FAILED,
    Unconfirmed: FAILED,
    DMARCPolicy: FAILED,
    SMTPApiError: FAILED,
    TemplateRenderingFailed: FAILED,
  }),
);

/**
 * Postmark signs nothing: the token of the URL is the credential.
 * https://postmarkapp.com/developer/webhooks/webhooks-overview
 */
export class PostmarkEvents implements EventProvider {
  readonly types = ['application/json'];

  read({ body }: HookRequest): Promise<ProviderReport> {
    const event = eventOf(jsonObjectOf(body.toString()));
    return Promise.resolve({
      request_key: null,
      events: event === null ? [] : [event],
      ignored: event === null ? 1 : 0,
    });
  }
}

function eventOf(fields: Fields): ProviderEvent | null {
  const meaning = meaningOf(fields);
  if (meaning === null) return null;
  const { RecordType, ID, MessageID, Metadata, Email, Recipient, Details, Description } = fields;
  const at = fields.BouncedAt ?? fields.DeliveredAt ?? fields.ChangedAt;
  const record = textOf(RecordType);
  return {
    ...meaning,
    key:
      textOf(ID) === null
        ? hashedKeyOf(record, textOf(MessageID), textOf(Recipient), textOf(at))
        : keyOf(record, textOf(ID)),
    channel: 'email',
    message_id: messageIdOf(fieldsOf(Metadata)[METADATA_NAME]),
    provider_id: textOf(MessageID),
    address: addressOf('email', Email ?? Recipient),
    detail: wordsOf(Description, Details),
    at: instantOf(at),
  };
}

function meaningOf({ RecordType, Type, SuppressSending, SuppressionReason }: Fields): Meaning | null {
  switch (RecordType) {
    case 'Bounce':
      return BOUNCE_TYPES.get(Type) ?? null;
    case 'SpamComplaint':
      return COMPLAINED;
    case 'Delivery':
      return { name: 'delivered', bounce: null };
    case 'SubscriptionChange':
      if (SuppressSending !== true) return { name: 'started', bounce: null };
      if (SuppressionReason === 'HardBounce') return HARD;
      return SuppressionReason === 'SpamComplaint' ? COMPLAINED : STOPPED;
    default:
      return null;
  }
}
