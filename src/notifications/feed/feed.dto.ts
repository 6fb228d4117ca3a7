import { ApiProperty, ApiPropertyOptional, IntersectionType } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ArrayMaxSize, IsBoolean, IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import { AUDIENCES } from '../../contracts/audiences.js';
import { type PeopleChannel, PEOPLE_CHANNELS } from '../../contracts/channels.js';
import { NOTIFICATION_KINDS } from '../../contracts/kind-lists.js';
import type { NotificationKind } from '../../contracts/kinds.js';
import { SEVERITIES, type Severity } from '../../contracts/severities.js';
import { MAX_UNSEEN, type NotificationView, type UnreadCount } from '../../contracts/socket-messages.js';
import { Instant } from '../../platform/http/instant.js';
import { PageQuery } from '../../platform/http/page.dto.js';
import { ACKNOWLEDGED_BY } from '../alerts/alerts.dto.js';

/** Parses `true` and `false` of a query; anything else stays unchanged and is refused. */
function switchOf({ value }: { value: unknown }): unknown {
  return value === 'true' ? true : value === 'false' ? false : value;
}

/** Splits `a,b` of a query. A repeated parameter becomes a list in a list, which validation refuses. */
function listOf({ value }: { value: unknown }): unknown {
  return typeof value === 'string' ? value.split(',') : [value];
}

/** The filters that a list and `read-all` share. */
export class FeedFilter {
  @ApiPropertyOptional({
    type: String,
    example: 'deadline_near,reminder',
    description: `One or several of these, separated by commas: ${NOTIFICATION_KINDS.join(', ')}`,
  })
  @IsOptional()
  @Transform(listOf)
  @IsIn(NOTIFICATION_KINDS, { each: true })
  @ArrayMaxSize(NOTIFICATION_KINDS.length)
  kind?: NotificationKind[];

  @ApiPropertyOptional({ enum: SEVERITIES })
  @IsOptional()
  @IsIn(SEVERITIES)
  severity?: Severity;

  @ApiPropertyOptional({ format: 'date-time', description: 'Created at this instant or later' })
  @IsOptional()
  @Instant()
  since?: string;
}

/** Which notifications `read-all` marks; without any filter, all. */
export class ReadAllQuery extends FeedFilter {
  @ApiPropertyOptional({
    maxLength: 60,
    description:
      'The `cursor` of a notification: marks only those created up to it, so none that was not shown',
  })
  @IsOptional()
  @IsString()
  @MaxLength(60)
  up_to?: string;
}

/** Filters the user's feed. */
export class FeedQuery extends IntersectionType(PageQuery, FeedFilter) {
  @ApiPropertyOptional({ description: 'true: only unread ones, false: only read ones' })
  @IsOptional()
  @Transform(switchOf)
  @IsBoolean()
  unread?: boolean;

  @ApiPropertyOptional({ description: 'true: include archived ones', default: false })
  @IsOptional()
  @Transform(switchOf)
  @IsBoolean()
  archived: boolean = false;
}

/** The colleague who wrote a message. */
export class NotificationAuthor {
  @ApiProperty()
  name: string;
}

/** A notification in the user's feed. */
export class FeedNotification implements NotificationView {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ enum: NOTIFICATION_KINDS })
  kind: string;

  @ApiProperty({ enum: SEVERITIES })
  severity: string;

  @ApiProperty({ description: "In the reader's language, as of today" })
  title: string;

  @ApiProperty()
  body: string;

  @ApiProperty({
    type: NotificationAuthor,
    nullable: true,
    description: 'The author; null for notifications from Vigie and other programs',
  })
  author: NotificationAuthor | null;

  @ApiProperty({ type: 'object', additionalProperties: true, description: 'What the kind is about' })
  data: Record<string, unknown>;

  @ApiProperty({ format: 'date-time' })
  created_at: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  read_at: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  archived_at: string | null;

  @ApiProperty({
    type: String,
    format: 'uuid',
    nullable: true,
    description: 'The alert that it announces, to acknowledge or snooze it; null without one',
  })
  alert_id: string | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When somebody acknowledged its alert',
  })
  acknowledged_at: string | null;

  @ApiProperty({ type: String, nullable: true, description: ACKNOWLEDGED_BY })
  acknowledged_by: string | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'Until when its alert is snoozed; null once it has passed',
  })
  snoozed_until: string | null;

  @ApiProperty({
    type: String,
    format: 'uri',
    nullable: true,
    description: 'The page of what it is about, by ITEM_URL; null without one',
  })
  url: string | null;

  @ApiProperty({
    description:
      'Value for `since` of a socket, which then re-sends later changes, and for `notifications/seen`',
  })
  cursor: string;
}

