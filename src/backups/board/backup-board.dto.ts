import { ApiProperty } from '@nestjs/swagger';
import {
  BACKUP_REASONS,
  BACKUP_VERDICTS,
  BACKUP_WARNINGS,
  type BackupReason,
  type BackupVerdict,
  type BackupWarning,
  type Doubt,
  DOUBTS,
} from '../../contracts/backups.js';
import { ALERT_STATES, type AlertState } from '../../notifications/alerts/alerts.dto.js';
import { BackupDatabase } from '../jobs/backup-database.dto.js';
import { BACKUP_JOB_STATUSES, type BackupJobStatus } from '../jobs/backup-jobs.dto.js';

/** One of the last results of a database. */
export class BackupResult {
  @ApiProperty({ format: 'uuid', description: 'The entry' })
  id: string;

  @ApiProperty({
    type: String,
    enum: BACKUP_VERDICTS,
    nullable: true,
    description: 'null: its file has not arrived',
  })
  verdict: BackupVerdict | null;

  @ApiProperty({ type: String, enum: BACKUP_REASONS, nullable: true })
  reason: BackupReason | null;

  @ApiProperty({ enum: BACKUP_WARNINGS, isArray: true, description: 'Most severe first' })
  warnings: BackupWarning[];

  @ApiProperty({ type: Date, nullable: true })
  expected_at: Date | null;

  @ApiProperty({ description: "The report's time; the expected time without a report" })
  effective_at: Date;

  @ApiProperty({ type: Date, nullable: true })
  evaluated_at: Date | null;
}

/** An open incident of a job. */
export class BackupIncident {
  @ApiProperty({ format: 'uuid', description: 'The alert' })
  id: string;

  @ApiProperty({ enum: BACKUP_VERDICTS })
  verdict: BackupVerdict;

  @ApiProperty({
    type: String,
    enum: DOUBTS,
    nullable: true,
    description: 'Why a SUCCESS is doubtful; null for any other verdict',
  })
  warning: Doubt | null;

  @ApiProperty({ enum: ALERT_STATES, description: 'resolved: silenced manually' })
  state: AlertState;

  @ApiProperty()
  occurrences: number;

  @ApiProperty()
  first_seen_at: Date;
}

/** The state of the backups of one database. */
export class BackupBoardRow extends BackupDatabase {
  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  job_id: string | null;

  @ApiProperty({ description: 'false: no job expects it, but an agent reported it in the last 30 days' })
  expected: boolean;

  @ApiProperty({ enum: BACKUP_JOB_STATUSES })
  verdict: BackupJobStatus;

  @ApiProperty({
    enum: BACKUP_WARNINGS,
    isArray: true,
    description: `Warnings of the newest result, most severe first. ${DOUBTS.join(' and ')} make a SUCCESS doubtful`,
  })
  warnings: BackupWarning[];

  @ApiProperty({ type: Date, nullable: true, description: 'Time at which it got this verdict' })
  since: Date | null;

  @ApiProperty({ description: 'true: reported, but the file has not arrived yet' })
  waiting: boolean;

  @ApiProperty({
    type: Date,
    nullable: true,
    description: 'Time of the last good backup; doubtful ones do not count',
  })
  last_success_at: Date | null;

  @ApiProperty({ type: 'integer', nullable: true, description: 'Age of the last good backup' })
  last_success_age_seconds: number | null;

  @ApiProperty({ type: Date, nullable: true })
  last_failure_at: Date | null;

  @ApiProperty({ type: Date, nullable: true })
  last_checked_at: Date | null;

  @ApiProperty({ type: Date, nullable: true })
  next_expected_at: Date | null;

  @ApiProperty({ type: [BackupIncident], description: 'Oldest first' })
  incidents: BackupIncident[];

  @ApiProperty({ type: [BackupResult], description: 'The last 30, newest first' })
  results: BackupResult[];
}

export type BackupCounts = Record<BackupJobStatus, number>;

/** A page of the board, and how many rows have which verdict. */
export class BackupBoard {
  @ApiProperty({ type: [BackupBoardRow] })
  data: BackupBoardRow[];

  @ApiProperty({ type: String, nullable: true })
  next_cursor: string | null;

  @ApiProperty({
    type: 'object',
    properties: Object.fromEntries(BACKUP_JOB_STATUSES.map((status) => [status, { type: 'integer' }])),
    required: [...BACKUP_JOB_STATUSES],
    description: 'Counts over all pages and verdicts; all filters apply except `status`',
  })
  counts: BackupCounts;

  @ApiProperty({
    type: [String],
    description: 'Folders of the inbox that are skipped because their names are not agent ids. Up to 20',
  })
  ignored_folders: string[];
}
