import { ApiProperty } from '@nestjs/swagger';

export class StatusCounts {
  @ApiProperty()
  pending: number;

  @ApiProperty()
  sent: number;

  @ApiProperty()
  failed: number;
}

/** How much of a limit is used; 0: no limit. */
export class Quota {
  @ApiProperty({ description: '0: no limit' })
  limit: number;

  @ApiProperty({ description: 'Counted up to the limit' })
  used: number;

  @ApiProperty({ type: Number, nullable: true, description: 'null: no limit' })
  left: number | null;
}

/** How much the caller may still send on a channel. */
export class OwnQuota {
  @ApiProperty({ type: Quota, description: 'Sent by the caller with `send_now` in the last hour' })
  hour: Quota;

  @ApiProperty({ type: Quota, description: 'The same in the last 24 hours' })
  day: Quota;

  @ApiProperty({ type: Quota, description: 'Messages of the whole tenant in the last hour' })
  tenant_hour: Quota;

  @ApiProperty({ type: Quota, description: 'The same in the last 24 hours' })
  tenant_day: Quota;
}

/** An object with an entry for each channel. */
export function ByChannel(type: string, description?: string): PropertyDecorator {
  return ApiProperty({
    type: 'object',
    additionalProperties: { $ref: `#/components/schemas/${type}` },
    ...(description === undefined ? {} : { description }),
  });
}

/** Counts of what the caller received and created. */
export class OwnStatistics {
  @ApiProperty({ description: 'Unread and not archived' })
  unread: number;

  @ApiProperty()
  received: number;

  @ApiProperty()
  created: number;

  @ApiProperty({
    description: 'false: only the latest 10,000 received and the latest 10,000 created are counted',
  })
  complete: boolean;

  @ApiProperty({ type: StatusCounts, description: 'Deliveries of received and created notifications' })
  by_status: StatusCounts;

  @ByChannel('StatusCounts')
  by_channel: Record<string, StatusCounts>;

  @ByChannel('OwnQuota', 'How much of the limits is used and left')
  quota: Record<string, OwnQuota>;
}
