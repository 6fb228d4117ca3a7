import { Problem } from '../platform/errors/problem.js';
import { type FileLine, LINE_LIMIT, type LineFault } from './file-line.js';

/**
 * NDJSON: one object a line. What is wrong with a line is that line's fault; the others can be read.
 * @throws Problem unsupported_media_type when the file does not begin like one.
 */
export async function* jsonLines(text: AsyncIterable<string>): AsyncGenerator<FileLine> {
  let line = 0;
  let begun = false;
  for await (const { content, torn } of lines(text)) {
    line += 1;
    if (content !== null && content.trim() === '') continue;
    if (!begun) assertObject(content ?? '');
    begun = true;
    const read = content === null ? { fault: TOO_LONG } : parsed(content, torn);
    yield { line, ...read };
  }
}

const TOO_LONG: LineFault = { field: null, detail: 'is longer than 1 MB' };

function assertObject(first: string): void {
  const begins = first.trimStart().charAt(0);
  if (begins === '{' || first === '') return;
  throw new Problem(
    'unsupported_media_type',
    begins === '['
      ? 'this is a JSON array: NDJSON has one object a line'
      : 'this is not NDJSON (its first line is no object): send a CSV file as text/csv',
  );
}

function parsed(content: string, torn: boolean): { values: Record<string, unknown> } | { fault: LineFault } {
  const fault = (detail: string) => ({ fault: { field: null, detail } });
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    return fault(torn ? 'is not JSON; it is the last line: is the file complete?' : 'is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fault('is not an object');
  if (Object.hasOwn(value, '__proto__')) return fault('has a field __proto__');
  return { values: value as Record<string, unknown> };
}

/** `content` is null for a line that is too long to be kept; `torn` that no line feed ended it. */
async function* lines(
  text: AsyncIterable<string>,
): AsyncGenerator<{ content: string | null; torn: boolean }> {
  let rest: string | null = '';
  for await (const piece of text) {
    let start = 0;
    for (let end = piece.indexOf('\n'); end !== -1; end = piece.indexOf('\n', start)) {
      yield { content: joined(rest, piece.slice(start, end)), torn: false };
      rest = '';
      start = end + 1;
    }
    rest = joined(rest, piece.slice(start));
  }
  if (rest !== '') yield { content: rest, torn: true };
}

function joined(rest: string | null, more: string): string | null {
  return rest === null || rest.length + more.length > LINE_LIMIT ? null : rest + more;
}
