import { normalized } from '../platform/text/normalized.js';
import { type ColumnMapping, MappedHeader } from './column-mapping.js';
import { type Columns, IGNORED } from './csv-header.js';
import { type CsvHeader, CsvHeaderSearch } from './csv-header-search.js';
import { type CsvRecord, CsvRecords, isBlank, type QuoteFault } from './csv-records.js';
import type { FileLine, FileReader, LineFault, ReadLine } from './file-line.js';
import type { ImportKind } from './import-kind.js';
import { LineFeeds, LineSplitter, type TextLine } from './line-splitter.js';
import { refused } from './refusal.js';

/**
 * CSV as spreadsheets write it: separated by `;`, `,` or tabs, quoted where needed, with any line ends. Blank cells are
 * null, blank lines are skipped. Throws Problem file_refused when header or quotes are ambiguous,
 * unsupported_media_type when it is JSON.
 */
export class CsvReader implements FileReader {
  private readonly lineFeeds = new LineFeeds();
  private readonly lines = new LineSplitter();
  private readonly header: CsvHeader;
  private body: { columns: Columns; records: CsvRecords } | null = null;

  /** @param mapping the columns as the sender names them, instead of those of the header */
  constructor(
    private readonly kind: ImportKind,
    mapping: ColumnMapping | null = null,
  ) {
    this.header = mapping === null ? new CsvHeaderSearch(kind) : new MappedHeader(mapping);
  }

  *push(text: string): Generator<FileLine> {
    for (const line of this.lines.push(this.lineFeeds.push(text))) yield* this.read(line);
  }

  *end(): Generator<FileLine> {
    for (const line of this.lines.push(this.lineFeeds.end())) yield* this.read(line);
    const last = this.lines.end();
    if (last !== null) yield* this.read(last);
    if (this.body === null) this.header.end();
    else this.body.records.end();
  }

  private *read(line: TextLine): Generator<FileLine> {
    if (this.body !== null) {
      const read = this.readRow(this.body.columns, this.body.records, line);
      if (read !== null) yield read;
      return;
    }
    const header = this.header.push(line);
    if (header === null) return;
    this.body = { columns: header.columns, records: new CsvRecords(header.separator) };
    for (const below of header.below) yield* this.read(below);
  }

  private readRow(columns: Columns, records: CsvRecords, { line, content }: TextLine): FileLine | null {
    if (content === null) throw refused(`a line is longer than 256 KB (line ${line})`);
    const record = records.push(content, line);
    if (record === null || ('used' in record && record.used === 0)) return null;
    return { line: record.line, ...('used' in record ? this.valuesOf(record, columns) : faultOf(record)) };
  }

  private valuesOf({ cells, count, used }: CsvRecord, columns: Columns): ReadLine | { fault: LineFault } {
    if (used > columns.length) {
      const detail = `has ${used === count ? count : Math.max(used, count)} cells, the header has ${columns.length}`;
      return { fault: { field: null, detail } };
    }
    const values: Record<string, unknown> = {};
    const written: Record<string, string> = {};
    for (const [at, field] of columns.entries()) {
      // Excel omits the separators of blank last cells.
      const cell = cells[at] ?? '';
      const blank = isBlank(cell) || normalized(cell) === '';
      if (field === IGNORED) continue;
      if (field === null) {
        if (!blank) {
          return { fault: { field: null, detail: `cell ${at + 1} is in a column without a header` } };
        }
        continue;
      }
      values[field] = blank ? null : (this.kind.cells[field]?.read(cell) ?? cell);
      if (!blank) written[field] = cell;
    }
    return { values, cells: written };
  }
}

function faultOf({ cell }: QuoteFault): { fault: LineFault } {
  const shown = cell.trim().slice(0, 40);
  return {
    fault: {
      field: null,
      detail: `has a quote inside a cell: put the cell in quotes, and double the quote; the cell begins with ${shown}`,
    },
  };
}
