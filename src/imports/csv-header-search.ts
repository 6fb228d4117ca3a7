import { Problem } from '../platform/errors/problem.js';
import { type Columns, columnsOf, listed, recognised } from './csv-header.js';
import { type CsvRecord, CsvRecords, type QuoteFault } from './csv-records.js';
import type { ImportKind } from './import-kind.js';
import type { TextLine } from './line-splitter.js';
import { refused } from './refusal.js';

/** Maximum length of a header and the titles above it, in characters. */
const MAX_HEADER_LENGTH = 65_536;
/** Maximum number of title lines above the header. */
const MAX_TITLES = 10;
/** In the order in which they are tried. */
export const SEPARATORS = [';', ',', '\t'];

export interface Header {
  columns: Columns;
  separator: string;
  /** Lines below the header that were read to find it. */
  below: readonly TextLine[];
}

/** Reads the beginning of a file, up to its header. */
export interface CsvHeader {
  /**
   * @returns the header, once its last line has arrived
   * @throws Problem file_refused, unsupported_media_type
   */
  push(line: TextLine): Header | null;
  /**
   * The end of the file, before its header has ended.
   * @throws Problem file_refused
   */
  end(): never;
}

/** A row read with one of the separators. */
interface Reading {
  separator: string;
  records: CsvRecords;
  /** Null until the row ends. */
  found: CsvRecord | QuoteFault | Problem | null;
  /** Number of lines of the row. */
  lines: number;
}

/**
 * Finds the header and the separator. Reads the header with each separator: its quoted cells may contain line breaks
 * and other separators. Blank lines and titles may precede it.
 */
export class CsvHeaderSearch implements CsvHeader {
  private separators: readonly string[] = SEPARATORS;
  private lines: TextLine[] = [];
  private readings = this.newReadings();
  private length = 0;
  private titles = 0;
  /** Why the first non-blank row is not a header. */
  private refusal: Problem | null = null;
  private begun = false;

  constructor(private readonly kind: ImportKind) {}

  /**
   * @returns the header, once its last line has arrived
   * @throws Problem file_refused when there is none, unsupported_media_type when it is JSON.
   */
  push(line: TextLine): Header | null {
    const content = line.content ?? refuse(tooLong());
    if (this.lines.length === 0 && isBlankRow(content)) return null;
    this.length += content.length;
    if (this.length > MAX_HEADER_LENGTH) throw this.refusal ?? tooLong();
    if (!this.begun && this.namesSeparator(content)) return null;
    let waiting: TextLine[] = [line];
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      this.read(next);
      const best = this.best();
      if (best === null) continue;
      const header = this.accept(best);
      if (header !== null) return { ...header, below: [...header.below, ...waiting] };
      // It was a title: read the lines below it again.
      waiting = [...this.lines.slice(best.lines), ...waiting];
      this.lines = [];
      this.readings = this.newReadings();
    }
    return null;
  }

  /**
   * The end of the file.
   * @throws Problem file_refused
   */
  end(): never {
    const open = this.readings.filter(({ found }) => found === null);
    if (this.lines.length > 0 && open.length > 0) {
      for (const { records } of open) records.end();
    }
    throw this.refusal ?? refused('the file is empty');
  }

  /** Whether the first line only declares the separator, as Excel understands it and some programs write it. */
  private namesSeparator(content: string): boolean {
    this.begun = true;
    if (/^\s*[[{]/.test(content)) {
      throw new Problem(
        'unsupported_media_type',
        'this looks like JSON: send NDJSON as application/x-ndjson',
      );
    }
    const named = /^"?sep=([;,\t])"?\s*$/i.exec(content)?.[1];
    if (named === undefined) return false;
    this.separators = [named];
    this.readings = this.newReadings();
    return true;
  }

  private newReadings(): Reading[] {
    return this.separators.map((separator) => {
      return { separator, records: new CsvRecords(separator), found: null, lines: 0 };
    });
  }

  private read(line: TextLine): void {
    this.lines.push(line);
    for (const reading of this.readings) {
      if (reading.found !== null) continue;
      reading.lines += 1;
      try {
        reading.found = reading.records.push(line.content ?? '', line.line);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        reading.found = error;
      }
    }
  }

  /** The reading with the most known columns, then the most columns; null while another may be better. */
  private best(): Reading | null {
    const ranked = this.readings
      .filter(({ found }) => found !== null)
      .map((reading) => ({ reading, rank: this.rank(reading) }))
      .sort((one, other) => other.rank.known - one.rank.known || other.rank.count - one.rank.count);
    const [first] = ranked;
    if (first === undefined) return null;
    return ranked.length === this.readings.length || first.rank.complete ? first.reading : null;
  }

  private rank({ found }: Reading): { known: number; count: number; complete: boolean } {
    if (found === null || !('cells' in found)) return { known: 0, count: 0, complete: false };
    return { ...recognised(found.cells, this.kind), count: found.count };
  }

  /** The header; null when this row is a title. */
  private accept(reading: Reading): Header | null {
    const { found, separator, lines } = reading;
    const { known } = this.rank(reading);
    const below = this.lines.slice(lines);
    try {
      if (found instanceof Problem) throw found;
      if (found === null || !('cells' in found)) throw headerQuote(found);
      return { columns: columnsOf(found.cells, found.count, this.kind), separator, below };
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.refusal ??= error;
      this.titles += 1;
      const isTitle = known === 0 && found !== null && 'cells' in found;
      if (!isTitle || this.titles > MAX_TITLES) throw this.refusal;
      return null;
    }
  }
}

/** Whether a line contains only separators and blanks. */
export function isBlankRow(content: string): boolean {
  return !/[^\s;,\u200b]/.test(content);
}

function headerQuote(fault: QuoteFault | null): Problem {
  const where = fault === null ? '' : ` (line ${fault.line}): ${listed([fault.cell])}`;
  return refused(
    `the header has a quote inside a cell${where}: put the cell in quotes, and double the quote`,
  );
}

function tooLong(): Problem {
  return refused('the first line is too long for a header');
}

function refuse(problem: Problem): never {
  throw problem;
}
