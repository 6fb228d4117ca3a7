import { ApiExtraModels, ApiProperty, ApiPropertyOptional, getSchemaPath } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Matches, Max, MaxLength, Min } from 'class-validator';
import { QUEUES, type QueueName } from '../../contracts/jobs.js';
import { Instant } from '../../platform/http/instant.js';
import { CountedPageQuery } from '../../platform/lists/list-query.js';
import { JOB_STATES, type JobState } from '../../platform/queues/job-view.js';
import { ChannelStateView } from '../channel-state.dto.js';
import { TenantQuery } from '../admin.dto.js';
import { WORK, type Work } from './work.js';

const NULLABLE_NUMBER = { type: Number, nullable: true } as const;

/** Deliveries of a channel, by their states in PostgreSQL. */
export class DeliveryCountsView {
  @ApiProperty({ description: 'Pending and due' })
  due: number;

  @ApiProperty({ description: 'Pending, deferred by hours, by limits or until the next attempt' })
  deferred: number;

  @ApiProperty()
  queued: number;

  @ApiProperty()
  sending: number;

  @ApiProperty({ description: 'Sent in the last 24 hours; counted up to 100,000' })
  sent_24h: number;

  @ApiProperty({ description: 'Failed in the last 24 hours; counted up to 100,000' })
  failed_24h: number;

  @ApiProperty({
    ...NULLABLE_NUMBER,
    description: 'Age of the oldest that is due, without suspended tenants',
  })
  oldest_due_seconds: number | null;

  @ApiProperty({ type: String, nullable: true, format: 'uuid', description: 'The tenant served last' })
  cursor_tenant_id: string | null;
}

/** Runs of a queue's jobs, by their states in the ledger; each count stops at 100,000. */
export class RunCountsView {
  @ApiProperty({ description: 'Counted up to 100,000' })
  queued: number;

  @ApiProperty({ description: 'Counted up to 100,000' })
  running: number;

  @ApiProperty({ description: 'Succeeded in the last 24 hours; counted up to 100,000' })
  succeeded_24h: number;

  @ApiProperty({ description: 'Failed in the last 24 hours; counted up to 100,000' })
  failed_24h: number;

  @ApiProperty({ ...NULLABLE_NUMBER, description: 'Age of the oldest queued run' })
  oldest_queued_seconds: number | null;
}

/** The counts of Bull. Delays and failures are in PostgreSQL: here they are normally 0. */
export class BullCountsView {
  @ApiProperty()
  active: number;

  @ApiProperty()
  waiting: number;

  @ApiProperty()
  delayed: number;

  @ApiProperty()
  failed: number;
}

export class WorkersView {
  @ApiProperty({ description: 'With a heartbeat in the last 15 s' })
  processes: number;

  @ApiProperty({ description: 'Deliveries that they send in parallel' })
  concurrency: number;
}

/** One queue, in PostgreSQL and in Bull. */
@ApiExtraModels(DeliveryCountsView, RunCountsView)
export class QueueView {
  @ApiProperty({ enum: QUEUES })
  queue: QueueName;

  @ApiProperty()
  paused: boolean;

  @ApiProperty({
    type: ChannelStateView,
    nullable: true,
    description: 'The channel of its deliveries; null for a queue of runs',
  })
  channel: ChannelStateView | null;

  @ApiProperty({
    oneOf: [DeliveryCountsView, RunCountsView].map((model) => ({ $ref: getSchemaPath(model) })),
  })
  postgres: DeliveryCountsView | RunCountsView;

  @ApiProperty({ type: BullCountsView, nullable: true, description: 'null while Redis does not answer' })
  bull: BullCountsView | null;

  @ApiProperty({ type: String, nullable: true, description: 'Why `bull` is null' })
  bull_error: string | null;

  @ApiProperty({ type: WorkersView, nullable: true, description: 'null for queues of runs' })
  workers: WorkersView | null;
}

export class QueueList {
  @ApiProperty({ type: [QueueView] })
  data: QueueView[];
}

export class QueueJobsQuery extends CountedPageQuery {
  @ApiProperty({ enum: JOB_STATES })
  @IsIn(JOB_STATES)
  state: JobState;

