import type { Channel } from '../../contracts/notification-kinds.js';
import type { JobName } from '../../contracts/jobs.js';
import type { Config } from '../../platform/config/config.js';
import { parseEmailAddress } from './email/address.js';

/** What the dispatcher needs to know of a channel. One line each: the registry. */
export interface ChannelTraits {
  /** The job that sends one delivery. */
  job: JobName & `send-${string}`;
  /** What a bare address begins with in `notifications.recipient`. */
  scheme: 'mailto' | 'tel';
  /** The address, normalised, if it is one that this channel can send to. */
  parseAddress(written: string): string | null;
  /** How often a send whose end is not known may be repeated before a person has to decide. */
  ambiguous_repeats: number;
  /** Whether this installation has what it takes to send on it. */
  configured(config: Config): boolean;
  /** The switch of this channel; off, its deliveries wait. */
  enabled(config: Config): boolean;
  /** How many one worker process sends at the same time. */
  concurrency(config: Config): number;
}

export const CHANNEL_TRAITS: Record<Channel, ChannelTraits> = {
  email: {
    job: 'send-mail',
    scheme: 'mailto',
    parseAddress: parseEmailAddress,
    ambiguous_repeats: 1,
    configured: (config) => config.smtpHost !== null,
    enabled: (config) => config.emailEnabled,
    concurrency: (config) => config.mailConcurrency,
  },
};

/** The channels that this installation can send on. */
export function configuredChannels(config: Config): Channel[] {
  const all = Object.entries(CHANNEL_TRAITS) as [Channel, ChannelTraits][];
  return all.filter(([, traits]) => traits.configured(config)).map(([channel]) => channel);
}

/** Those of them that are switched on. */
export function activeChannels(config: Config): Channel[] {
  if (!config.notificationsEnabled) return [];
  return configuredChannels(config).filter((channel) => CHANNEL_TRAITS[channel].enabled(config));
}
