import { ApiProperty } from '@nestjs/swagger';
import { NAMED_SEPARATORS, type SeparatorName } from './column-mapping.js';
import { fieldsOf, recognised } from './csv-header.js';
import { isBlankRow } from './csv-header-search.js';
import { CsvRecords, isBlank, MAX_COLUMNS } from './csv-records.js';
import type { ImportKind } from './import-kind.js';
import { LineFeeds, LineSplitter, type TextLine } from './line-splitter.js';
import { refused } from './refusal.js';

/** Lines that are read to find the header, and values to show. */
const MAX_LINES = 60;
/** Titles above the header. */
const MAX_TITLES = 10;
const MAX_SAMPLES = 3;
const MAX_SAMPLE_LENGTH = 80;
const MAX_NAME_LENGTH = 200;

/** A column of a file, and the field that its name matches. */
export class ProposedColumn {
  @ApiProperty({ type: String, description: 'Its name in the header; may be empty' })
  name: string;

  @ApiProperty({ type: String, nullable: true, description: 'null: not recognised' })
  field: string | null;

  @ApiProperty({ type: [String], description: 'Its first values' })
  samples: string[];
}

/** The columns of a file, for a person to confirm. */
export class ColumnProposal {
  @ApiProperty({ type: String, example: 'windows-1252' })
  encoding: string;

  @ApiProperty({ enum: Object.keys(NAMED_SEPARATORS) })
  separator: SeparatorName;

  @ApiProperty({ type: Number, description: 'The line on which the header begins' })
  header_line: number;

  @ApiProperty({ type: [ProposedColumn] })
  columns: ProposedColumn[];

  @ApiProperty({ type: [String], description: 'The fields that a column can have' })
  fields: string[];

  @ApiProperty({ type: [String], description: 'The fields that one column must have' })
  required: string[];
}

/** A row that has ended. */
interface Row {
  line: number;
  cells: string[];
  used: number;
}

/**
 * Proposes the field of each column from the beginning of a CSV file: unlike an import, it accepts unknown names.
 * @throws Problem file_refused when there is no row
 */
export function proposeColumns(text: string, kind: ImportKind): Omit<ColumnProposal, 'encoding'> {
  const lines = linesOf(text);
  const declared = /^"?sep=([;,\t])"?\s*$/i.exec(lines[0]?.content ?? '')?.[1];
  const names = Object.keys(NAMED_SEPARATORS) as SeparatorName[];
  const [best] = names
    .filter((name) => declared === undefined || NAMED_SEPARATORS[name] === declared)
    .map((separator) => readingOf(declared === undefined ? lines : lines.slice(1), separator, kind))
    .sort((one, other) => other.known - one.known || other.width - one.width);
  const header = best?.rows[best.at];
  if (best === undefined || header === undefined) throw refused('the file is empty');
  const cells = header.cells.slice(0, Math.min(header.used, MAX_COLUMNS));
  const fields = fieldsOf(cells, kind);
  const samples = (at: number) =>
    best.rows
      .slice(best.at + 1)
      .map((row) => (row.cells[at] ?? '').trim())
      .filter((cell) => !isBlank(cell))
      .slice(0, MAX_SAMPLES)
      .map((cell) => excerpt(cell, MAX_SAMPLE_LENGTH));
  return {
    separator: best.separator,
    header_line: header.line,
    columns: cells.map((name, at) => ({
      name: excerpt(name.trim(), MAX_NAME_LENGTH),
      // If two columns match the same field, the first one gets it.
      field: fields.indexOf(fields[at]) === at ? (fields[at] ?? null) : null,
      samples: samples(at),
    })),
    fields: [...new Set(kind.columns.values())],
    required: [...kind.required],
  };
}

function readingOf(lines: readonly TextLine[], separator: SeparatorName, kind: ImportKind) {
  const rows = rowsOf(lines, NAMED_SEPARATORS[separator]);
  const known = rows.slice(0, MAX_TITLES + 1).map(({ cells }) => recognised(cells, kind).known);
  const most = Math.max(0, ...known);
  // Without a known name, the first row of the usual width is the header: titles are narrower.
  const width = Math.max(0, ...rows.map(({ used }) => used));
  const at = most > 0 ? known.indexOf(most) : rows.findIndex(({ used }) => used === width);
  return { separator, rows, at, known: most, width };
}

function rowsOf(lines: readonly TextLine[], separator: string): Row[] {
  const records = new CsvRecords(separator);
  const rows: Row[] = [];
  for (const { line, content } of lines) {
    try {
      const row = records.push(content ?? '', line);
      if (row !== null && 'cells' in row && row.cells.some((cell) => !isBlankRow(cell))) rows.push(row);
    } catch {
      // Ambiguous quotes: the import will refuse the file and name the place.
      return rows;
    }
  }
  return rows;
}

function linesOf(text: string): TextLine[] {
  const splitter = new LineSplitter();
  const feeds = new LineFeeds();
  const lines = [...splitter.push(feeds.push(text)), ...splitter.push(feeds.end())];
  const last = splitter.end();
  return [...lines, ...(last === null ? [] : [last])].slice(0, MAX_LINES);
}

function excerpt(text: string, length: number): string {
  // Converts to bytes and back, which replaces half of a surrogate pair.
  return Buffer.from(text.slice(0, length)).toString();
}
