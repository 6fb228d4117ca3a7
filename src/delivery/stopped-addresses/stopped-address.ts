/** The channels whose addresses their owners or providers can stop. */
export const STOPPABLE_CHANNELS = ['email', 'sms'] as const;
export type StoppableChannel = (typeof STOPPABLE_CHANNELS)[number];

/** `stop`: its owner has unsubscribed. Stored with the address. */
export const STOP_REASONS = ['hard_bounce', 'complaint', 'stop'] as const;
export type StopReason = (typeof STOP_REASONS)[number];

/** An address to which nothing more is sent. */
export interface StoppedAddress {
  id: string;
  channel: StoppableChannel;
  /** Lower case. */
  address: string;
  reason: StopReason;
  since: Date;
}

/** What stops an address. */
export interface NewStop {
  channel: StoppableChannel;
  address: string;
  reason: StopReason;
  /** The provider that reported it; null if a message to the address was refused. */
  provider: string | null;
  delivery_id: string;
}

export function isStoppable(channel: string): channel is StoppableChannel {
  return (STOPPABLE_CHANNELS as readonly string[]).includes(channel);
}
