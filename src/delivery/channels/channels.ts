import type { Type } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { type JobName, JOBS, type QueueName } from '../../contracts/jobs.js';
import { type Channel, CHANNELS } from '../../contracts/channels.js';
import type { Config } from '../../platform/config/config.js';
import { parseEmailAddress } from '../../platform/addresses/email-address.js';
import { parsePhoneNumber } from '../../platform/addresses/phone-number.js';
import { EmailChannel } from './email/email.channel.js';
import { EmailModule } from './email/email.module.js';
import { PushChannel } from './push/push.channel.js';
import { PushModule } from './push/push.module.js';
import { SmsChannel } from './sms/sms.channel.js';
import { SmsModule } from './sms/sms.module.js';
import { MAX_SMS_LENGTH, writtenSms } from '../../wording/sms/sms-text.js';
import { KNOWN_ENDPOINTS } from './webhook/endpoints/known-endpoints.sql.js';
import { WebhookChannel } from './webhook/webhook.channel.js';
import { WebhookModule } from './webhook/webhook.module.js';
import { WEBHOOK_RETRIES } from './webhook/schedule.js';
import type { ChannelRetries, ChannelSender } from './sender.js';

/** How the addresses of a channel work, each by itself. */
export interface AddressHealth {
  /** Most messages in flight to an address that works. Any other address has one at a time: its probe. */
  most: number;
  /** SQL: `address` and `failing` of the addresses that fail, and of those that work and had a success since $1. */
  known: string;
}

/** Everything delivery needs to know about a channel, one registry entry each. */
export interface ChannelTraits {
  /** Provides the sender, or null if the channel is not configured. */
  module: Type<unknown>;
  sender: Type<ChannelSender>;
  /** The job that sends one delivery. */
  job: JobName & `send-${string}`;
  /** The service it sends through, as shown by the connection test. */
  service: string;
  /** The prefix of a bare address in `notifications.recipient`. */
  scheme: 'mailto' | 'tel' | 'device' | 'webhook';
  /** The normalized address, if this channel can send to it. */
  parseAddress(written: string): string | null;
  /**
   * The addresses of the user `u`, each with its own delivery: an SQL expression of type text[]. Without an address it
   * is null, empty, or has a null element.
   */
  userAddresses: string;
  /** The longest text that somebody may write for it, in characters; without one its subject is required. */
  maxLength?: number;
  /** How many messages the provider charges for a written text. */
  segments?: (text: string, config: Config) => number;
  /** One message may carry several notifications. */
  bundles: boolean;
  /**
   * Operating hours, quiet hours and limits per recipient apply to its messages, because its recipients are
   * people.
   */
  holds: boolean;
  /**
   * Each address has its own health, so that a broken address does not block others. Null: the channel is up or down
   * as a whole.
   */
  addressHealth: AddressHealth | null;
  /** When a refused or ambiguous message is sent again. */
  retries(config: Config): ChannelRetries;
  /** Whether this installation is configured for it. */
  configured(config: Config): boolean;
  /** The channel's switch; while it is off, its deliveries wait. */
  enabled(config: Config): boolean;
}

export const CHANNEL_TRAITS: Readonly<Record<Channel, ChannelTraits>> = {
  email: {
    module: EmailModule,
    sender: EmailChannel,
    job: 'send-mail',
    service: 'smtp',
    scheme: 'mailto',
    parseAddress: parseEmailAddress,
    userAddresses: 'ARRAY[u.email]',
    bundles: true,
    holds: true,
    addressHealth: null,
    retries: (config) => ({ ...exponential(config), ambiguous_repeats: 1 }),
    configured: (config) => config.smtpHost !== null,
    enabled: (config) => config.emailEnabled,
  },
  sms: {
    module: SmsModule,
    sender: SmsChannel,
    job: 'send-sms',
    service: 'sms',
    scheme: 'tel',
    parseAddress: parsePhoneNumber,
    userAddresses: 'ARRAY[u.phone]',
    maxLength: MAX_SMS_LENGTH,
    segments: (text, config) => writtenSms(text, config.smsTransliterate).segments,
    bundles: true,
    holds: true,
    addressHealth: null,
    // Each one costs money and reads as a mistake when it arrives twice.
    retries: (config) => ({ ...exponential(config), ambiguous_repeats: 0 }),
    configured: (config) => config.smsProvider !== 'none',
    enabled: (config) => config.smsEnabled,
  },
  push: {
    module: PushModule,
    sender: PushChannel,
    job: 'send-push',
    service: 'push',
    scheme: 'device',
    // Only its user knows a device: a push has no bare address.
    parseAddress: () => null,
    userAddresses: `(SELECT array_agg(v.id::text ORDER BY v.id) FROM devices v
                     WHERE v.tenant_id = u.tenant_id AND v.user_id = u.id)`,
    bundles: true,
    holds: true,
    addressHealth: null,
    // A device shows a repeated push once, by its id.
    retries: (config) => ({ ...exponential(config), ambiguous_repeats: 1 }),
    configured: (config) => config.fcmServiceAccountFile !== null || config.vapidPublicKey !== null,
    enabled: (config) => config.pushEnabled,
  },
  webhook: {
    module: WebhookModule,
    sender: WebhookChannel,
    job: 'send-webhook',
    service: 'webhook',
    scheme: 'webhook',
    parseAddress: (written) => (isUUID(written) ? written.toLowerCase() : null),
    // Endpoints are recipients themselves: users have no address on this channel.
    userAddresses: 'NULL::text[]',
    bundles: false,
    holds: false,
    addressHealth: { most: 5, known: KNOWN_ENDPOINTS },
    retries: () => WEBHOOK_RETRIES,
    configured: () => true,
    enabled: (config) => config.webhooksEnabled,
  },
};

/** Retries as configured for the installation. */
function exponential({ retryMaxAttempts, retryDelaySeconds }: Config) {
  const delays_ms = Array.from(
    { length: retryMaxAttempts - 1 },
    (_, retry) => retryDelaySeconds * 1_000 * 2 ** retry,
  );
  return { delays_ms };
}

/** The channels that this installation can send on. */
export function configuredChannels(config: Config): Channel[] {
  return CHANNELS.filter((channel) => CHANNEL_TRAITS[channel].configured(config));
}

/** The configured channels that are switched on. */
export function activeChannels(config: Config): Channel[] {
  if (!config.notificationsEnabled) return [];
  return configuredChannels(config).filter((channel) => CHANNEL_TRAITS[channel].enabled(config));
}

/** The queue that carries the deliveries of a channel. */
export function queueOf(channel: Channel): QueueName {
  return JOBS[CHANNEL_TRAITS[channel].job].queue;
}

/** The channel whose deliveries this queue carries. */
export function channelOf(queue: QueueName): Channel {
  const channel = CHANNELS.find((each) => queueOf(each) === queue);
  if (channel === undefined) throw new Error(`the queue ${queue} carries no deliveries`);
  return channel;
}
