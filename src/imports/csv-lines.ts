import { pipeline, Readable } from 'node:stream';
import { CsvError, type Info, Parser } from 'csv-parse';
import { Problem } from '../platform/errors/problem.js';
import { type Columns, columnsOf, separatorOf } from './csv-header.js';
import { type FileLine, LINE_LIMIT } from './file-line.js';
import type { ImportKind } from './import-kind.js';
import { refused } from './refusal.js';

/** A header may be this long, in characters. */
const HEADER_LIMIT = 65_536;

interface CsvRecord {
  record: string[];
  info: Info;
}

/**
 * CSV as spreadsheets write it: separated by `;`, `,` or tabs, quoted where needed, with any line ends. Blank cells
 * are null, blank lines nothing.
 * @throws Problem file_refused when header or quotes leave open what belongs where, unsupported_media_type when it
 * is JSON.
 */
export async function* csvLines(text: AsyncIterable<string>, kind: ImportKind): AsyncGenerator<FileLine> {
  const { head, rest } = await headOf(withLineFeeds(text));
  const { separator, content } = begins(head, kind);
  const skipped = new Set<number>();
  const records = parsed(content, rest, separator, skipped);
  let columns: Columns | null = null;
  for await (const { record, info } of records) {
    yield* faultsOf(skipped);
    if (record.every((cell) => cell.trim() === '')) continue;
    // The line on which it ends, less the line feeds in it.
    const line = info.lines - record.reduce((sum, cell) => sum + cell.split('\n').length - 1, 0);
    if (columns === null) columns = columnsOf(record, kind);
    else yield { line, ...valuesOf(record, columns, kind) };
  }
  yield* faultsOf(skipped);
  if (columns === null) throw refused('the file is empty');
}

function* faultsOf(skipped: Set<number>): Generator<FileLine> {
  for (const line of skipped) {
    yield {
      line,
      fault: {
        field: null,
        detail: 'has a quote inside a cell: put the cell in quotes, and double the quote',
      },
    };
  }
  skipped.clear();
}

function valuesOf(
  record: readonly string[],
  columns: Columns,
  { cells }: ImportKind,
): Pick<FileLine, never> & CsvCells {
  const used = record.length - trailingBlanks(record);
  if (record.length < columns.length || used > columns.length) {
    const detail = `has ${Math.max(record.length, used)} cells, the header has ${columns.length}`;
    return { fault: { field: null, detail } };
  }
  const values: Record<string, unknown> = {};
  for (const [at, field] of columns.entries()) {
    const cell = record[at] ?? '';
    const blank = cell.trim() === '';
    if (field === null && !blank) {
      return { fault: { field: null, detail: `cell ${at + 1} is in a column without a name` } };
    }
    if (field !== null) values[field] = blank ? null : (cells[field]?.(cell) ?? cell);
  }
  return { values };
}

type CsvCells = { values: Record<string, unknown> } | { fault: { field: null; detail: string } };

function trailingBlanks(record: readonly string[]): number {
  const last = record.findLastIndex((cell) => cell.trim() !== '');
  return record.length - 1 - last;
}

/** The text up to the end of the first line that says something, and what follows. */
async function headOf(text: AsyncGenerator<string>): Promise<{ head: string; rest: AsyncGenerator<string> }> {
  let head = '';
  while (!head.includes('\n', head.search(/\S|$/))) {
    if (head.length > HEADER_LIMIT) throw refused('the first line is too long for a header');
    const next = await text.next();
    if (next.done === true) break;
    head += next.value;
  }
  return { head, rest: text };
}

/** The separator, and the head without the line `sep=;` that Excel understands and some programs write. */
function begins(head: string, kind: ImportKind): { separator: string; content: string } {
  const first = /\S[^\n]*/.exec(head)?.[0] ?? '';
  if (/^[[{]/.test(first)) {
    throw new Problem('unsupported_media_type', 'this looks like JSON: send NDJSON as application/x-ndjson');
  }
  const named = /^"?sep=([;,\t])"?\s*$/i.exec(first)?.[1];
  return named === undefined
    ? { separator: separatorOf(first, kind), content: head }
    : { separator: named, content: head.replace(/[^\n]*sep=[^\n]*/i, '') };
}

function parsed(
  head: string,
  rest: AsyncGenerator<string>,
  separator: string,
  skipped: Set<number>,
): AsyncIterable<CsvRecord> {
  const parser = new Parser({
    delimiter: separator,
    record_delimiter: '\n',
    relax_column_count: true,
    info: true,
    max_record_size: LINE_LIMIT,
    skip_records_with_error: true,
    on_skip: (error) => {
      // A quote inside an unquoted cell is the matter of its line. After any other fault it is open where a line ends.
      if (error?.code === 'INVALID_OPENING_QUOTE') skipped.add(Number(error['lines']));
      else throw quoteRefused(error);
    },
  });
  const source = Readable.from(
    (async function* () {
      yield head;
      yield* rest;
    })(),
  );
  // An error on either side reaches the reader of the parser.
  pipeline(source, parser, () => undefined);
  return parser as AsyncIterable<CsvRecord>;
}

function quoteRefused(error: CsvError | undefined): Problem {
  const at = error === undefined ? '' : ` (line ${String(error['lines'])})`;
  switch (error?.code) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return refused(`a quote is not closed before the end of the file${at}: is the file complete?`);
    case 'CSV_MAX_RECORD_SIZE':
      return refused(`a line is longer than 1 MB${at}: is there a quote that is not closed?`);
    default:
      return refused(`a quoted cell goes on after its quote${at}: double the quotes inside a cell`);
  }
}

/** With `\n` wherever a line ends. */
async function* withLineFeeds(text: AsyncIterable<string>): AsyncGenerator<string> {
  let carried = '';
  for await (const piece of text) {
    const whole = carried + piece;
    carried = whole.endsWith('\r') ? '\r' : '';
    yield whole.slice(0, whole.length - carried.length).replace(/\r\n?/g, '\n');
  }
  if (carried !== '') yield '\n';
}
