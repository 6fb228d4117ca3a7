import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { type PeopleChannel, PEOPLE_CHANNELS } from '../../contracts/channels.js';
import { NOTIFICATION_KINDS } from '../../contracts/kind-lists.js';
import { PageQuery } from '../../platform/http/page.dto.js';
import { DELIVERY_STATUSES, FeedDelivery, ReportedEvent, SENT_SUBJECT, SENT_TEXT } from '../feed/feed.dto.js';

export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** Filters the caller's deliveries. */
export class DeliveriesQuery extends PageQuery {
  @ApiPropertyOptional({ enum: PEOPLE_CHANNELS })
  @IsOptional()
  @IsIn(PEOPLE_CHANNELS)
  channel?: PeopleChannel;

  @ApiPropertyOptional({ enum: DELIVERY_STATUSES })
  @IsOptional()
  @IsIn(DELIVERY_STATUSES)
  status?: DeliveryStatus;
}

/** A delivery that the caller created or received, with its contents. */
export class OwnDelivery extends FeedDelivery {
  @ApiProperty({ format: 'uuid' })
  notification_id: string;

  @ApiProperty({
    example: 'mailto:claire@example.com',
    description: '`user:<id>`, or a scheme and an address',
  })
  recipient: string;

  @ApiProperty({ example: 'sent', description: "`status` in the reader's language, to be shown as it is" })
  status_label: string;

  @ApiProperty({ enum: NOTIFICATION_KINDS })
  kind: string;

  @ApiProperty()
  title: string;

  @ApiProperty()
  created_at: Date;
}

/** The same with the sent text. */
export class OwnDeliveryDetail extends OwnDelivery {
  @ApiProperty({ type: String, nullable: true, description: SENT_SUBJECT })
  sent_subject: string | null;

  @ApiProperty({ type: String, nullable: true, description: SENT_TEXT })
  sent_text: string | null;

  @ApiProperty({ type: [ReportedEvent], description: 'Oldest first' })
  provider_events: ReportedEvent[];
}
