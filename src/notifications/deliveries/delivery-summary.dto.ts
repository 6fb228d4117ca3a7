import { ApiProperty } from '@nestjs/swagger';

/** Messages that ended without being sent, by reason. */
export class NotSent {
  @ApiProperty({ enum: ['failed', 'suppressed', 'cancelled', 'unknown'] })
  state: 'failed' | 'suppressed' | 'cancelled' | 'unknown';

  @ApiProperty({ type: String, nullable: true, example: 'preference' })
  reason: string | null;

  @ApiProperty({ type: 'integer' })
  count: number;
}

/** The outcomes of the deliveries of a period. */
export class DeliverySummary {
  @ApiProperty({ type: 'integer' })
  sent: number;

  @ApiProperty({ type: [NotSent], description: 'The most frequent first' })
  not_sent: NotSent[];
}
