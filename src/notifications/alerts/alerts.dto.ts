import { ApiProperty, ApiPropertyOptional, IntersectionType } from '@nestjs/swagger';
import { IsIn, IsOptional, IsUUID } from 'class-validator';
import { NOTIFICATION_KINDS } from '../../contracts/kind-lists.js';
import type { NotificationKind } from '../../contracts/kinds.js';
import { SEVERITIES, type Severity } from '../../contracts/severities.js';
import { Instant } from '../../platform/http/instant.js';
import { Line } from '../../platform/http/text.js';
import { bulkBody } from '../../platform/lists/bulk-act.js';
import { CountedPageQuery, Sort } from '../../platform/lists/list-query.js';
import { ALERT_ORDERS } from './alert-list.sql.js';

/** An alert has the last of these states that applies. In order of urgency, the most urgent first. */
export const ALERT_STATES = ['open', 'snoozed', 'acknowledged', 'resolved'] as const;
export type AlertState = (typeof ALERT_STATES)[number];

/** Longer is not a snooze, but a fact that nobody should watch. */
export const MAX_SNOOZE_DAYS = 90;

const UNTIL = {
  type: String,
  format: 'date-time',
  nullable: true,
  description: `An instant in the future, within ${MAX_SNOOZE_DAYS} days; null ends the snooze`,
} as const;

/** Which alerts of the tenant a list has, and which ones a bulk act changes. */
export class AlertFilter {
  @ApiPropertyOptional({ enum: ALERT_STATES })
  @IsOptional()
  @IsIn(ALERT_STATES)
  state?: AlertState;

  @ApiPropertyOptional({ enum: NOTIFICATION_KINDS })
  @IsOptional()
  @IsIn(NOTIFICATION_KINDS)
  kind?: NotificationKind;

  @ApiPropertyOptional({ enum: SEVERITIES })
  @IsOptional()
  @IsIn(SEVERITIES)
  severity?: Severity;

  @ApiPropertyOptional({ maxLength: 100, example: 'backup_job' })
  @IsOptional()
  @Line(100)
  source_type?: string;

  @ApiPropertyOptional({ format: 'uuid', description: 'All alerts about this item, also ended ones' })
  @IsOptional()
  @IsUUID()
  source_id?: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'first_seen_at is this instant or later' })
  @IsOptional()
  @Instant()
  since?: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'first_seen_at is earlier than this instant' })
  @IsOptional()
  @Instant()
  until?: string;

  @ApiPropertyOptional({
    maxLength: 200,
    description:
      'Part of what the fact is about (title, client, agent, database, company, city), without regard to case and accents',
  })
  @IsOptional()
  @Line(200)
  q?: string;
}

/** The position of a page of alerts, and their order. */
class AlertPageQuery extends CountedPageQuery {
  @Sort(ALERT_ORDERS)
  sort?: string;
}

/** A list of alerts. */
export class AlertsQuery extends IntersectionType(AlertFilter, AlertPageQuery) {}

/** The alerts of a bulk act. */
export class AlertsBulk extends bulkBody('AlertsBulk', AlertFilter) {}

export const ACKNOWLEDGED_BY =
  'Name of the user who acknowledged; null: a program, an address without a user, or a user who was erased';

/** A fact that people were notified of. */
export class AlertView {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ enum: NOTIFICATION_KINDS })
  kind: NotificationKind;

  @ApiProperty({ enum: SEVERITIES })
  severity: Severity;

  @ApiProperty({ description: 'What the fact is about; `event:` and the kind for a reported event' })
  source_type: string;

  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  source_id: string | null;

  @ApiProperty({ description: 'Key of the fact, without its stage' })
  dedupe_key: string;

  @ApiProperty({ description: 'Last announced stage in days before the due date; negative after it' })
  stage: number;

  @ApiProperty({ description: "In the reader's language, as of today" })
  title: string;

  @ApiProperty({
    enum: ALERT_STATES,
    description: 'resolved: silenced manually, or its fact has cleared (`gone_at`)',
  })
  state: AlertState;

  @ApiProperty({ description: 'Number of checks that found the fact, or of reports of the event' })
  occurrences: number;

  @ApiProperty()
  first_seen_at: Date;

  @ApiProperty()
  last_seen_at: Date;

  @ApiProperty({ type: Date, nullable: true, description: 'When the fact cleared' })
  gone_at: Date | null;

  @ApiProperty({ type: Date, nullable: true })
  resolved_at: Date | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Name of the user; null: automatically, a program, or a user who was erased',
  })
  resolved_by: string | null;

  @ApiProperty({
    type: Date,
    nullable: true,
    description: 'Somebody takes care of it: nobody is notified again until its fact clears',
  })
  acknowledged_at: Date | null;

  @ApiProperty({ type: String, nullable: true, description: ACKNOWLEDGED_BY })
  acknowledged_by: string | null;

  @ApiProperty({
    type: Date,
    nullable: true,
    description: 'Nobody is notified again before; null once it has passed',
  })
  snoozed_until: Date | null;
}

/** A snooze of many alerts. */
export class AlertsSnooze extends bulkBody('AlertsSnoozeRows', AlertFilter) {
  @ApiProperty(UNTIL)
  @IsOptional()
  @Instant()
  until?: string | null;
}

/** Until when nobody is notified of an alert. */
export class Snooze {
  // Optional here, so that an unknown alert is reported before a missing instant.
  @ApiProperty(UNTIL)
  @IsOptional()
  @Instant()
  until?: string | null;
}
