import { ApiProperty, ApiPropertyOptional, getSchemaPath } from '@nestjs/swagger';
import { plainToInstance, Transform } from 'class-transformer';
import {
  IsIn,
  IsInstance,
  IsString,
  Matches,
  MaxLength,
  MinLength,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { AGENT_STATUSES, type AgentStatus } from '../../contracts/backups.js';
import type { Fault } from '../../platform/errors/problem.js';
import { AgentId } from '../../platform/http/agent-id.js';
import { Line } from '../../platform/http/text.js';
import { Bytes, DatabaseNames, Known, OptionalInstant, ReportedInstant, Words } from './report-fields.js';

/** A report of more bytes is refused, as a body of REST is. */
export const REPORT_LIMIT = 1_048_576;
/** How far the clock of an agent may be ahead, in ms. */
const AHEAD_MS = 10 * 60_000;

/** Whether a field about the file is required: a success without it could not be verified. */
const succeeded = ({ status, ...rest }: DatabaseReport, field: 'hash_sha256' | 'staged_file_name') =>
  status === 'success' || rest[field] != null;

/** An agent's report about one database. */
export class DatabaseReport {
  @ApiProperty({ enum: AGENT_STATUSES })
  @IsIn(AGENT_STATUSES)
  status: AgentStatus;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    pattern: '^[0-9a-fA-F]{64}$',
    description: 'Of the staged file; required when the status is success',
  })
  @Transform(({ value }: { value: unknown }) =>
    value === '' ? null : typeof value === 'string' ? value.toLowerCase() : value,
  )
  @ValidateIf((report: DatabaseReport) => succeeded(report, 'hash_sha256'))
  @Matches(/^[0-9a-f]{64}$/, {
    message: '$property must be the 64 hexadecimal digits of a SHA-256; a success needs it',
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

  @OptionalInstant()
  agent_transfer_process_start_time_utc?: string | null;

  @OptionalInstant()
  agent_transfer_process_timestamp_utc?: string | null;

  @Words()
  agent_transfer_error_message?: string | null;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    maxLength: 1000,
    description: "In the agent's folder database/; required when the status is success",
  })
  @Transform(({ value }: { value: unknown }) => (value === '' ? null : value))
  @ValidateIf((report: DatabaseReport) => succeeded(report, 'staged_file_name'))
  @IsString({ message: '$property must be the name of the staged file; a success needs it' })
  @MinLength(1)
  @MaxLength(1_000)
  // The scan decides where a name leads. A name that PostgreSQL cannot store is refused here.
  @Matches(/^(?:[^\0\p{Cs}])*$/u, { message: '$property must not contain NUL or lone surrogates' })
  staged_file_name?: string | null;

  @Words()
  logs_summary?: string | null;

  @Words()
  error_msg?: string | null;
}

/** STATUS.json: an agent's report about the databases it backs up. The same as a file and over REST. */
export class StatusReport {
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

  @ApiProperty({
    type: 'object',
    additionalProperties: { $ref: getSchemaPath(DatabaseReport) },
    description: 'By the name of the database',
  })
  // Reads the original, because class-transformer drops keys of `value` that are names of methods.
  @Transform(({ obj }: { obj: { databases?: unknown } }) => byName(obj.databases))
  @IsInstance(Map, { message: '$property must be an object' })
  @DatabaseNames()
  @IsInstance(DatabaseReport, { each: true, message: 'each value in $property must be an object' })
  @ValidateNested({ each: true, message: 'each value in $property must be an object' })
  databases: Map<string, DatabaseReport>;
}

function byName(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Map)
    return value;
  return new Map(
    Object.entries(value).map(([name, said]: [string, unknown]) => [
      name,
      typeof said === 'object' && said !== null && !Array.isArray(said)
        ? plainToInstance(DatabaseReport, said)
        : said,
    ]),
  );
}

/** The fields of a database that are instants. */
export const REPORTED_INSTANTS = [
  'agent_transfer_process_start_time_utc',
  'agent_transfer_process_timestamp_utc',
] as const satisfies readonly (keyof DatabaseReport)[];

/** Finds instants in the future: the reports of an agent with a wrong clock would be the newest until then. */
export function futureFaults(report: StatusReport, now: Date): Fault[] {
  const faults: Fault[] = [];
  const check = (instant: string | null | undefined, pointer: string) => {
    if (instant != null && Date.parse(instant) > now.getTime() + AHEAD_MS) {
      faults.push({ pointer, detail: `${instant} is in the future (it is ${now.toISOString()})` });
    }
  };
  check(report.operation_timestamp_utc, '/operation_timestamp_utc');
  for (const [name, said] of report.databases) {
    for (const field of REPORTED_INSTANTS) {
      check(said[field], `/databases/${name.replaceAll('~', '~0').replaceAll('/', '~1')}/${field}`);
    }
  }
  return faults;
}
