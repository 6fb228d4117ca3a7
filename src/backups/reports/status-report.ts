import { ApiProperty, ApiPropertyOptional, getSchemaPath } from '@nestjs/swagger';
import { AGENT_STATUSES, type AgentStatus } from '../../contracts/backups.js';
import { AgentId } from '../../platform/http/agent-id.js';
import { Line } from '../../platform/http/text.js';
import { Known, ReportedInstant } from './report-fields.js';

/** Larger reports are refused, in bytes, the same as the limit of a REST body. */
export const REPORT_LIMIT = 1_048_576;

const Bytes = () => ApiPropertyOptional({ type: 'integer', nullable: true, minimum: 0 });
const Words = () => ApiPropertyOptional({ type: String, nullable: true });
const Instant = () => ApiPropertyOptional({ type: String, format: 'date-time', nullable: true });

/** An agent's report about one database; `database-fields` has the rules. */
export class DatabaseReport {
  @ApiProperty({ enum: AGENT_STATUSES })
  status: AgentStatus;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    pattern: '^[0-9a-fA-F]{64}$',
    description: 'SHA-256 of the staged file; required when the status is success',
  })
  hash_sha256?: string | null;

  @Bytes()
  size_bytes?: number | null;

  @Bytes()
  compress_size_pre_compress?: number | null;

  @Bytes()
  compress_size_post_compress?: number | null;

  @Words()
  agent_transfer_process_status?: string | null;

  @Instant()
  agent_transfer_process_start_time_utc?: string | null;

  @Instant()
  agent_transfer_process_timestamp_utc?: string | null;

  @Words()
  agent_transfer_error_message?: string | null;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    maxLength: 1000,
    description: "Name of the file in the agent's folder database/; required when the status is success",
  })
  staged_file_name?: string | null;

  @Words()
  logs_summary?: string | null;

  @Words()
  error_msg?: string | null;
}

/** The fields of a report besides its databases. */
export class ReportHead {
  @ApiProperty({ type: String, format: 'date-time', example: '2026-03-30T02:10:00Z' })
  @ReportedInstant()
  operation_timestamp_utc: string;

  @AgentId()
  agent_id: string;

  @ApiProperty({ maxLength: 100 })
  @Line(100)
  company_name: string;

  @ApiProperty({ maxLength: 100 })
  @Line(100)
  city: string;

  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 100 })
  @Known()
  @Line(100)
  neighborhood?: string | null;
}

/** STATUS.json: an agent's report about the databases it backs up, the same as a file and over REST. */
export class StatusReport extends ReportHead {
  @ApiProperty({
    type: 'object',
    additionalProperties: { $ref: getSchemaPath(DatabaseReport) },
    description: 'By database name, 1 to 1,000. A fault in one database makes only that one FAILED',
  })
  databases: Record<string, DatabaseReport>;
}

export const HEAD_FIELDS = [
  'operation_timestamp_utc',
  'agent_id',
  'company_name',
  'city',
  'neighborhood',
] as const satisfies readonly (keyof ReportHead)[];
