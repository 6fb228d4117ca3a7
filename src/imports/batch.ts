import type { FileLine, LineFault } from './file-line.js';
import type { ImportKind } from './import-kind.js';
import { checkRow, storable } from './row-check.js';
import { FAULTS_KEPT, type Lines, type Progress } from './staging.js';

/** Lines stored at once, */
const MAX_LINES_AT_ONCE = 1_000;
/** or fewer, if together they reach this many characters. */
const MAX_LENGTH_AT_ONCE = 1_048_576;

/** Checked lines that wait to be stored together. */
export class Batch {
  private rows: string[] = [];
  private faults: string[] = [];
  private length = 0;
  private faultsSoFar = 0;

  constructor(
    private readonly kind: ImportKind,
    private readonly progress: Progress,
  ) {}

  get isFull(): boolean {
    return this.rows.length + this.faults.length >= MAX_LINES_AT_ONCE || this.length >= MAX_LENGTH_AT_ONCE;
  }

  /** Checks a line and counts it. */
  add(read: FileLine): void {
    const { line } = read;
    const checked = 'fault' in read ? { faults: [storable(read.fault)] } : checkRow(this.kind, read);
    this.progress.lines += 1;
    if ('fields' in checked) {
      this.push(this.rows, { line, fields: checked.fields });
      return;
    }
    this.progress.rejected += 1;
    for (const fault of checked.faults) this.addFault({ line, ...fault });
  }

  /** The lines to store, as JSON; empties the batch. */
  take(): Lines {
    const lines = { rows: `[${this.rows.join()}]`, faults: `[${this.faults.join()}]` };
    this.rows = [];
    this.faults = [];
    this.length = 0;
    return lines;
  }

  private addFault(fault: LineFault & { line: number }): void {
    if (this.faultsSoFar >= FAULTS_KEPT) return;
    this.faultsSoFar += 1;
    this.push(this.faults, fault);
  }

  private push(list: string[], entry: object): void {
    const json = JSON.stringify(entry);
    list.push(json);
    this.length += json.length;
  }
}
