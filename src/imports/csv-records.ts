import { MAX_LINE_LENGTH, MAX_VALUE_LENGTH as MAX_CELL_LENGTH } from './file-line.js';
import { refused } from './refusal.js';

/** Maximum number of columns of a file. */
export const MAX_COLUMNS = 200;

/** One row of a spreadsheet. */
export interface CsvRecord {
  /** The line on which it starts. */
  line: number;
  /** The first `MAX_COLUMNS` cells, without their quotes. */
  cells: string[];
  /** The total number of cells. */
  count: number;
  /** The number of cells without blank ones at the end. */
  used: number;
}

/** A row whose quotes are ambiguous. */
export interface QuoteFault {
  line: number;
  /** The cell, up to the unreadable character. */
  cell: string;
}

const QUOTE = '"';

/** Assembles lines into records: a quoted cell may contain line breaks (RFC 4180). Reads each character once. */
export class CsvRecords {
  private record: CsvRecord | null = null;
  /** A quoted cell that is still open at the end of the line. */
  private cell: string | null = null;
  private length = 0;
  private readonly quoteOpens: RegExp;
  private readonly visible: RegExp;

  /** @param separator one character */
  constructor(private readonly separator: string) {
    this.visible = new RegExp(`[^\\s\\u200b${separator}]`);
    // Some programs write blanks before a quote.
    this.quoteOpens = separator === '\t' ? /[ \u00a0\u2000-\u200b\u202f\ufeff]*"/y : /[\s\u200b]*"/y;
  }

  /**
   * @param line a line of text, without its line feed
   * @returns the record that ends with this line; null while a quoted cell is open
   * @throws Problem file_refused when a quoted cell that spans lines continues after its closing quote (its lines are
   * then ambiguous), and for a record of more than 256 KB.
   */
  push(content: string, line: number): CsvRecord | QuoteFault | null {
    if (this.record === null && !content.includes(QUOTE)) return this.plain(content, line);
    const record = this.record ?? { line, cells: [], count: 0, used: 0 };
    this.length += content.length + 1;
    if (this.length > MAX_LINE_LENGTH) throw tooLong(record.line);
    const fault = this.quoted(record, content, line);
    if (fault === null && this.cell !== null) {
      this.record = record;
      return null;
    }
    this.reset();
    return fault ?? record;
  }

  /** @throws Problem file_refused when a quoted cell is still open. */
  end(): void {
    if (this.record === null) return;
    throw refused(
      `a quote is not closed before the end of the file (line ${this.record.line}): is the file complete?`,
    );
  }

  private reset(): void {
    this.record = null;
    this.cell = null;
    this.length = 0;
  }

  private plain(content: string, line: number): CsvRecord {
    if (!this.visible.test(content)) return { line, cells: [], count: 0, used: 0 };
    const cells = content.split(this.separator, MAX_COLUMNS + 1);
    if (cells.length <= MAX_COLUMNS) return { line, cells, count: cells.length, used: usedOf(cells) };
    cells.pop();
    const rest = content.slice(cells.reduce((sum, cell) => sum + cell.length + 1, 0));
    const count = MAX_COLUMNS + 1 + occurrences(rest, this.separator);
    return { line, cells, count, used: this.visible.test(rest) ? count : usedOf(cells) };
  }

  /** Adds the cells of a line that has quotes, or starts inside them. */
  private quoted(record: CsvRecord, content: string, line: number): QuoteFault | null {
    let at = 0;
    if (this.cell !== null) this.append('\n');
    while (at <= content.length) {
      if (this.cell === null) {
        this.quoteOpens.lastIndex = at;
        if (!this.quoteOpens.test(content)) {
          const end = this.endOfCell(content, at);
          const cell = content.slice(at, end);
          if (cell.includes(QUOTE)) return { line, cell };
          add(record, cell);
          at = end + 1;
          continue;
        }
        at = this.quoteOpens.lastIndex;
        this.cell = '';
      }
      const quote = closingQuote(content, at);
      this.append(content.slice(at, quote === -1 ? undefined : quote));
      if (quote === -1) return null;
      at = quote + 1;
      const end = this.endOfCell(content, at);
      if (!isBlank(content.slice(at, end))) throw textAfterQuote(record.line, line);
      add(record, this.cell);
      this.cell = null;
      at = end + 1;
    }
    return null;
  }

  /** Part of a quoted cell. */
  private append(written: string): void {
    const cell = this.cell ?? '';
    if (cell.length <= MAX_CELL_LENGTH) {
      this.cell = cell + written.slice(0, 2 * MAX_CELL_LENGTH).replaceAll('""', QUOTE);
    }
  }

  private endOfCell(content: string, from: number): number {
    const end = content.indexOf(this.separator, from);
    return end === -1 ? content.length : end;
  }
}

function occurrences(text: string, character: string): number {
  let count = 0;
  for (let at = text.indexOf(character); at !== -1; at = text.indexOf(character, at + 1)) count += 1;
  return count;
}

/** The first quote that is not doubled; -1 without one. */
function closingQuote(content: string, from: number): number {
  let quote = content.indexOf(QUOTE, from);
  while (quote !== -1 && content.charAt(quote + 1) === QUOTE) quote = content.indexOf(QUOTE, quote + 2);
  return quote;
}

/** Whether a cell has no visible characters. */
export function isBlank(cell: string): boolean {
  return cell === '' || !/[^\s\u200b]/.test(cell);
}

function add(record: CsvRecord, cell: string): void {
  record.count += 1;
  if (record.count <= MAX_COLUMNS) record.cells.push(cell);
  if (!isBlank(cell)) record.used = record.count;
}

function usedOf(cells: readonly string[]): number {
  return cells.findLastIndex((cell) => !isBlank(cell)) + 1;
}

function tooLong(line: number): Error {
  return refused(`a line is longer than 256 KB (line ${line}): is there a quote that is not closed?`);
}

function textAfterQuote(from: number, line: number): Error {
  const where = from === line ? `line ${line}` : `line ${line}; the cell begins on line ${from}`;
  return refused(`text follows the closing quote of a cell (${where}): double the quotes inside a cell`);
}
