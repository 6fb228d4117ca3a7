import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, Matches, Max, MaxLength, Min, ValidateBy } from 'class-validator';
import { Flag } from '../platform/lists/list-query.js';
import { type Columns, IGNORED } from './csv-header.js';
import type { CsvHeader, Header } from './csv-header-search.js';
import { CsvRecords } from './csv-records.js';
import type { ImportKind } from './import-kind.js';
import type { TextLine } from './line-splitter.js';
import { refused } from './refusal.js';

/** Names of the separators of a CSV file. */
export const NAMED_SEPARATORS = { semicolon: ';', comma: ',', tab: '\t' } as const;
export type SeparatorName = keyof typeof NAMED_SEPARATORS;

const SEPARATOR_NAMES = Object.keys(NAMED_SEPARATORS) as SeparatorName[];

/** How a file is read. */
export class ImportOptions {
  @Flag('true: only compare. The answer is a `staged` import; POST imports/{id}/apply applies it')
  dry_run?: boolean;

  @ApiPropertyOptional({
    maxLength: 4_000,
    example: 'title,due_on,-,client_name',
    description:
      'CSV only: the field of each column, in their order, whatever their names; `-` ignores a column. ' +
      'POST {kind}/import/columns proposes them.',
  })
  @IsOptional()
  @MaxLength(4_000)
  @Matches(/^(-|[a-z_]+)(,(-|[a-z_]+))*$/, { message: 'columns must be fields, or -, separated by commas' })
  columns?: string;

  @ApiPropertyOptional({
    minimum: 1,
    maximum: 1_000,
    default: 1,
    description: 'With `columns`: the line on which the header begins; lines above it are skipped',
  })
  @IsOptional()
  @NeedsColumns()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(1_000)
  header_line?: number;

  @ApiPropertyOptional({ enum: SEPARATOR_NAMES, default: 'semicolon', description: 'With `columns`' })
  @IsOptional()
  @NeedsColumns()
  @IsIn(SEPARATOR_NAMES)
  separator?: SeparatorName;
}

function NeedsColumns(): PropertyDecorator {
  return ValidateBy({
    name: 'needsColumns',
    validator: {
      validate: (_value: unknown, args) => (args?.object as ImportOptions | undefined)?.columns !== undefined,
      defaultMessage: () => '$property is for `columns`',
    },
  });
}

/** The columns of a file as its sender names them. */
export interface ColumnMapping {
  columns: Columns;
  headerLine: number;
  separator: string;
}

/** @throws Problem file_refused for unknown, duplicate or missing fields. */
export function mappingOf(options: ImportOptions, kind: ImportKind): ColumnMapping | null {
  if (options.columns === undefined) return null;
  const fields = options.columns.split(',');
  const known = new Set(kind.columns.values());
  const used = fields.filter((field) => field !== '-');
  const unknown = used.filter((field) => !known.has(field));
  if (unknown.length > 0) throw refused(`unknown fields: ${unknown.slice(0, 20).join(', ')}`);
  const doubled = used.filter((field, at) => used.indexOf(field) !== at);
  if (doubled.length > 0) throw refused(`duplicate fields: ${doubled.slice(0, 20).join(', ')}`);
  const missing = kind.required.filter((field) => !used.includes(field));
  if (missing.length > 0) throw refused(`no column is ${missing.join(' and ')}`);
  return {
    columns: fields.map((field) => (field === '-' ? IGNORED : field)),
    headerLine: options.header_line ?? 1,
    separator: NAMED_SEPARATORS[options.separator ?? 'semicolon'],
  };
}

/** Skips the header, whose columns the sender has named. */
export class MappedHeader implements CsvHeader {
  private readonly records: CsvRecords;

  constructor(private readonly mapping: ColumnMapping) {
    this.records = new CsvRecords(mapping.separator);
  }

  push({ line, content }: TextLine): Header | null {
    const { columns, headerLine, separator } = this.mapping;
    if (line < headerLine) return null;
    const header = this.records.push(content ?? '', line);
    if (header === null) return null;
    if ('used' in header && header.used > columns.length) {
      throw refused(`the header has ${header.used} columns, of which ${columns.length} are named`);
    }
    return { columns, separator, below: [] };
  }

  end(): never {
    throw refused(`the file has no header on line ${this.mapping.headerLine}`);
  }
}
