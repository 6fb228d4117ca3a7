import { Logger } from '@nestjs/common';
import type { Clock } from '../../../platform/clock/clock.js';
import {
  addressOf,
  type Fields,
  fieldsOf,
  instantOf,
  jsonObjectOf,
  keyOf,
  listOf,
  messageIdOf,
  textOf,
  wordsOf,
} from '../fields.js';
import {
  type EventProvider,
  ForgedEvent,
  type HookRequest,
  type ProviderEvent,
  type ProviderReport,
} from '../provider-event.js';
import { isSame, requireRecent } from '../signatures.js';
import type { SnsMessages } from './sns-messages.js';

/** The time of a message is that of its event: SNS repeats it for up to an hour (maximum of a delivery policy). */
const MESSAGE_AGE_MS = 60 * 60_000;

const NOTHING: ProviderReport = { request_key: null, events: [], ignored: 1 };

type Meaning = Pick<ProviderEvent, 'name' | 'bounce'>;

/**
 * Amazon SES, through a topic of SNS: event publishing and feedback notifications.
 * https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
 */
export class SesEvents implements EventProvider {
  /** SNS calls its JSON plain text. */
  readonly types = ['text/plain', 'application/json'];
  private readonly logger = new Logger('ProviderEvents');

  constructor(
    private readonly topicArn: string,
    private readonly sns: SnsMessages,
    private readonly clock: Clock,
  ) {}

  async read({ body }: HookRequest): Promise<ProviderReport> {
    const message = jsonObjectOf(body.toString());
    // Amazon signs every customer's topics, so the topic must be ours.
    if (!isSame(String(message.TopicArn), this.topicArn)) throw new ForgedEvent('origin');
    await this.sns.verify(message);
    requireRecent(instantOf(message.Timestamp)?.getTime() ?? null, this.clock.now(), MESSAGE_AGE_MS);
    switch (message.Type) {
      case 'SubscriptionConfirmation':
        await this.sns.confirm(message);
        this.logger.log({ event: 'sns_subscription_confirmed' });
        return NOTHING;
      case 'Notification':
        return reportOf(message);
      default:
        return NOTHING;
    }
  }
}

function reportOf({ MessageId, Message }: Fields): ProviderReport {
  const key = textOf(MessageId);
  const text = typeof Message === 'string' ? Message : '';
  // When the topic is set up, SES sends a test message in plain text.
  if (!text.trimStart().startsWith('{')) return NOTHING;
  const fields = jsonObjectOf(text);
  const type = textOf(fields.eventType) ?? textOf(fields.notificationType) ?? '';
  const about = ABOUT.get(type)?.(fields);
  if (about === undefined || about === null) return NOTHING;
  const mail = fieldsOf(fields.mail);
  const events = about.recipients.map(({ address, detail }, place) => ({
    ...about.meaning,
    key: keyOf(key, String(place)),
    channel: 'email' as const,
    message_id: originalId(mail),
    provider_id: textOf(mail.messageId),
    address: addressOf('email', address),
    detail: wordsOf(about.detail, detail),
    at: instantOf(about.at),
  }));
  return { request_key: null, events, ignored: events.length === 0 ? 1 : 0 };
}

/** SES replaces the Message-ID; the headers, if they are included, have ours. */
function originalId({ headers, commonHeaders }: Fields): string | null {
  const header = listOf(headers)
    .map(fieldsOf)
    .find(({ name }) => String(name).toLowerCase() === 'message-id');
  return messageIdOf(header?.value) ?? messageIdOf(fieldsOf(commonHeaders).messageId);
}

interface About {
  meaning: Meaning;
  recipients: readonly { address: unknown; detail: unknown }[];
  detail: unknown;
  at: unknown;
}

const ABOUT: ReadonlyMap<string, (fields: Fields) => About | null> = new Map(
  Object.entries({
    Bounce: ({ bounce }: Fields): About => {
      const { bounceType, bounceSubType, bouncedRecipients, timestamp } = fieldsOf(bounce);
      return {
        meaning: { name: 'bounced', bounce: bounceType === 'Permanent' ? 'hard' : 'soft' },
        recipients: listOf(bouncedRecipients)
          .map(fieldsOf)
          .map(({ emailAddress, diagnosticCode, status }) => ({
            address: emailAddress,
            detail: diagnosticCode ?? status,
          })),
        detail: `${textOf(bounceType) ?? ''} ${textOf(bounceSubType) ?? ''}`,
        at: timestamp,
      };
    },
    Complaint: ({ complaint }: Fields): About | null => {
      const { complainedRecipients, complaintFeedbackType, timestamp } = fieldsOf(complaint);
      // The recipient has said that a mail is no spam.
      if (complaintFeedbackType === 'not-spam') return null;
      return {
        meaning: { name: 'complained', bounce: null },
        recipients: listOf(complainedRecipients)
          .map(fieldsOf)
          .map(({ emailAddress }) => ({ address: emailAddress, detail: null })),
        detail: complaintFeedbackType,
        at: timestamp,
      };
    },
    Delivery: ({ delivery }: Fields): About => {
      const { recipients, smtpResponse, timestamp } = fieldsOf(delivery);
      return {
        meaning: { name: 'delivered', bounce: null },
        recipients: listOf(recipients).map((address) => ({ address, detail: null })),
        detail: smtpResponse,
        at: timestamp,
      };
    },
    Reject: ({ reject, mail }: Fields): About => failed(fieldsOf(reject).reason, fieldsOf(mail)),
    'Rendering Failure': ({ failure, mail }: Fields): About =>
      failed(fieldsOf(failure).errorMessage, fieldsOf(mail)),
  }),
);

function failed(detail: unknown, { destination, timestamp }: Fields): About {
  return {
    meaning: { name: 'failed', bounce: null },
    recipients: listOf(destination).map((address) => ({ address, detail: null })),
    detail,
    at: timestamp,
  };
}
