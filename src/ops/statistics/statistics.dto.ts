import { ApiProperty } from '@nestjs/swagger';

/** Deliveries by state; each count stops at 100,000. */
export class ChannelTotals {
  @ApiProperty({ description: 'Waiting for their turn or their time' })
  pending: number;

  @ApiProperty({ description: 'Pending deliveries that are due' })
  due: number;

  @ApiProperty({ description: 'Admitted or being sent' })
  in_flight: number;

  @ApiProperty()
  sent: number;

  @ApiProperty()
  failed: number;

  @ApiProperty()
  suppressed: number;

  @ApiProperty()
  cancelled: number;

  @ApiProperty({ description: 'May have been accepted: a person must decide' })
  unknown: number;
}

/** Statistics of a channel for a tenant. */
export class ChannelStatistics {
  @ApiProperty({ type: ChannelTotals })
  totals: ChannelTotals;

  @ApiProperty()
  sent_last_hour: number;

  @ApiProperty()
  sent_last_day: number;

  @ApiProperty({ description: 'Failed or with an unknown outcome in the last 24 hours' })
  failed_last_day: number;

  @ApiProperty({
    type: Number,
    nullable: true,
    description:
      'Share of sent deliveries among those that ended in the last 24 hours, 0 to 1; null: none ended',
  })
  success_rate: number | null;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Seconds for which the longest overdue delivery has been due; null: none is due',
  })
  oldest_due_seconds: number | null;
}

/** The effective limits; 0: no limit. */
export class LimitsInForce {
  @ApiProperty()
  per_user_per_hour: number;

  @ApiProperty()
  per_user_per_day: number;

  @ApiProperty({ description: 'For the whole installation' })
  global_per_minute: number;
}

/** Statistics of a tenant's deliveries. */
export class TenantStatistics {
  @ApiProperty()
  at: Date;

  @ApiProperty({ type: 'object', additionalProperties: { $ref: '#/components/schemas/ChannelStatistics' } })
  channels: Record<string, ChannelStatistics>;

  @ApiProperty({ type: LimitsInForce })
  limits: LimitsInForce;
}
