import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { NOTIFICATION_KINDS } from '../../contracts/kind-lists.js';
import type { NotificationKind } from '../../contracts/kinds.js';
import { SEVERITIES, type Severity } from '../../contracts/severities.js';
import { Instant } from '../../platform/http/instant.js';
import { PageQuery } from '../../platform/http/page.dto.js';

export const ALERT_STATES = ['open', 'resolved'] as const;
export type AlertState = (typeof ALERT_STATES)[number];

/** Longer is not a snooze, but a fact that nobody should watch. */
export const MAX_SNOOZE_DAYS = 90;

/** Which alerts of the tenant to list. */
export class AlertsQuery extends PageQuery {
  @ApiPropertyOptional({ enum: ALERT_STATES })
  @IsOptional()
  @IsIn(ALERT_STATES)
  state?: AlertState;

  @ApiPropertyOptional({ enum: NOTIFICATION_KINDS })
  @IsOptional()
  @IsIn(NOTIFICATION_KINDS)
  kind?: NotificationKind;
}

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

  @ApiProperty({ enum: ALERT_STATES })
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
    format: 'uuid',
    nullable: true,
    description: 'null: automatically, or by an API key',
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

/** Until when nobody is notified of an alert. */
export class Snooze {
  // Optional here: whether the alert exists is said first.
  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: `An instant in the future, within ${MAX_SNOOZE_DAYS} days; null ends the snooze`,
  })
  @IsOptional()
  @Instant()
  until?: string | null;
}
