import { ApiProperty, OmitType, PickType } from '@nestjs/swagger';
import { AUDIENCES } from '../../contracts/audiences.js';
import { type Channel, CHANNELS } from '../../contracts/channels.js';
import { DeliveryDetail, FeedNotification } from '../feed/feed.dto.js';
import { ChannelChain, TraceStep } from './trace-step.dto.js';

/** Why a delivery waited, failed or ended: a row of its history. */
export class DeliveryEvent {
  @ApiProperty({
    enum: [
      'deferred',
      'retried',
      'failed',
      'unknown',
      'returned',
      'requeued',
      'suppressed',
      'cancelled',
      'reset',
    ],
  })
  event: string;

  @ApiProperty({ description: 'Attempts until then' })
  attempt: number;

  @ApiProperty({ type: String, nullable: true })
  reason: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'When it was due again' })
  until: string | null;

  @ApiProperty({ type: String, nullable: true, description: "The provider's answer, without addresses" })
  error: string | null;

  @ApiProperty({ format: 'date-time' })
  at: string;
}

/** A delivery with its history. */
export class TracedDelivery extends OmitType(DeliveryDetail, ['channel'] as const) {
  @ApiProperty({ enum: CHANNELS })
  channel: Channel;

  @ApiProperty({ description: 'Empty where there was none, or it was erased with the user' })
  address: string;

  @ApiProperty()
  created_at: Date;

  @ApiProperty({ type: Date, nullable: true })
  ended_at: Date | null;

  @ApiProperty({ type: [DeliveryEvent], description: 'Oldest first; the latest 100' })
  history: DeliveryEvent[];

  @ApiProperty({
    type: [TraceStep],
    description: 'Every step on this channel; the last one says what it waits for',
  })
  steps: TraceStep[];
}

/** The item that a notification is about. */
export class TracedItem {
  @ApiProperty({ example: 'deadline' })
  type: string;

  @ApiProperty({ format: 'uuid' })
  id: string;
}

/** Somebody else who received the same. */
export class OtherRecipient {
  @ApiProperty({ format: 'uuid', description: 'Id of their notification' })
  notification_id: string;

  @ApiProperty()
  recipient: string;

  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  user_id: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'The name of the user' })
  recipient_name: string | null;

  @ApiProperty({ enum: AUDIENCES })
  audience: string;
}

/** A notification and everything that happened to it. */
export class NotificationTrace extends PickType(FeedNotification, [
  'id',
  'kind',
  'severity',
  'title',
  'body',
  'author',
  'created_at',
  'alert_id',
] as const) {
  @ApiProperty({ type: TracedItem, nullable: true, description: 'What it is about; null for other kinds' })
  item: TracedItem | null;

  @ApiProperty({
    example: 'mailto:claire@example.com',
    description: '`user:<id>`, or a scheme and an address',
  })
  recipient: string;

  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  user_id: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'The name of the user' })
  recipient_name: string | null;

  @ApiProperty({ enum: AUDIENCES, description: 'Why this recipient is notified' })
  audience: string;

  @ApiProperty({
    type: [TraceStep],
    description: 'Before its channels: the run, the fact, the alert, and why this recipient',
  })
  steps: TraceStep[];

  @ApiProperty({ type: [TracedDelivery] })
  deliveries: TracedDelivery[];

  @ApiProperty({ type: [ChannelChain], description: 'Channels that were not used for it, and why' })
  not_used: ChannelChain[];

  @ApiProperty({ type: TraceStep, nullable: true, description: 'Why its alert is not announced again now' })
  again: TraceStep | null;

  @ApiProperty({ type: [OtherRecipient], description: 'For admins; at most 50' })
  others: OtherRecipient[];
}
