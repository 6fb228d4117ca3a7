import { Inject, Injectable } from '@nestjs/common';
import type { Channel } from '../../contracts/channels.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { activeChannels } from '../channels/channels.js';
import { ChannelHealth } from './channel-health.js';

/** Why a channel sends nothing now. */
export interface ChannelWait {
  reason: 'channel_off' | 'paused' | 'channel_down';
  /** The server's reply, without addresses. */
  detail: string | null;
  since: Date | null;
  /**
   * When the channel is tried again; null while it is switched off or paused, or while a probe is running.
   */
  until: Date | null;
}

/** Explains why messages wait for their channels. */
@Injectable()
export class ChannelWaits {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly health: ChannelHealth,
  ) {}

  /** The channels among these that send nothing now. */
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
