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

/** How much of a limit is used; 0: no limit. */
export class LimitUsage {
  @ApiProperty({ description: '0: no limit' })
  limit: number;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Counted up to the limit; null: not shown, because it counts other tenants too',
  })
  used: number | null;

  @ApiProperty({ type: Number, nullable: true, description: 'null: no limit, or not shown' })
  left: number | null;
}

/** How much of the limits of a channel is used and left. */
export class ChannelQuota {
  @ApiProperty({ type: LimitUsage, description: 'Messages of the tenant in the last hour' })
  tenant_hour: LimitUsage;

  @ApiProperty({ type: LimitUsage, description: 'The same in the last 24 hours' })
  tenant_day: LimitUsage;

  @ApiProperty({
    type: LimitUsage,
    description: 'Messages of all tenants in the last minute; only operators see how many',
  })
  minute: LimitUsage;
}

/** The effective limits; 0: no limit. */
export class LimitsInForce {
  @ApiProperty()
  per_user_per_hour: number;

  @ApiProperty()
  per_user_per_day: number;

  @ApiProperty({ description: 'On each channel' })
  per_tenant_per_hour: number;

  @ApiProperty({ description: 'On each channel' })
  per_tenant_per_day: number;

  @ApiProperty({ description: 'Of all tenants, on channels without their own limit' })
  global_per_minute: number;
}

/** Statistics of a tenant's deliveries. */
export class TenantStatistics {
  @ApiProperty()
  at: Date;

  @ApiProperty({ type: 'object', additionalProperties: { $ref: '#/components/schemas/ChannelStatistics' } })
  channels: Record<string, ChannelStatistics>;

  @ApiProperty({ type: 'object', additionalProperties: { $ref: '#/components/schemas/ChannelQuota' } })
  quota: Record<string, ChannelQuota>;

  @ApiProperty({ type: LimitsInForce })
  limits: LimitsInForce;
}
