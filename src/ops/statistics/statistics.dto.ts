import { ApiProperty } from '@nestjs/swagger';

/** Deliveries by state; each count stops at 100,000. */
export class ChannelTotals {
  @ApiProperty({ description: 'Waiting, for their turn or their time' })
  pending: number;

  @ApiProperty({ description: 'Of those, the ones that are due' })
  due: number;

  @ApiProperty({ description: 'Admitted, or being sent' })
  in_flight: number;

  @ApiProperty()
  sent: number;

  @ApiProperty()
  failed: number;

  @ApiProperty()
  suppressed: number;

  @ApiProperty()
  cancelled: number;

  @ApiProperty({ description: 'May have been accepted: a person decides' })
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

  @ApiProperty({ description: 'Failed, or with an unknown end, in the last 24 hours' })
  failed_last_day: number;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Of the last 24 hours, 0 to 1; null: nothing ended',
  })
  success_rate: number | null;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'For how many seconds the longest overdue delivery has been due; null: none is',
  })
  oldest_due_seconds: number | null;
}

/** The effective limits; 0: no limit. */
export class LimitsInForce {
  @ApiProperty()
  per_user_per_hour: number;

  @ApiProperty()
  per_user_per_day: number;

  @ApiProperty({ description: 'Of the whole installation' })
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
