import { ApiProperty, ApiPropertyOptional, OmitType, PartialType } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsUUID, Matches, Max, Min, ValidateBy } from 'class-validator';
import {
  BACKUP_VERDICTS,
  BACKUP_WARNINGS,
  type BackupVerdict,
  type BackupWarning,
} from '../../contracts/backups.js';
import { AgentId } from '../../platform/http/agent-id.js';
import { PageQuery } from '../../platform/http/page.dto.js';
import { Line } from '../../platform/http/text.js';
import { BackupDatabase } from './backup-database.dto.js';
import { DatabaseName } from './database-name.js';

/** A job's verdict; `unknown` until there is one. */
export const BACKUP_JOB_STATUSES = ['unknown', ...BACKUP_VERDICTS] as const;
export type BackupJobStatus = BackupVerdict | 'unknown';

/** The defaults. */
export const EVERY_DAY: readonly number[] = [1, 2, 3, 4, 5, 6, 7];
export const DEFAULT_GRACE_MINUTES = 120;
/** A week. */
export const MAX_GRACE_MINUTES = 10_080;

/** null resets to the default. Days may have any order, and are stored sorted. */
function daysOf({ value }: { value: unknown }): unknown {
  if (value === null) return EVERY_DAY;
  return Array.isArray(value) && value.every((day) => typeof day === 'number')
    ? value.toSorted((one, other) => one - other)
    : value;
}

function DaysOfWeek(): PropertyDecorator {
  return ValidateBy({
    name: 'daysOfWeek',
    validator: {
      validate: (days: unknown) =>
        Array.isArray(days) &&
        days.length > 0 &&
        days.every((day) => EVERY_DAY.some((one) => one === day)) &&
        new Set(days).size === days.length,
      defaultMessage: () => '$property must be a list of distinct days from 1 (Monday) to 7',
    },
  });
}

/** The fields of an expected backup. The limits are the table's. */
export class NewBackupJob {
  @ApiProperty({
    maxLength: 100,
    example: 'paris-01',
    description: 'The agent that makes it: its folder in the inbox',
  })
  @AgentId()
  agent_id: string;

  @ApiProperty({ maxLength: 100, example: 'comptabilite', description: 'As in the agent’s reports' })
  @DatabaseName()
  database_name: string;

  @ApiProperty({ maxLength: 100, example: 'Boulangerie Martin' })
  @Line(100)
  company_name: string;

  @ApiProperty({ maxLength: 100, example: 'Paris' })
  @Line(100)
  city: string;

  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 100, example: 'Montmartre' })
  @IsOptional()
  @Line(100)
  neighborhood?: string | null;

  @ApiProperty({ example: '02:00', description: "HH:mm in the tenant's zone" })
  @Matches(/^([01]\d|2[0-3]):[0-5]\d$/, { message: '$property must be a time of day, HH:mm' })
  expected_time: string;

  @ApiPropertyOptional({
    type: [Number],
    nullable: true,
    example: [1, 2, 3, 4, 5],
    description: 'ISO, Monday is 1; absent or null: every day',
  })
  @IsOptional()
  @Transform(daysOf)
  @DaysOfWeek()
  days_of_week?: number[];

  @ApiPropertyOptional({
    type: Number,
    nullable: true,
    minimum: 0,
    maximum: MAX_GRACE_MINUTES,
    description: `Grace period after the expected time before it is MISSING; absent or null: ${DEFAULT_GRACE_MINUTES}`,
  })
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => (value === null ? DEFAULT_GRACE_MINUTES : value))
  @IsInt()
  @Min(0)
  @Max(MAX_GRACE_MINUTES)
  grace_minutes?: number;
}

/**
 * An absent field stays unchanged; null clears an optional one. Agent and database cannot change: entries belong to
 * them.
 */
export class BackupJobPatch extends PartialType(
  OmitType(NewBackupJob, ['agent_id', 'database_name'] as const),
  { skipNullProperties: false },
) {}

/** Which backups the board shows, by agent and database. */
export class BackupBoardQuery extends PageQuery {
  @ApiPropertyOptional({ maxLength: 100 })
  @IsOptional()
  @AgentId()
  agent_id?: string;

  @ApiPropertyOptional({ enum: BACKUP_JOB_STATUSES })
  @IsOptional()
  @IsIn(BACKUP_JOB_STATUSES)
  status?: BackupJobStatus;

  @ApiPropertyOptional({ maxLength: 100, description: 'Case-insensitive' })
  @IsOptional()
  @Line(100)
  city?: string;

  @ApiPropertyOptional({
    maxLength: 200,
    description: 'Part of the name of the agent, database or company, case-insensitive',
  })
  @IsOptional()
  @Line(200)
  q?: string;
}

/** The same filters, and the single row of a job or of a database. */
export class BackupStatusQuery extends BackupBoardQuery {
  @ApiPropertyOptional({ format: 'uuid' })
  @IsOptional()
  @IsUUID()
  job_id?: string;

  @ApiPropertyOptional({
    maxLength: 100,
    description: 'With `agent_id`: the single row of an unexpected database',
  })
  @IsOptional()
  @DatabaseName()
  database_name?: string;
}

/** Which jobs a list shows, by agent and database. */
export class BackupJobQuery extends BackupBoardQuery {
  @ApiPropertyOptional({ maxLength: 100, description: 'Case-insensitive' })
  @IsOptional()
  @Line(100)
  company_name?: string;
}

/** An expected backup and its last results. */
export class BackupJob extends BackupDatabase {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ description: "HH:mm in the tenant's zone" })
  expected_time: string;

  @ApiProperty({ type: [Number], description: 'ISO, Monday is 1' })
  days_of_week: number[];

  @ApiProperty()
  grace_minutes: number;

  @ApiProperty({ enum: BACKUP_JOB_STATUSES, description: 'The verdict of its newest entry' })
  status: BackupJobStatus;

  @ApiProperty({
    enum: BACKUP_WARNINGS,
    isArray: true,
    description: 'Warnings of its newest entry, most severe first',
  })
  warnings: BackupWarning[];

  @ApiProperty({ type: Date, nullable: true, description: 'Time at which it got this status' })
  status_since: Date | null;

  @ApiProperty({ type: Date, nullable: true })
  last_checked_at: Date | null;

  @ApiProperty({ type: Date, nullable: true })
  last_success_at: Date | null;

  @ApiProperty({ type: Date, nullable: true })
  last_failure_at: Date | null;

  @ApiProperty()
  created_at: Date;

  @ApiProperty()
  updated_at: Date;
}
