/** A fault of a line. */
export interface LineFault {
  /** Null: the line as a whole. */
  field: string | null;
  detail: string;
}

/** A readable line. */
export interface ReadLine {
  values: Record<string, unknown>;
  /** The raw cells of a spreadsheet, by field, shown in faults. Blank ones are omitted. */
  cells?: Readonly<Record<string, string>>;
}

/** A line of a file as read: its values, or why it is unreadable. */
export type FileLine = {
  /** The line on which it starts, counted from 1, as in an editor. */
  line: number;
} & (ReadLine | { fault: LineFault });

/** Reads a file piece by piece. Buffers at most one unfinished line. */
export interface FileReader {
  /** The lines that end in this piece of text. Blank ones are skipped. */
  push(text: string): Iterable<FileLine>;
  /** The last line, if no line end follows it. */
  end(): Iterable<FileLine>;
}

/** Maximum length of a line, in characters: several times the maximum of all fields together. */
export const MAX_LINE_LENGTH = 262_144;
/** No field accepts a longer value, in characters. Longer cells are truncated to a length that is still refused. */
export const MAX_VALUE_LENGTH = 20_000;
/** Maximum number of lines of a file, including blank ones and the header, which take as long to read. */
export const MAX_LINES = 1_000_000;
