import { Inject, Injectable } from '@nestjs/common';
import type { Channel } from '../../contracts/channels.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { activeChannels } from '../channels/channels.js';
import { ChannelHealth } from './channel-health.js';

/** Why nothing leaves on a channel now. */
export interface ChannelWait {
  reason: 'channel_off' | 'paused' | 'channel_down';
  /** The server's reply, without addresses. */
  detail: string | null;
  since: Date | null;
  /** When it is tried again; null: while somebody keeps it stopped, or while a probe is running. */
  until: Date | null;
}

/** What keeps waiting messages on their channels, for explanations. */
@Injectable()
export class ChannelWaits {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly health: ChannelHealth,
  ) {}

  /** Those of these channels on which nothing leaves now. */
  async of(channels: readonly Channel[]): Promise<ReadonlyMap<Channel, ChannelWait>> {
    if (channels.length === 0) return new Map();
    const [states, paused] = await Promise.all([this.health.states(channels), this.health.paused(channels)]);
    const active = activeChannels(this.config);
    const waits = new Map<Channel, ChannelWait>();
    for (const channel of channels) {
      const state = states.get(channel);
      if (!active.includes(channel))
        waits.set(channel, { reason: 'channel_off', detail: null, since: null, until: null });
      else if (paused.has(channel))
        waits.set(channel, { reason: 'paused', detail: null, since: null, until: null });
      else if (state?.state === 'down') {
        const { detail, since, next_probe_at: until } = state;
        waits.set(channel, { reason: 'channel_down', detail, since, until });
      }
    }
    return waits;
  }
}
