import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsBoolean, IsIn, IsOptional, Matches } from 'class-validator';
import { SCHEDULED_JOBS, type ScheduledJob } from '../contracts/jobs.js';
import { CivilDate } from '../platform/http/civil-date.js';
import { PageQuery } from '../platform/http/page.dto.js';
import { RUN_STATES, RunState, type RunStateName, RunView } from '../scheduler/scheduler.dto.js';

/** Whose: a tenant's admin means the own tenant, an operator names one. */
export class TenantQuery {
  @ApiPropertyOptional({ description: 'Slug of the tenant; operators name it, others need not' })
  @IsOptional()
  @Matches(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, { message: '$property must be a slug' })
  tenant?: string;
}

export class TriggerQuery extends TenantQuery {
  @ApiPropertyOptional({ default: false, description: 'Answer when the run has finished, or after 30 s' })
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value))
  @IsBoolean()
  wait: boolean = false;
}

export class PreviewQuery extends TenantQuery {
  @ApiProperty({ format: 'date', description: "A day of the tenant's calendar" })
  @CivilDate()
  date: string;
}

export class RunsQuery extends PageQuery {
  @ApiPropertyOptional({ description: 'Slug of the tenant; operators name it, others need not' })
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
}

export class RunPage {
  @ApiProperty({ type: [RunView] })
  data: RunView[];

  @ApiProperty({ type: String, nullable: true })
  next_cursor: string | null;
}

/** A round of the dispatcher that was asked for; it is in no ledger. */
export class DispatchAnswer {
  @ApiProperty({ type: 'null' })
  run_id: null;

  @ApiProperty({ enum: ['succeeded'] })
  state: 'succeeded';
}

/** The runs of several tenants, as an operator started them. */
export class RunsAnswer {
  @ApiProperty({ type: [RunState] })
  runs: RunState[];
}
