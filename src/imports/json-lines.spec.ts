import type { FileLine } from './file-line.js';
import { arriving } from './import.fixture.js';
import { jsonLines } from './json-lines.js';

async function read(text: string, size = 7): Promise<FileLine[]> {
  const lines: FileLine[] = [];
  for await (const line of jsonLines(arriving(text, size))) lines.push(line);
  return lines;
}

describe('an NDJSON file', () => {
  it('is read line by line, however it is cut and ended', async () => {
    for (const size of [1, 7, 1_000]) {
      expect(await read('\n{"a":1}\r\n\n {"b":"\\n"} \n{"c":null}', size)).toEqual([
        { line: 2, values: { a: 1 } },
        { line: 4, values: { b: '\n' } },
        { line: 5, values: { c: null } },
      ]);
    }
  });

  it.each([
    ['no JSON', '{"a":', 'is not JSON'],
    ['a list', '[1]', 'is not an object'],
    ['null', 'null', 'is not an object'],
    ['a prototype', '{"__proto__":{"admin":true}}', 'has a field __proto__'],
    ['more than 1 MB', `{"a":"${'x'.repeat(1_100_000)}"}`, 'is longer than 1 MB'],
  ])('reports a line with %s, and goes on', async (_what, line, detail) => {
    expect(await read(`{"a":1}\n${line}\n{"b":2}\n`, 65_536)).toEqual([
      { line: 1, values: { a: 1 } },
      { line: 2, fault: { field: null, detail } },
      { line: 3, values: { b: 2 } },
    ]);
  });

  it('asks whether a file is complete whose last line is torn', async () => {
    expect(await read('{"a":1}\n{"b":')).toMatchObject([
      { line: 1 },
      { line: 2, fault: { detail: expect.stringContaining('is the file complete?') as string } },
    ]);
  });

  it.each([
    ['a CSV file', 'title;due_on\n', /send a CSV file as text\/csv/],
    ['a JSON array', '[\n{}\n]\n', /JSON array/],
  ])('is not %s', async (_what, text, detail) => {
    await expect(read(text)).rejects.toThrow(detail);
  });
});
