import type { Type } from '@nestjs/common';
import { type JobName, JOBS, type QueueName } from '../../contracts/jobs.js';
import { type Channel, CHANNELS } from '../../contracts/channels.js';
import type { Config } from '../../platform/config/config.js';
import { parseEmailAddress } from '../../platform/addresses/email-address.js';
import { EmailChannel } from './email/email.channel.js';
import { EmailModule } from './email/email.module.js';
import type { ChannelRetries, ChannelSender } from './sender.js';

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
  scheme: 'mailto' | 'tel';
  /** The normalized address, if this channel can send to it. */
  parseAddress(written: string): string | null;
  /**
   * The addresses of the user `u`, each with its own delivery: an SQL expression of type text[]. Without an address it
   * is null, empty, or has a null element.
   */
  userAddresses: string;
  /** One message may carry several notifications. */
  bundles: boolean;
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
    retries: (config) => ({ ...exponential(config), ambiguous_repeats: 1 }),
    configured: (config) => config.smtpHost !== null,
    enabled: (config) => config.emailEnabled,
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
