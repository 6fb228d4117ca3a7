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

/** The caller's own quota for messages sent in the request, per channel. */
export class OwnQuota {
  @ApiProperty({ type: Quota })
  hour: Quota;

  @ApiProperty({ type: Quota })
  day: Quota;
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

  @ByChannel('OwnQuota', 'Quota for `send_now`')
  quota: Record<string, OwnQuota>;
}