  @ApiPropertyOptional({ description: 'Slug of a tenant; default: all tenants' })
  @IsOptional()
  @Matches(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, { message: '$property must be a slug' })
  tenant?: string;

  @ApiPropertyOptional({
    format: 'date-time',
    description: 'Ended at this time or later; for work that has not ended: due then or later',
  })
  @IsOptional()
  @Instant()
  since?: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'The end of that period, exclusive' })
  @IsOptional()
  @Instant()
  until?: string;

  @ApiPropertyOptional({
    maxLength: 160,
    description:
      'Deliveries that failed for a cause, as `GET admin/dead-letters` lists it. Empty: those without a recorded answer',
  })
  @IsOptional()
  @IsString()
  @MaxLength(160)
  cause?: string;

  @ApiPropertyOptional({
    maxLength: 100,
    example: 'quiet_hours',
    description:
      'Deliveries that wait or failed for this reason. Empty: those without one. Default: every reason',
  })
  @IsOptional()
  @IsString()
  @MaxLength(100)
  reason?: string;
}

export class AllJobsQuery extends QueueJobsQuery {
  @ApiPropertyOptional({
    enum: WORK,
    default: 'deliveries',
    description: 'Deliveries of all channels, or runs of all jobs',
  })
  @IsOptional()
  @IsIn(WORK)
  of: Work = 'deliveries';
}

export class RetryQuery extends TenantQuery {
  @ApiPropertyOptional({ minimum: 1, maximum: 30, default: 1, description: 'Days to look back for failures' })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(30)
  days: number = 1;
}

/** One job: ids, times and causes, nothing about persons. */
export class QueueJobView {
  @ApiProperty({ format: 'uuid', description: 'Id of the delivery or run' })
  id: string;

  @ApiProperty({ format: 'uuid' })
  tenant_id: string;

  @ApiProperty({ description: 'Its slug' })
  tenant: string;

  @ApiProperty({ example: 'send-mail' })
  job: string;

  @ApiProperty({ description: 'The state in PostgreSQL' })
  state: string;

  @ApiProperty()
  attempts: number;

  @ApiProperty()
  due_at: Date;

  @ApiProperty()
  created_at: Date;

  @ApiProperty({ type: Date, nullable: true })
  ended_at: Date | null;

  @ApiProperty({ type: String, nullable: true, example: 'quiet_hours' })
  defer_reason: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    example: 'expired',
    description: 'Why a delivery failed, besides the cause',
  })
  reason: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Why the last attempt failed, without addresses and ids',
  })
  cause: string | null;

  @ApiProperty({ description: 'Age since creation' })
  age_seconds: number;
}

class QueueAnswer {
  @ApiProperty({ enum: QUEUES })
  queue: QueueName;
}

const STILL_SENDING = { description: 'Deliveries that were not touched because they are being sent' };
const STILL_RUNNING = { description: 'Runs that were not touched because they are running' };

export class PauseAnswer extends QueueAnswer {
  @ApiProperty({ enum: [true] })
  paused: true;

  @ApiProperty({ description: 'Jobs that were queued in Bull and wait in PostgreSQL again' })
  returned: number;

  @ApiPropertyOptional(STILL_SENDING)
  still_sending?: number;

  @ApiPropertyOptional(STILL_RUNNING)
  still_running?: number;
}

export class ResumeAnswer extends QueueAnswer {
  @ApiProperty({ enum: [false] })
  paused: false;
}

export class PurgeAnswer extends QueueAnswer {
  @ApiProperty()
  cancelled: number;

  @ApiPropertyOptional(STILL_SENDING)
  still_sending?: number;

  @ApiPropertyOptional(STILL_RUNNING)
  still_running?: number;

  @ApiProperty({
    description: 'Still waiting: newer than the purge, or not reached within 30 s. Purge again.',
  })
  remaining: number;

  @ApiProperty({
    description: 'Whether Bull was emptied; workers discard the jobs that are left there',
  })
  bull_emptied: boolean;
}

export class RetryAnswer extends QueueAnswer {
  @ApiProperty()
  retried: number;
}
