import { ApiProperty, ApiPropertyOptional, OmitType } from '@nestjs/swagger';
import { IsIn, IsOptional, IsUUID } from 'class-validator';
import { type Channel, CHANNELS } from '../../contracts/channels.js';
import { NOTIFICATION_KINDS } from '../../contracts/kind-lists.js';
import type { NotificationKind } from '../../contracts/kinds.js';
import { SEVERITIES } from '../../contracts/severities.js';
import { Instant } from '../../platform/http/instant.js';
import { Line } from '../../platform/http/text.js';
import { CountedPageQuery, Flag, Sort } from '../../platform/lists/list-query.js';
import { DELIVERY_STATUSES, FeedDelivery } from '../feed/feed.dto.js';
import type { DeliveryStatus } from './deliveries.dto.js';
import { DELIVERY_ORDERS } from './tenant-deliveries.sql.js';

/** The states of the lifecycle of deliveries. */
export const DELIVERY_STATES = [
  'pending',
  'queued',
  'sending',
  'sent',
  'failed',
  'suppressed',
  'cancelled',
  'unknown',
] as const;

/** Which deliveries of the tenant, and in which order. */
export class TenantDeliveriesQuery extends CountedPageQuery {
  @Sort(
    DELIVERY_ORDERS,
    '. `due_at` and `recipient` sort the newest 50,000 deliveries that the filters find and the caller may read: ' +
      '`until` sorts older ones',
  )
  sort?: string;

  @Flag('true: the answer has `count`, the number of rows of this filter, counted up to 50,000')
  override count?: boolean = undefined;

  @ApiPropertyOptional({ enum: CHANNELS })
  @IsOptional()
  @IsIn(CHANNELS)
  channel?: Channel;

  @ApiPropertyOptional({ enum: DELIVERY_STATUSES })
  @IsOptional()
  @IsIn(DELIVERY_STATUSES)
  status?: DeliveryStatus;

  @ApiPropertyOptional({ enum: DELIVERY_STATES })
  @IsOptional()
  @IsIn(DELIVERY_STATES)
  state?: (typeof DELIVERY_STATES)[number];

  @ApiPropertyOptional({ enum: NOTIFICATION_KINDS })
  @IsOptional()
  @IsIn(NOTIFICATION_KINDS)
  kind?: NotificationKind;

  @ApiPropertyOptional({ format: 'uuid', description: 'The recipient' })
  @IsOptional()
  @IsUUID()
  user_id?: string;

  @ApiPropertyOptional({ format: 'uuid', description: 'The alert that they announce' })
  @IsOptional()
  @IsUUID()
  alert_id?: string;

  @ApiPropertyOptional({ format: 'uuid', description: 'The message that carries them' })
  @IsOptional()
  @IsUUID()
  bundle_id?: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'Created at this instant or later' })
  @IsOptional()
  @Instant()
  since?: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'Created before this instant' })
  @IsOptional()
  @Instant()
  until?: string;

  @ApiPropertyOptional({
    format: 'date-time',
    description: 'Sent, failed or given up at this instant or later',
  })
  @IsOptional()
  @Instant()
  ended_since?: string;

  @ApiPropertyOptional({ maxLength: 60, example: 'preference', description: 'Why it was not sent: a code' })
  @IsOptional()
  @Line(60)
  reason?: string;

  @ApiPropertyOptional({ enum: ['people', 'webhooks'], description: 'To whom; default: both' })
  @IsOptional()
  @IsIn(['people', 'webhooks'])
  to?: 'people' | 'webhooks';

  @ApiPropertyOptional({
    maxLength: 200,
    description:
      "Part of the recipient's name or address, of the sent subject, or of a text of the fact, without regard to case " +
      'and accents. Searches the newest 50,000 deliveries that match the other filters and that the caller may read; ' +
      '`until` searches older ones',
  })
  @IsOptional()
  @Line(200)
  q?: string;
}

/** A delivery of the tenant. */
export class TenantDelivery extends OmitType(FeedDelivery, ['channel'] as const) {
  @ApiProperty({ enum: CHANNELS })
  channel: Channel;

  @ApiProperty({ format: 'uuid' })
  notification_id: string;

  @ApiProperty({ enum: NOTIFICATION_KINDS })
  kind: string;

  @ApiProperty({ enum: SEVERITIES })
  severity: string;

  @ApiProperty({ description: "In the reader's language, as of today" })
  title: string;

  @ApiProperty({
    example: 'mailto:claire@example.com',
    description: '`user:<id>`, or a scheme and an address',
  })
  recipient: string;

  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  user_id: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'The name of the user, or the URL of the webhook; null for bare addresses',
  })
  recipient_name: string | null;

  @ApiProperty()
  created_at: Date;

  @ApiProperty({ type: Date, nullable: true, description: 'When it was sent, failed or was given up' })
  ended_at: Date | null;
}
