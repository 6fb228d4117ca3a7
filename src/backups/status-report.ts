import { createHash } from 'node:crypto';
import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional, getSchemaPath } from '@nestjs/swagger';
import { plainToInstance, Transform } from 'class-transformer';
import {
  IsIn,
  IsInt,
  IsInstance,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
  ValidateBy,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { AGENT_STATUSES, type AgentStatus } from '../contracts/backups.js';
import { isCivilDate } from '../platform/clock/civil-time.js';
import type { Fault } from '../platform/errors/problem.js';
import { AgentId } from '../platform/http/agent-id.js';
import { Line } from '../platform/http/text.js';
import { REFUSED_DATABASE_NAMES } from './database-name.js';

/** A report of more bytes is refused, as a body of REST is. */
export const REPORT_LIMIT = 1_048_576;
/** Databases that one report may speak of. */
const MOST_DATABASES = 1_000;
const LONGEST_TEXT = 20_000;
/** How much the clock of an agent may be ahead. */
const AHEAD_MS = 10 * 60_000;

/** Agents write what they do not know as an empty text, too. */
function Known(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (value === '' ? null : value)),
    IsOptional(),
  );
}

/** What other programs said: kept as far as it can be stored and read. */
function Words(): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ type: String, nullable: true }),
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? printable(value) : value)),
    IsOptional(),
    IsString(),
  );
}

function printable(text: string): string | null {
  const cleaned = text
    .replace(/\r\n?/g, '\n')
    .replace(/[^\P{Cc}\n\t]/gu, '')
    .replace(/\p{Cs}/gu, '\ufffd')
    .trim();
  return cleaned === '' ? null : cleaned.slice(0, LONGEST_TEXT);
}

function Bytes(): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ type: Number, nullable: true, minimum: 0 }),
    Known(),
    IsInt(),
    Min(0),
    Max(Number.MAX_SAFE_INTEGER),
  );
}

const INSTANT = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

/** An instant of this century with its offset from UTC: without one it would be another on each machine. */
function ReportedInstant(): PropertyDecorator {
  return ValidateBy({
    name: 'reportedInstant',
    validator: {
      validate: (value: unknown) => {
        const date = typeof value === 'string' ? INSTANT.exec(value)?.[1] : undefined;
        return (
          date !== undefined &&
          date >= '2000' &&
          isCivilDate(date) &&
          !Number.isNaN(Date.parse(String(value)))
        );
      },
      defaultMessage: () => '$property must be an instant with its offset from UTC, as 2026-03-30T02:10:00Z',
    },
  });
}

function OptionalInstant(): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ type: String, format: 'date-time', nullable: true }),
    Known(),
    ReportedInstant(),
  );
}

/** Whether what is said of a file has to be there: a success without it could not be checked. */
const succeeded = ({ status, ...rest }: DatabaseReport, field: 'hash_sha256' | 'staged_file_name') =>
  status === 'success' || rest[field] != null;

/** What an agent says of one database. */
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
  // Where a name leads is for the scan to judge; one that can't be stored is no name.
  @Matches(/^(?:[^\0\p{Cs}])*$/u, { message: '$property must not contain NUL or lone surrogates' })
  staged_file_name?: string | null;

  @Words()
  logs_summary?: string | null;

  @Words()
  error_msg?: string | null;
}

const DATABASE_NAME = /^[^\p{Cc}\p{Cs}]{1,100}$/u;

function isDatabaseName(name: string): boolean {
  return DATABASE_NAME.test(name) && name.trim() === name && !REFUSED_DATABASE_NAMES.includes(name);
}

/** Names of databases as the keys of a report. */
function DatabaseNames(): PropertyDecorator {
  return ValidateBy({
    name: 'databaseNames',
    validator: {
      validate: (value: unknown) =>
        value instanceof Map &&
        value.size >= 1 &&
        value.size <= MOST_DATABASES &&
        [...value.keys()].every((name) => typeof name === 'string' && isDatabaseName(name)),
      defaultMessage: () =>
        `$property must name 1 to ${MOST_DATABASES} databases, each by 1 to 100 characters without control characters`,
    },
  });
}

/** STATUS.json: what an agent says of the databases it backs up. The same as a file and over REST. */
export class StatusReport {
  @ApiProperty({ type: String, format: 'date-time', example: '2026-03-30T02:10:00Z' })
  @ReportedInstant()
  operation_timestamp_utc: string;

  @ApiProperty()
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
  // Of what came, not of `value`: class-transformer has left out what is called as a method is.
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

/** Instants that have not come yet: whoever's clock is wrong would have the last word for as long. */
export function futureFaults(report: StatusReport, now: Date): Fault[] {
  const faults: Fault[] = [];
  const check = (instant: string | null | undefined, pointer: string) => {
    if (instant != null && Date.parse(instant) > now.getTime() + AHEAD_MS) {
      faults.push({ pointer, detail: `${instant} is in the future (it is ${now.toISOString()})` });
    }
  };
  check(report.operation_timestamp_utc, '/operation_timestamp_utc');
  for (const [name, said] of report.databases) {
    for (const field of INSTANTS) {
      check(said[field], `/databases/${name.replaceAll('~', '~0').replaceAll('/', '~1')}/${field}`);
    }
  }
  return faults;
}

const INSTANTS = ['agent_transfer_process_start_time_utc', 'agent_transfer_process_timestamp_utc'] as const;

/** What a report says, the same however it was written. */
export interface ReportContent {
  operation_timestamp_utc: string;
  agent_id: string;
  company_name: string;
  city: string;
  neighborhood: string | null;
  databases: Record<string, Partial<DatabaseReport>>;
}

export function contentOf(report: StatusReport): ReportContent {
  const instant = (text: string) => new Date(text).toISOString();
  const databases = [...report.databases]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, said]) => {
      const known = DATABASE_FIELDS.flatMap((field) => {
        const value = said[field];
        if (value == null) return [];
        const isInstant = (INSTANTS as readonly string[]).includes(field);
        return [[field, isInstant ? instant(String(value)) : value] as const];
      });
      return [name, Object.fromEntries(known)] as const;
    });
  return {
    operation_timestamp_utc: instant(report.operation_timestamp_utc),
    agent_id: report.agent_id,
    company_name: report.company_name,
    city: report.city,
    neighborhood: report.neighborhood ?? null,
    databases: Object.fromEntries(databases),
  };
}

/** SHA-256, in hexadecimal digits: by it the same report is known, as a file and over REST. */
export function contentHash(content: ReportContent): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}

/** The fields of a database's part, in the order in which they are hashed. */
export const DATABASE_FIELDS = [
  'status',
  'hash_sha256',
  'size_bytes',
  'compress_size_pre_compress',
  'compress_size_post_compress',
  'agent_transfer_process_status',
  'agent_transfer_process_start_time_utc',
  'agent_transfer_process_timestamp_utc',
  'agent_transfer_error_message',
  'staged_file_name',
  'logs_summary',
  'error_msg',
] as const satisfies readonly (keyof DatabaseReport)[];
