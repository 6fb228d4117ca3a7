/** What is wrong with a line. */
export interface LineFault {
  /** Null: the line as a whole. */
  field: string | null;
  detail: string;
}

/** A line of a file as it was read: what it says, or why it can't be read. */
export type FileLine = {
  /** Where it begins, counted from 1, as an editor shows it. */
  line: number;
} & ({ values: Record<string, unknown> } | { fault: LineFault });

/** A line may be this long, in characters. */
export const LINE_LIMIT = 1_048_576;