export const DELIVERY_STATUSES = ['pending', 'sent', 'failed'] as const;

/** The outcome of a notification on one channel. */
export class FeedDelivery {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ enum: PEOPLE_CHANNELS })
  channel: PeopleChannel;

  @ApiProperty({ enum: DELIVERY_STATUSES })
  status: (typeof DELIVERY_STATUSES)[number];

  @ApiProperty({ description: 'The detail of `status`: the state in the lifecycle of deliveries' })
  state: string;

  @ApiProperty()
  attempts: number;

  @ApiProperty()
  due_at: Date;

  @ApiProperty({ type: String, nullable: true, description: 'Why it waits until due_at' })
  defer_reason: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'Why nothing is sent' })
  reason: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'Error of the last attempt' })
  error: string | null;

  @ApiProperty({ type: String, nullable: true, description: "The provider's own id of the message" })
  provider_id: string | null;

  @ApiProperty({ type: Date, nullable: true })
  sent_at: Date | null;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Text messages that the operator charges for it, once sent; null on other channels',
  })
  segments: number | null;

  @ApiProperty({
    type: String,
    format: 'uuid',
    nullable: true,
    description:
      'The message that carries it, shared by all deliveries sent together; null before it is admitted',
  })
  bundle_id: string | null;

  @ApiProperty({ description: 'Deliveries of that message; 0 before it is admitted' })
  bundle_size: number;

  @ApiProperty({
    type: Date,
    nullable: true,
    description: 'When its provider has reported that it arrived; null if it reports nothing',
  })
  delivered_at: Date | null;
}

/** What a provider has reported of a message after accepting it. The outcome of the delivery stays as it is. */
export class ReportedEvent {
  @ApiProperty({ enum: ['delivered', 'bounced', 'complained', 'stopped', 'started', 'failed'] })
  event: string;

  @ApiProperty({ type: String, enum: ['hard', 'soft', null], nullable: true })
  bounce: string | null;

  @ApiProperty({ example: 'ses' })
  provider: string;

  @ApiProperty({ type: String, nullable: true, description: 'In its own words, without addresses' })
  detail: string | null;

  @ApiProperty({ format: 'date-time' })
  at: string;
}

export const SENT_SUBJECT = 'As sent, or as in the message that carried it; null if nothing was sent';
export const SENT_TEXT = `${SENT_SUBJECT}. Links that need no login are left out. At most 50,000 characters`;

/** The same with the sent text. */
export class DeliveryDetail extends FeedDelivery {
  @ApiProperty({ type: String, nullable: true, description: SENT_SUBJECT })
  sent_subject: string | null;

  @ApiProperty({ type: String, nullable: true, description: SENT_TEXT })
  sent_text: string | null;

  @ApiProperty({ type: [ReportedEvent], description: 'Oldest first' })
  provider_events: ReportedEvent[];
}

/** One notification with its deliveries. */
export class FeedNotificationDetail extends FeedNotification {
  @ApiProperty({ enum: AUDIENCES, description: 'Why this person was notified' })
  audience: string;

  @ApiProperty({ type: [DeliveryDetail] })
  deliveries: DeliveryDetail[];
}

/** A user's counts, as in `unread_count` of a socket. */
export class InboxCount implements UnreadCount {
  @ApiProperty({ description: 'Unread and not archived' })
  unread_count: number;

  @ApiProperty({
    maximum: MAX_UNSEEN,
    description: `Created after what I have seen (\`notifications/seen\`), and not archived; ${MAX_UNSEEN} means as many or more`,
  })
  unseen: number;

  @ApiProperty({ description: 'Both are exact at this seq: ignore an answer or a frame with a smaller seq' })
  seq: number;
}

export class SeenCursor {
  @ApiProperty({
    maxLength: 60,
    description: 'The `cursor` of a notification in my feed: the greatest that is shown, by its number',
  })
  @IsString()
  @MaxLength(60)
  cursor: string;
}

export class UpdatedCount {
  @ApiProperty({ description: 'Number of notifications that changed' })
  updated: number;
}

export class TestEmail {
  @ApiProperty({ format: 'uuid' })
  notification_id: string;
}
