import fc from 'fast-check';
import { DEADLINE_KIND } from '../deadlines/deadlines.kind.js';
import { dueItemFiles } from '../due-items/due-item-files.js';
import { Problem } from '../platform/errors/problem.js';
import { CsvReader } from './csv-reader.js';
import { FileText } from './file-text.js';
import type { FileLine } from './file-line.js';
import { readAll } from './import.fixture.js';
import { JsonReader } from './json-reader.js';
import { checkRow, storable } from './row-check.js';

const KIND = dueItemFiles(DEADLINE_KIND);
const HEADER = 'titre;échéance;client\n';

/** The outcome of a file: a row or faults per line, or a refusal of the file. */
function outcome(read: () => FileLine[]): { lines: FileLine[] } | { refused: string } {
  try {
    return { lines: read() };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { refused: error.detail ?? '' };
  }
}

function textOf(bytes: Buffer, size: number): string {
  const file = new FileText();
  let text = '';
  for (let at = 0; at < bytes.length; at += size) text += file.push(bytes.subarray(at, at + size));
  return text + file.push(Buffer.alloc(0), true);
}

/** Every line is a storable row, or has a storable fault. */
function expectRowsOrFaults(lines: readonly FileLine[], physical: number): void {
  let last = 0;
  for (const line of lines) {
    expect(line.line).toBeGreaterThan(last);
    expect(line.line).toBeLessThanOrEqual(physical);
    last = line.line;
    const checked = 'fault' in line ? { faults: [storable(line.fault)] } : checkRow(KIND, line);
    const stored = JSON.stringify(checked);
    expect(stored).not.toMatch(/\\u0000|\\ud[89a-f]/i);
    if ('faults' in checked) {
      expect(checked.faults.length).toBeGreaterThan(0);
      expect(new Set(checked.faults.map(({ field }) => field)).size).toBe(checked.faults.length);
      for (const { detail } of checked.faults) expect(detail).not.toBe('');
    } else {
      expect(checked.fields).toMatchObject({ title: expect.any(String) as string });
    }
  }
}

/** Building blocks of hostile spreadsheets. */
const piece = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(';', '"', '""', '\n', '\r\n', '\r', '\t', ',', ' ', '\u00a0', '\u200b'),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom('a', '15/04/2026', '2026-04-15', '31/02/2026', 'é', '\ufeff', '\x1a'),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom('\0', '\ud800', '=1+1', '__proto__', '\u2028', '\\', '{', 'x'.repeat(400)),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
);
const text = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(''));
const sizes = fc.integer({ min: 1, max: 40 });
const RUNS = { numRuns: 500 };

describe('hostile files', () => {
  it('any CSV below a header: rows or faults with their lines, or the file is refused with a message', () => {
    fc.assert(
      fc.property(text, sizes, (body, size) => {
        const file = HEADER + body;
        const result = outcome(() => readAll(new CsvReader(KIND), file, size));
        if ('refused' in result) expect(result.refused).toMatch(/line \d+/);
        else expectRowsOrFaults(result.lines, file.split(/\r\n?|\n/).length);
        // The outcome does not depend on how it is split.
        expect(outcome(() => readAll(new CsvReader(KIND), file, 1_000_000))).toEqual(result);
      }),
      RUNS,
    );
  });

  it('any text as CSV: no crash', () => {
    fc.assert(
      fc.property(text, sizes, (file, size) => {
        const result = outcome(() => readAll(new CsvReader(KIND), file, size));
        if ('refused' in result) expect(result.refused).not.toBe('');
      }),
      RUNS,
    );
  });

  it('any bytes: text, or a refusal with a message, however they are split', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.integer({ min: 1, max: 700 }), (bytes, size) => {
        const read = (by: number) => {
          try {
            return textOf(Buffer.from(bytes), by);
          } catch (error) {
            if (!(error instanceof Problem)) throw error;
            return [error.code];
          }
        };
        expect(read(size)).toEqual(read(10_000));
      }),
      RUNS,
    );
  });

  it('any NDJSON: rows or faults with their lines', () => {
    const line = fc.oneof(
      text,
      fc.json(),
      fc
        .record({ title: fc.jsonValue(), due_on: fc.constantFrom('2026-04-15', 'x', null) })
        .map((row) => JSON.stringify(row)),
      fc
        .dictionary(
          fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('title', 'due_on', 'toString')),
          fc.jsonValue(),
        )
        .map((row) => JSON.stringify(row)),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), sizes, (lines, size) => {
        const file = `{"title":"a","due_on":"2026-04-15"}\n${lines.join('\n')}`;
        const result = outcome(() => readAll(new JsonReader(), file, size));
        if ('refused' in result) throw new Error(result.refused);
        expectRowsOrFaults(result.lines, file.split('\n').length);
      }),
      RUNS,
    );
  });

  it('values that a spreadsheet writes are read back unchanged', () => {
    const cell = fc
      .string({ unit: 'grapheme', maxLength: 30 })
      .filter((value) => !['\r', '\0', '\x1a'].some((sign) => value.includes(sign)));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(cell, cell, cell), { maxLength: 10 }),
        fc.constantFrom(';', ',', '\t'),
        fc.constantFrom('\n', '\r\n', '\r'),
        sizes,
        (rows, separator, end, size) => {
          const quoted = (value: string) => `"${value.replaceAll('"', '""')}"`;
          const file = [['title', 'due_on', 'client_name'], ...rows]
            .map((cells) => cells.map(quoted).join(separator) + end)
            .join('');
          const result = outcome(() => readAll(new CsvReader(KIND), file, size));
          const written = rows.filter((cells) => cells.some((value) => /[^\s\u200b]/.test(value)));
          if ('refused' in result) throw new Error(result.refused);
          expect(result.lines).toHaveLength(written.length);
          for (const [at, line] of result.lines.entries()) {
            const cells = 'cells' in line ? line.cells : undefined;
            const [title, , client] = written[at] ?? [];
            if (cells?.['title'] !== undefined) expect(cells['title']).toBe(title);
            if (cells?.['client_name'] !== undefined) expect(cells['client_name']).toBe(client);
          }
        },
      ),
      RUNS,
    );
  });
});
