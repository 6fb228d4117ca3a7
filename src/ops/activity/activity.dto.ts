import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, Matches, Max, Min } from 'class-validator';
import { type Channel, CHANNELS } from '../../contracts/channels.js';
import { SCHEDULED_JOBS, type ScheduledJob } from '../../contracts/jobs.js';
import { PageQuery } from '../../platform/http/page.dto.js';
import { RUN_MARKS, type RunMark } from '../../scheduler/timeline.js';

/** How far the series goes back, in hours, and the length of its intervals. */
export const ACTIVITY_STEPS = { 24: 1, 168: 6 } as const;
export type ActivityHours = keyof typeof ACTIVITY_STEPS;

export class ActivityQuery {
  @ApiPropertyOptional({ enum: [24, 168], default: 24, description: '24: by the hour; 168: by 6 hours' })
  @IsOptional()
  @Type(() => Number)
  @IsIn([24, 168])
  hours: ActivityHours = 24;
}

export class TimelineQuery extends PageQuery {
  @ApiPropertyOptional({ minimum: 1, maximum: 50, default: 20, description: 'Tenants on a page' })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(50)
  override limit: number = 20;

  @ApiPropertyOptional({ description: 'Slug of a tenant; default: all tenants, newest first' })
  @IsOptional()
  @Matches(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, { message: '$property must be a slug' })
  tenant?: string;

  @ApiPropertyOptional({ enum: SCHEDULED_JOBS })
  @IsOptional()
  @IsIn(SCHEDULED_JOBS)
  job?: ScheduledJob;

  @ApiPropertyOptional({ minimum: 6, maximum: 72, default: 24, description: 'Hours to look back' })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(6)
  @Max(72)
  hours: number = 24;
}

export class TimelineSlotsQuery {
  @ApiProperty({ description: 'Slug of a tenant' })
  @Matches(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, { message: '$property must be a slug' })
  tenant: string;

  @ApiProperty({ enum: SCHEDULED_JOBS })
  @IsIn(SCHEDULED_JOBS)
  job: ScheduledJob;

  @ApiPropertyOptional({ minimum: 6, maximum: 72, default: 24, description: 'Hours to look back' })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(6)
  @Max(72)
  hours: number = 24;

  @ApiPropertyOptional({ enum: RUN_MARKS, description: 'Only those with this mark' })
  @IsOptional()
  @IsIn(RUN_MARKS)
  mark?: RunMark;
}

const RATE = {
  type: Number,
  nullable: true,
  minimum: 0,
  maximum: 1,
  description: 'Share of failures; null: nothing ended',
} as const;

/** How deliveries ended in a period; suppressed and cancelled ones do not count. */
export class DeliveryRate {
  @ApiProperty()
  sent: number;

  @ApiProperty()
  failed: number;

  @ApiProperty({ description: 'May have been accepted: a person must decide' })
  unknown: number;

  @ApiProperty(RATE)
  failure_rate: number | null;
}

/** How runs ended in a period. */
export class RunRate {
  @ApiProperty()
  succeeded: number;

  @ApiProperty()
  failed: number;

  @ApiProperty(RATE)
  failure_rate: number | null;
}

class DeliveryRates {
  @ApiProperty({ type: DeliveryRate })
  last_hour: DeliveryRate;

  @ApiProperty({ type: DeliveryRate })
  last_day: DeliveryRate;
}

class RunRates {
  @ApiProperty({ type: RunRate })
  last_hour: RunRate;

  @ApiProperty({ type: RunRate })
  last_day: RunRate;
}

/** The deliveries of a channel that ended in each interval. */
export class ChannelSeries {
  @ApiProperty({ enum: CHANNELS })
  channel: Channel;

  @ApiProperty({ type: [Number], description: 'One for each interval, oldest first' })
  sent: number[];

  @ApiProperty({ type: [Number] })
  failed: number[];

  @ApiProperty({ type: [Number] })
  unknown: number[];
}

/** What the installation did. */
export class Activity {
  @ApiProperty()
  at: Date;

  @ApiProperty({ type: DeliveryRates })
  deliveries: DeliveryRates;

  @ApiProperty({ type: RunRates })
  runs: RunRates;

  @ApiProperty({ description: 'The start of the first interval' })
  from: Date;

  @ApiProperty({ description: 'The length of an interval' })
  step_seconds: number;

  @ApiProperty({ type: [ChannelSeries], description: 'Counts up to 100,000 per tenant, channel and state' })
  series: ChannelSeries[];
}

/** Failed deliveries of one channel with the same cause. */
export class TimelineTenantView {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty()
  slug: string;

  @ApiProperty()
  name: string;

  @ApiProperty()
  time_zone: string;

  @ApiProperty()
  suspended: boolean;
}

/** The timeline of a job of a tenant. */
export class TimelineStrip {
  @ApiProperty({ type: TimelineTenantView })
  tenant: TimelineTenantView;

  @ApiProperty({ enum: SCHEDULED_JOBS })
  job: ScheduledJob;

  @ApiProperty({
    example: '..r.mc.u.p',
    description:
      'A letter for each hour from `from` on, the worst in it: m missed, f failed, c caught up, x cancelled, u under way, r ran, p planned; a dot for none',
  })
  hours: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'number' },
    description: `Runs and slots by outcome: ${RUN_MARKS.join(', ')}`,
  })
  counts: Record<RunMark, number>;

  @ApiProperty({ type: Date, nullable: true, description: 'The next slot, if it is before `until`' })
  next_at: Date | null;
}

/** The runs of tenants and jobs, by the hour. */
export class Timeline {
  @ApiProperty({ description: 'false: no job runs on its schedule' })
  enabled: boolean;

  @ApiProperty({ type: Date, nullable: true, description: 'When a scheduler last polled; null: never' })
  last_poll_at: Date | null;

  @ApiProperty()
  at: Date;

  @ApiProperty({ description: 'The start of the first hour' })
  from: Date;

  @ApiProperty({ description: 'The end of the last hour' })
  until: Date;

  @ApiProperty({ type: [TimelineStrip] })
  data: TimelineStrip[];

  @ApiProperty({ type: String, nullable: true })
  next_cursor: string | null;
}

/** A run, or a slot without a run. */
export class TimelineSlot {
  @ApiProperty({ enum: RUN_MARKS })
  mark: RunMark;

  @ApiProperty({ description: 'When it was due' })
  at: Date;

  @ApiProperty({ type: String, format: 'uuid', nullable: true, description: 'null: no run was created' })
  run_id: string | null;

  @ApiProperty({ description: 'Triggered manually' })
  is_manual: boolean;

  @ApiProperty({
    type: Date,
    nullable: true,
    description: 'When the run was created; later than `at` if it was caught up',
  })
  created_at: Date | null;

  @ApiProperty({ type: Date, nullable: true })
  started_at: Date | null;

  @ApiProperty({ type: Date, nullable: true })
  finished_at: Date | null;

  @ApiProperty({ type: String, nullable: true })
  error: string | null;
}

/** The runs and slots that a timeline counts; they are few enough for one page. */
export class TimelineSlots {
  @ApiProperty({ type: [TimelineSlot] })
  data: TimelineSlot[];
}
