import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, Max, Min } from 'class-validator';
import { type Channel, CHANNELS } from '../../contracts/channels.js';
import { TenantQuery } from '../admin.dto.js';

/** The longest period, in days. */
const MAX_DAYS = 31;

export class DailyStatisticsQuery extends TenantQuery {
  @ApiPropertyOptional({
    default: 7,
    minimum: 1,
    maximum: MAX_DAYS,
    description: 'Days back, today included',
  })
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(MAX_DAYS)
  days: number = 7;
}

/** What ended on a day: the deliveries of one kind on one channel. */
export class DayStatistics {
  @ApiProperty({ format: 'date', description: "In the tenant's zone" })
  day: string;

  @ApiProperty({ enum: CHANNELS })
  channel: Channel;

  @ApiProperty()
  kind: string;

  @ApiProperty()
  sent: number;

  @ApiProperty()
  failed: number;

  @ApiProperty({ description: 'May have been accepted' })
  unknown: number;

  @ApiProperty({ description: 'Suppressed or cancelled: not sent on purpose' })
  not_sent: number;

  @ApiProperty({
    type: Number,
    nullable: true,
    description:
      'Median of the seconds from when a delivery was first due until it was sent; null: none was sent',
  })
  p50_seconds: number | null;

  @ApiProperty({ type: Number, nullable: true, description: 'The 95th percentile of the same' })
  p95_seconds: number | null;
}

export class DailyStatistics {
  @ApiProperty({ format: 'date' })
  since: string;

  @ApiProperty({ type: [DayStatistics], description: 'The newest day first' })
  data: DayStatistics[];

  @ApiProperty({ description: 'false: there were too many deliveries, and only some of them are counted' })
  complete: boolean;
}
