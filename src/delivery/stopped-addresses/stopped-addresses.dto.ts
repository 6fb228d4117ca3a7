import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { PageQuery } from '../../platform/http/page.dto.js';
import {
  STOP_REASONS,
  STOPPABLE_CHANNELS,
  type StoppableChannel,
  type StopReason,
} from './stopped-address.js';

export class StoppedAddressesQuery extends PageQuery {
  @ApiPropertyOptional({ enum: STOPPABLE_CHANNELS })
  @IsOptional()
  @IsIn(STOPPABLE_CHANNELS)
  channel?: StoppableChannel;
}

/** An address to which nothing more is sent on this channel. */
export class StoppedAddressView {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ enum: STOPPABLE_CHANNELS })
  channel: StoppableChannel;

  @ApiProperty({ example: 'claire@example.com', description: 'In lower case' })
  address: string;

  @ApiProperty({ enum: STOP_REASONS, description: '`stop`: its owner has unsubscribed' })
  reason: StopReason;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'The provider that reported it; null if it refused a message to this address',
  })
  provider: string | null;

  @ApiProperty({
    type: String,
    format: 'uuid',
    nullable: true,
    description: 'The delivery that it was about',
  })
  delivery_id: string | null;

  @ApiProperty()
  since: Date;
}
