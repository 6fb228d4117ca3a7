import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsOptional, Max, Min } from 'class-validator';

const MAX_DAYS = 3_650;

/** A number of days, or null for the installation's. */
function Days(description: string): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ type: Number, nullable: true, minimum: 1, maximum: MAX_DAYS, description }),
    IsOptional(),
    IsInt(),
    Min(1),
    Max(MAX_DAYS),
  );
}

/** How long notifications are kept, in days after their end; null uses the installation's. */
export class RetentionSettings {
  @Days('Days after the last delivery was sent or ended')
  sent_days: number | null = null;

  @Days('Days after a delivery failed for good')
  failed_days: number | null = null;

  @Days('Days for which an unread notification is kept at least')
  unread_days: number | null = null;
}
