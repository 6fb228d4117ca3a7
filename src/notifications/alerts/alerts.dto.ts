import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { NOTIFICATION_KINDS } from '../../contracts/kind-lists.js';
import type { NotificationKind } from '../../contracts/kinds.js';
import { SEVERITIES, type Severity } from '../../contracts/severities.js';
import { PageQuery } from '../../platform/http/page.dto.js';

export const ALERT_STATES = ['open', 'resolved'] as const;
export type AlertState = (typeof ALERT_STATES)[number];

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

/** A fact that people were notified of. */
export class AlertView {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ enum: NOTIFICATION_KINDS })
  kind: NotificationKind;

  @ApiProperty({ enum: SEVERITIES })
  severity: Severity;

  @ApiProperty({ description: 'What the fact is about; `event:` and its own kind for a reported one' })
  source_type: string;

  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  source_id: string | null;

  @ApiProperty({ description: 'The fact, without its stage' })
  dedupe_key: string;

  @ApiProperty({ description: 'Days before the due date of the last announced stage; negative after it' })
  stage: number;

  @ApiProperty({ description: "In the reader's language, as of today" })
  title: string;

  @ApiProperty({ enum: ALERT_STATES })
  state: AlertState;

  @ApiProperty({ description: 'How many checks have found the fact, or how often it was reported' })
  occurrences: number;

  @ApiProperty()
  first_seen_at: Date;

  @ApiProperty()
  last_seen_at: Date;

  @ApiProperty({ type: Date, nullable: true, description: 'When the fact no longer held' })
  gone_at: Date | null;

  @ApiProperty({ type: Date, nullable: true })
  resolved_at: Date | null;

  @ApiProperty({
    type: String,
    format: 'uuid',
    nullable: true,
    description: 'null: by itself, or by an API key',
  })
  resolved_by: string | null;
}
