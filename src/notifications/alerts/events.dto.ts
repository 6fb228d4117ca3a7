import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { SEVERITIES, type Severity } from '../../contracts/severities.js';
import { Identifier, Line, Text } from '../../platform/http/text.js';
import { AlertView } from './alerts.dto.js';
import { LineFeeds, MAX_BODY_LENGTH, OwnKind, UserIds } from '../messages/messages.dto.js';

/** An important event that another program reports. */
export class NewEvent {
  @ApiProperty({
    maxLength: 100,
    example: 'backup.failed',
    description: 'Kind of the event, chosen by the caller',
  })
  @OwnKind()
  kind: string;

  @ApiProperty({ maxLength: 200, description: 'One line' })
  @Line(200)
  title: string;

  @ApiProperty({ maxLength: MAX_BODY_LENGTH, description: 'Plain text, shown as written' })
  @LineFeeds()
  @Text(MAX_BODY_LENGTH)
  body: string;

  @ApiProperty({ enum: SEVERITIES, description: '`critical` bypasses hours and limits' })
  @IsIn(SEVERITIES)
  severity: Severity;

  @ApiProperty({
    maxLength: 200,
    description: 'Key of the fact: while its alert is open, repeated reports are counted and notify nobody',
  })
  @Identifier(200)
  dedupe_key: string;

  @ApiPropertyOptional({
    type: [String],
    format: 'uuid',
    minItems: 1,
    maxItems: 1_000,
    description: "Users of the tenant to notify; without it the tenant's admins",
  })
  @IsOptional()
  @UserIds()
  user_ids?: string[] | null;
}

/** The alert of an event. */
export class EventAlert extends AlertView {
  @ApiProperty({
    description: 'true: the alert is new, and people are notified; false: the occurrence was counted',
  })
  opened: boolean;
}
