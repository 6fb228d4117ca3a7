import type { FileLine } from './file-line.js';
import { readAll } from './import.fixture.js';
import { JsonReader } from './json-reader.js';

function read(text: string, size = 7): FileLine[] {
  return readAll(new JsonReader(), text, size);
}

describe('an NDJSON file', () => {
  it('is read line by line, however it is split and ended', () => {
    for (const size of [1, 7, 1_000]) {
      expect(read('\n{"a":1}\r\n\n {"b":"\\n"} \n{"c":null}', size)).toEqual([
        { line: 2, values: { a: 1 } },
        { line: 4, values: { b: '\n' } },
        { line: 5, values: { c: null } },
      ]);
    }
  });

  it.each([
    ['invalid JSON', '{"a":', expect.stringContaining('it is not JSON') as string],
    ['a list', '[1]', 'is not an object'],
    ['null', 'null', 'is not an object'],
    ['a prototype', '{"__proto__":{"admin":true}}', 'must not contain the name __proto__'],
    ['more than 256 KB', `{"a":"${'x'.repeat(300_000)}"}`, 'is longer than 256 KB'],
  ])('reports a line with %s, and continues', (_what, line, detail) => {
    expect(read(`{"a":1}\n${line}\n{"b":2}\n`, 65_536)).toEqual([
      { line: 1, values: { a: 1 } },
      { line: 2, fault: { field: null, detail } },
      { line: 3, values: { b: 2 } },
    ]);
  });

  it('asks whether a file with a truncated last line is complete', () => {
    expect(read('{"a":1}\n{"b":')).toMatchObject([
      { line: 1 },
      { line: 2, fault: { detail: expect.stringContaining('is the file complete?') as string } },
    ]);
  });

  it.each([
    ['a CSV file', 'title;due_on\n', /send a CSV file as text\/csv/],
    ['a JSON array', '[\n{}\n]\n', /JSON array/],
  ])('is not %s', (_what, text, detail) => {
    expect(() => read(text)).toThrow(detail);
  });
});
