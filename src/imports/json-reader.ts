import { Problem } from '../platform/errors/problem.js';
import { JsonFault, type JsonLimits, readJson } from '../platform/json/read-json.js';
import type { FileLine, FileReader, LineFault, ReadLine } from './file-line.js';
import { LineSplitter, type TextLine } from './line-splitter.js';

/** Limits of one line. No field is nested deeper than a list. */
const LIMITS: JsonLimits = { depth: 8, values: 1_000, names: 200 };

const TOO_LONG: LineFault = { field: null, detail: 'is longer than 256 KB' };

/**
 * NDJSON: one object per line. A fault belongs to its line; the others are still read. Throws Problem
 * unsupported_media_type when the file does not start as NDJSON.
 */
export class JsonReader implements FileReader {
  private readonly lines = new LineSplitter();
  private begun = false;

  *push(text: string): Generator<FileLine> {
    for (const line of this.lines.push(text)) yield* this.read(line, false);
  }

  *end(): Generator<FileLine> {
    const last = this.lines.end();
    if (last !== null) yield* this.read(last, true);
  }

  private *read({ line, content }: TextLine, torn: boolean): Generator<FileLine> {
    if (content !== null && content.trim() === '') return;
    if (!this.begun) assertObject(content ?? '');
    this.begun = true;
    yield { line, ...(content === null ? { fault: TOO_LONG } : objectOf(content, torn)) };
  }
}

function assertObject(first: string): void {
  const begins = first.trimStart().charAt(0);
  if (begins === '{' || first === '') return;
  throw new Problem(
    'unsupported_media_type',
    begins === '['
      ? 'this is a JSON array: NDJSON has one object per line'
      : 'this is not NDJSON (its first line is not an object): send a CSV file as text/csv',
  );
}

function objectOf(content: string, torn: boolean): ReadLine | { fault: LineFault } {
  const fault = (detail: string, field: string | null = null) => ({ fault: { field, detail } });
  try {
    const value = readJson(content, LIMITS);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return fault('is not an object');
    return { values: value as Record<string, unknown> };
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    const [field, ...inside] = namesOf(error.pointer);
    if (field !== undefined) return fault(`${[field, ...inside].join('/')} ${error.detail}`, field);
    return fault(torn ? `${error.detail}; it is the last line: is the file complete?` : error.detail);
  }
}

/** `/a~1b/0` → `a/b`, `0`. */
function namesOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
}
