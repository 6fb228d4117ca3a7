/** What is wrong with a line. */
export interface LineFault {
  /** Null: the line as a whole. */
  field: string | null;
  detail: string;
}

/** A line that could be read. */
export interface ReadLine {
  values: Record<string, unknown>;
  /** The cells of a spreadsheet as they are written, by field, to show them in faults. Blank ones are left out. */
  cells?: Readonly<Record<string, string>>;
}

/** A line of a file as it was read: its values, or why it can't be read. */
export type FileLine = {
  /** Where it begins, counted from 1, as an editor shows it. */
  line: number;
} & (ReadLine | { fault: LineFault });

/** Reads a file piece by piece. It keeps one unfinished line at most. */
export interface FileReader {
  /** The lines that end in this piece of text. Blank ones are left out. */
  push(text: string): Iterable<FileLine>;
  /** The last line, if no line end follows it. */
  end(): Iterable<FileLine>;
}

/** A line may be this long, in characters: some times what all fields together may hold. */
export const MAX_LINE_LENGTH = 262_144;
/** No field takes a longer value, in characters. Of longer cells the beginning is kept, which is too long too. */
export const MAX_VALUE_LENGTH = 20_000;
/** Lines that a file may have. Blank ones and the header count: they take as long to read. */
export const MAX_LINES = 1_000_000;
