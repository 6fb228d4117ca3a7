import { ApiProperty } from '@nestjs/swagger';
import { type RunCounts, SCHEDULED_JOBS, type ScheduledJob } from '../contracts/jobs.js';

export const RUN_STATES = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const;
export type RunStateName = (typeof RUN_STATES)[number];

const COUNTS = {
  type: 'object',
  additionalProperties: { type: 'number' },
  nullable: true,
  description: 'Counts of what the run did, updated while it runs; null before it starts',
} as const;

/** Whether a run is in a final state. */
export function isFinished({ state }: { state: RunStateName }): boolean {
  return state !== 'queued' && state !== 'running';
}

/** The state of a run. */
export class RunState {
  @ApiProperty({ format: 'uuid' })
  run_id: string;

  @ApiProperty({ format: 'uuid' })
  tenant_id: string;

  @ApiProperty({ enum: RUN_STATES })
  state: RunStateName;

  @ApiProperty(COUNTS)
  counts: RunCounts | null;

  @ApiProperty({ type: String, nullable: true })
  error: string | null;
}

/** One run of the ledger. */
export class RunView {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ enum: SCHEDULED_JOBS })
  job: ScheduledJob;

  @ApiProperty({
    type: String,
    nullable: true,
    example: '2026-03-02T09:00',
    description:
      "The hour it ran for, in the tenant's zone (UTC with a Z for intervals); null if triggered manually",
  })
  slot: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'The zone of `slot`; null for intervals' })
  time_zone: string | null;

  @ApiProperty({ enum: RUN_STATES })
  state: RunStateName;

  @ApiProperty({ description: 'Attempts so far' })
  attempts: number;

  @ApiProperty(COUNTS)
  counts: RunCounts | null;

  @ApiProperty({ type: String, nullable: true })
  error: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'Who triggered it manually' })
  triggered_by: string | null;

  @ApiProperty()
  due_at: Date;

  @ApiProperty()
  created_at: Date;

  @ApiProperty({ type: Date, nullable: true })
  started_at: Date | null;

  @ApiProperty({ type: Date, nullable: true })
  finished_at: Date | null;
}
