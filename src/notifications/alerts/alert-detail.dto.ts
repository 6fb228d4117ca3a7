import { ApiProperty, PickType } from '@nestjs/swagger';
import { type Channel, CHANNELS } from '../../contracts/channels.js';
import { FeedDelivery } from '../feed/feed.dto.js';
import { AlertView } from './alerts.dto.js';

const OUTCOME = [
  'id',
  'status',
  'state',
  'due_at',
  'defer_reason',
  'reason',
  'sent_at',
  'delivered_at',
] as const;

/** A message about an alert, and what happened to it. */
export class AlertDelivery extends PickType(FeedDelivery, OUTCOME) {
  @ApiProperty({ enum: CHANNELS })
  channel: Channel;

  @ApiProperty({ example: 'sent', description: "`status` in the reader's language, to be shown as it is" })
  status_label: string;

  @ApiProperty({ type: String, nullable: true, description: 'Error of the last attempt; null for members' })
  error: string | null;
}

/** Somebody who was notified of an alert. */
export class AlertRecipient {
  @ApiProperty({ format: 'uuid' })
  notification_id: string;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Name of the user, or the shown URL of an endpoint, which members do not see. Else null',
  })
  name: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    example: 'mailto:claire@example.com',
    description: '`user:<id>`, or a scheme and an address or endpoint, which members do not see (null)',
  })
  recipient: string | null;

  @ApiProperty()
  notified_at: Date;

  @ApiProperty({ type: [AlertDelivery], description: 'Empty: only in the feed' })
  deliveries: AlertDelivery[];
}

/** An alert with its text, and who was notified of it. */
export class AlertDetail extends AlertView {
  @ApiProperty({ description: "In the reader's language, as of today" })
  body: string;

  @ApiProperty({ type: [AlertRecipient], description: 'The newest first, at most 200 messages' })
  notified: AlertRecipient[];
}
