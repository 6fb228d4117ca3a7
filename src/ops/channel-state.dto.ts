import { ApiProperty } from '@nestjs/swagger';
import type { ChannelState } from '../delivery/channel-health/channel-health.js';
import { CHANNEL_FAULTS } from '../delivery/channels/sender.js';

/** A channel, as operators see it. */
export class ChannelStateView implements ChannelState {
  @ApiProperty({ enum: ['up', 'down'] })
  state: ChannelState['state'];

  @ApiProperty({ enum: CHANNEL_FAULTS, nullable: true })
  cause: ChannelState['cause'];

  @ApiProperty({ type: String, nullable: true, description: 'The reply of the server, without addresses' })
  detail: string | null;

  @ApiProperty({ type: Date, nullable: true })
  since: Date | null;

  @ApiProperty({ type: Date, nullable: true, description: 'null while a probe is under way' })
  next_probe_at: Date | null;
}
