import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { PageQuery } from '../platform/http/page.dto.js';
import { CountedPageQuery } from '../platform/lists/list-query.js';
import { IMPORT_KINDS, type ImportKindName } from './import-kind.js';

export const IMPORT_STATES = ['receiving', 'comparing', 'staged', 'applying', 'done', 'failed'] as const;
export type ImportState = (typeof IMPORT_STATES)[number];

/** An import: its file, progress and result. */
export class ImportView {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ enum: IMPORT_KINDS })
  kind: ImportKindName;

  @ApiProperty({
    enum: IMPORT_STATES,
    description:
      'A `staged` import is a dry run that has applied nothing yet; a `failed` one applied nothing; a `done` one ' +
      'applied all lines except the rejected ones',
  })
  state: ImportState;

  @ApiProperty({ enum: ['csv', 'ndjson'] })
  format: 'csv' | 'ndjson';

  @ApiProperty({ type: String, nullable: true, example: 'windows-1252' })
  encoding: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'SHA-256 of the content as received' })
  content_sha256: string | null;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Content-Length of the upload; null if it had none',
  })
  bytes_total: number | null;

  @ApiProperty({ type: Number, description: 'Bytes received so far' })
  bytes: number;

  @ApiProperty({ type: Number, description: 'Lines read so far, without header and blank lines' })
  lines: number;

  @ApiProperty({ type: Number })
  created: number;

  @ApiProperty({ type: Number })
  updated: number;

  @ApiProperty({ type: Number, description: 'Lines that changed nothing' })
  unchanged: number;

  @ApiProperty({ type: Number, description: 'Lines with faults; GET imports/{id}/faults lists them' })
  rejected: number;

  @ApiProperty({
    type: Number,
    nullable: true,
    description:
      'Open items with an external id that the file does not have; they stay as they are. null: not a dry run',
  })
  missing: number | null;

  @ApiProperty({ type: String, nullable: true, description: 'Why it failed' })
  error: string | null;

  @ApiProperty({ type: String, example: 'user:01890a5d-ac96-774b-bcce-b302099a8057' })
  created_by: string;

  @ApiProperty({ type: String, format: 'date-time' })
  created_at: Date;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  finished_at: Date | null;
}

/** A fault of a line of a file. */
export class ImportFault {
  @ApiProperty({
    type: Number,
    description: 'Counted from 1; the first line if a cell has line breaks',
  })
  line: number;

  @ApiProperty({ type: String, nullable: true, description: 'null: the line as a whole' })
  field: string | null;

  @ApiProperty({ type: String })
  detail: string;
}

export const CHANGE_OUTCOMES = ['created', 'updated', 'missing'] as const;

/** A change that applying a dry run would make, or an item that the file does not have. */
export class ImportChange {
  @ApiProperty({ enum: CHANGE_OUTCOMES })
  outcome: (typeof CHANGE_OUTCOMES)[number];

  @ApiProperty({ type: Number, nullable: true, description: 'The line of the file; null: a missing item' })
  line: number | null;

  @ApiProperty({ type: String, format: 'uuid', nullable: true, description: 'null: an item to create' })
  item_id: string | null;

  @ApiProperty({ type: String })
  title: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string', nullable: true },
    description: 'The fields that differ, as they are; of a missing item, its date and client',
  })
  before: Record<string, string | null>;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string', nullable: true },
    description: 'The same fields, as they would be; all fields of an item to create',
  })
  after: Record<string, string | null>;
}

export class ImportChangeQuery extends CountedPageQuery {
  @ApiPropertyOptional({ enum: CHANGE_OUTCOMES })
  @IsOptional()
  @IsIn(CHANGE_OUTCOMES)
  outcome?: (typeof CHANGE_OUTCOMES)[number];
}

export class ImportQuery extends PageQuery {
  @ApiPropertyOptional({ enum: IMPORT_KINDS })
  @IsOptional()
  @IsIn(IMPORT_KINDS)
  kind?: ImportKindName;

  @ApiPropertyOptional({ enum: IMPORT_STATES })
  @IsOptional()
  @IsIn(IMPORT_STATES)
  state?: ImportState;
}
