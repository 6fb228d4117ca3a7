import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsBoolean, IsIn, IsOptional, Matches } from 'class-validator';
import { SCHEDULED_JOBS, type ScheduledJob } from '../contracts/jobs.js';
import { type Channel, CHANNELS } from '../contracts/channels.js';
import { Instant } from '../platform/http/instant.js';
import { PageQuery } from '../platform/http/page.dto.js';
import { RUN_STATES, RunState, type RunStateName, RunView } from '../runs/run.dto.js';

/** The tenant: an admin's own; an operator names one. */
export class TenantQuery {
  @ApiPropertyOptional({ description: 'Slug of the tenant; only operators need it' })
  @IsOptional()
  @Matches(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, { message: '$property must be a slug' })
  tenant?: string;
}

export class TriggerQuery extends TenantQuery {
  @ApiPropertyOptional({ default: false, description: 'Wait until it has finished, at most 30 s' })
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value))
  @IsBoolean()
  wait: boolean = false;
}

export class RunsQuery extends PageQuery {
  @ApiPropertyOptional({ description: 'Slug of the tenant; only operators need it' })
  @IsOptional()
  @Matches(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, { message: '$property must be a slug' })
  tenant?: string;

  @ApiPropertyOptional({ enum: SCHEDULED_JOBS })
  @IsOptional()
  @IsIn(SCHEDULED_JOBS)
  job?: ScheduledJob;

  @ApiPropertyOptional({ enum: RUN_STATES })
  @IsOptional()
  @IsIn(RUN_STATES)
  state?: RunStateName;

  @ApiPropertyOptional({ format: 'date-time', description: 'Due at this instant or later' })
  @IsOptional()
  @Instant()
  since?: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'Due before this instant' })
  @IsOptional()
  @Instant()
  until?: string;
}

export class RunPage {
  @ApiProperty({ type: [RunView] })
  data: RunView[];

  @ApiProperty({ type: String, nullable: true })
  next_cursor: string | null;
}

/** The outcome of the waiting deliveries; the other counts add up to `due`. */
export class ProcessedView {
  @ApiProperty({ description: 'Due or being sent at the time of the call; at most 10,000 are followed' })
  due: number;

  @ApiProperty()
  sent: number;

  @ApiProperty({ description: 'Permanently rejected, or out of attempts or time' })
  failed: number;

  @ApiProperty({ description: 'Suppressed or cancelled' })
  cancelled: number;

  @ApiProperty({ description: 'Deferred by hours, by limits, or until the next attempt' })
  deferred: number;

  @ApiProperty({ description: 'Still due or being sent' })
  waiting: number;
}

/** A requested round of the dispatcher; it is not in a ledger. */
export class DispatchAnswer {
  @ApiProperty({ type: 'null' })
  run_id: null;

  @ApiProperty({ enum: ['queued', 'succeeded'], description: 'succeeded: none is waiting any more' })
  state: 'queued' | 'succeeded';

  @ApiProperty({ type: ProcessedView })
  counts: ProcessedView;

  @ApiProperty({
    enum: CHANNELS,
    isArray: true,
    description: 'Channels that send nothing until they are resumed',
  })
  paused: Channel[];
}

/** The runs of several tenants that an operator started. */
export class RunsAnswer {
  @ApiProperty({ type: [RunState] })
  runs: RunState[];
}
