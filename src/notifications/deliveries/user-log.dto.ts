import { ApiProperty } from '@nestjs/swagger';
import { type Channel, CHANNELS } from '../../contracts/channels.js';
import { NOTIFICATION_KINDS } from '../../contracts/kind-lists.js';
import { DELIVERY_STATUSES } from '../feed/feed.dto.js';
import type { DeliveryStatus } from './deliveries.dto.js';

/** A send to a user: what, about what, on which channel, and its outcome. */
export class LoggedSend {
  @ApiProperty({ format: 'uuid', description: 'Id of the delivery' })
  id: string;

  @ApiProperty({ format: 'uuid' })
  notification_id: string;

  @ApiProperty({ format: 'uuid' })
  user_id: string;

  @ApiProperty({ enum: NOTIFICATION_KINDS })
  kind: string;

  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  ticket_id: string | null;

  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  reminder_id: string | null;

  @ApiProperty({ enum: CHANNELS })
  channel: Channel;

  @ApiProperty({ description: 'As sent; until then as it would be sent now' })
  subject: string;

  @ApiProperty({
    description: 'As sent, without links that need no login; until then as it would be sent now',
  })
  message: string;

  @ApiProperty({ enum: DELIVERY_STATUSES })
  status: DeliveryStatus;

  @ApiProperty({ example: 'sent', description: "`status` in the user's language, to be shown as it is" })
  status_label: string;

  @ApiProperty({ description: 'The detail of `status`: the state in the lifecycle of deliveries' })
  state: string;

  @ApiProperty({ type: String, nullable: true, description: 'Why nothing is sent' })
  reason: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'Error of the last attempt' })
  error: string | null;

  @ApiProperty({ type: Date, nullable: true })
  sent_at: Date | null;

  @ApiProperty()
  created_at: Date;
}
