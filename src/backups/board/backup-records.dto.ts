import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsBoolean, IsIn, IsOptional, IsUUID } from 'class-validator';
import {
  AGENT_STATUSES,
  type AgentStatus,
  BACKUP_REASONS,
  BACKUP_VERDICTS,
  BACKUP_WARNINGS,
  type BackupReason,
  type BackupVerdict,
  type BackupWarning,
} from '../../contracts/backups.js';
import { AgentId } from '../../platform/http/agent-id.js';
import { Instant } from '../../platform/http/instant.js';
import { PageQuery } from '../../platform/http/page.dto.js';
import { BackupDatabase } from '../jobs/backup-database.dto.js';
import { DatabaseName } from '../jobs/database-name.js';

const REPORT_STATES = ['accepted', 'rejected'] as const;
const REPORT_SOURCES = ['file', 'api'] as const;

/** Which entries a list shows, newest first. */
export class BackupEntryQuery extends PageQuery {
  @ApiPropertyOptional({ format: 'uuid' })
  @IsOptional()
  @IsUUID()
  job_id?: string;

  @ApiPropertyOptional({ maxLength: 100 })
  @IsOptional()
  @AgentId()
  agent_id?: string;

  @ApiPropertyOptional({ maxLength: 100 })
  @IsOptional()
  @DatabaseName()
  database_name?: string;

  @ApiPropertyOptional({ enum: BACKUP_VERDICTS })
  @IsOptional()
  @IsIn(BACKUP_VERDICTS)
  verdict?: BackupVerdict;

  @ApiPropertyOptional({
    description: 'true: only expected databases; false: only unexpected ones',
  })
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value))
  @IsBoolean()
  expected?: boolean;

  @ApiPropertyOptional({ format: 'date-time', description: 'effective_at is this instant or later' })
  @IsOptional()
  @Instant()
  since?: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'effective_at is earlier than this instant' })
  @IsOptional()
  @Instant()
  until?: string;
}

/** Which reports a list shows, newest first. */
export class BackupReportQuery extends PageQuery {
  @ApiPropertyOptional({ maxLength: 100 })
  @IsOptional()
  @AgentId()
  agent_id?: string;

  @ApiPropertyOptional({ enum: REPORT_STATES })
  @IsOptional()
  @IsIn(REPORT_STATES)
  state?: (typeof REPORT_STATES)[number];

  @ApiPropertyOptional({ enum: REPORT_SOURCES })
  @IsOptional()
  @IsIn(REPORT_SOURCES)
  source?: (typeof REPORT_SOURCES)[number];
}

const text = (description?: string) => ApiProperty({ type: String, nullable: true, description });
const bytes = (description: string) => ApiProperty({ type: 'integer', nullable: true, description });
const instant = (description?: string) => ApiProperty({ type: Date, nullable: true, description });
const same = (description: string) => ApiProperty({ type: Boolean, nullable: true, description });

/** What an agent reported about one backup, what the server found, and how the two compare. Sizes are bytes. */
export class BackupEntry extends BackupDatabase {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({
    type: String,
    format: 'uuid',
    nullable: true,
    description: 'null: no job expects this database',
  })
  job_id: string | null;

  @ApiProperty({ type: String, format: 'uuid', nullable: true, description: 'null: no report arrived' })
  report_id: string | null;

  @ApiProperty({
    type: String,
    enum: BACKUP_VERDICTS,
    nullable: true,
    description: 'null: its file has not arrived',
  })
  verdict: BackupVerdict | null;

  @ApiProperty({ type: String, enum: BACKUP_REASONS, nullable: true, description: 'Why it is not SUCCESS' })
  reason: BackupReason | null;

  @text('The reason as reported by the system or the agent')
  detail: string | null;

  @ApiProperty({ enum: BACKUP_WARNINGS, isArray: true, description: 'Most severe first' })
  warnings: BackupWarning[];

  @ApiProperty({ type: String, format: 'date', nullable: true, description: "The day in the tenant's zone" })
  expected_on: string | null;

  @instant('The expected time that it belongs to')
  expected_at: Date | null;

  @ApiProperty({ description: "The report's time; the expected time without a report" })
  effective_at: Date;

  @instant()
  evaluated_at: Date | null;

  @instant()
  operation_timestamp_utc: Date | null;

  @ApiProperty({ type: String, enum: AGENT_STATUSES, nullable: true })
  status: AgentStatus | null;

  @text()
  staged_file_name: string | null;

  @text('As reported by the agent')
  hash_sha256: string | null;

  @text('As computed by the server')
  server_hash_sha256: string | null;

  @same('null if one of the two is unknown')
  hashes_match: boolean | null;

  @bytes('As reported by the agent')
  size_bytes: number | null;

  @bytes('As measured by the server')
  server_size_bytes: number | null;

  @same('null if one of the two is unknown')
  sizes_match: boolean | null;

  @bytes('Before compression')
  compress_size_pre_compress: number | null;

  @bytes('After compression')
  compress_size_post_compress: number | null;

  @text()
  agent_transfer_process_status: string | null;

  @instant()
  agent_transfer_process_start_time_utc: Date | null;

  @instant()
  agent_transfer_process_timestamp_utc: Date | null;

  @text()
  agent_transfer_error_message: string | null;

  @text()
  error_msg: string | null;

  @text()
  logs_summary: string | null;

  @text('Path of the stored file below BACKUP_STORE_DIR')
  stored_path: string | null;

  @ApiProperty({
    type: String,
    enum: ['stored', 'damaged', 'gone', 'removing', 'removed'],
    nullable: true,
    description: 'State of the stored file',
  })
  stored_state: string | null;

  @instant('Time of the last verification of the stored file')
  verified_at: Date | null;

  @ApiProperty()
  created_at: Date;
}

/** A report as it was received. Its databases are in the entries. */
export class BackupReport {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty()
  agent_id: string;

  @ApiProperty({ enum: REPORT_SOURCES })
  source: (typeof REPORT_SOURCES)[number];

  @text('null: it arrived over REST')
  file_name: string | null;

  @ApiProperty({ enum: REPORT_STATES })
  state: (typeof REPORT_STATES)[number];

  @text('Why it was rejected')
  reason: string | null;

  @ApiProperty({
    type: [String],
    description: 'Unknown fields and faults of databases: up to 20, one per line',
  })
  warnings: string[];

  @instant()
  operation_timestamp_utc: Date | null;

  @ApiProperty()
  received_at: Date;
}
