import { readFileSync } from 'node:fs';
import { STATUS_CODES } from 'node:http';
import { ERRORS } from './error-table.js';

const PAGE = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');

/** The rows of the page's table: code, status, title. */
const documented = PAGE.split('\n').flatMap((line) => {
  const [, code, status, title] = /^\| `(\w+)` *\| (\d{3}) *\| (.*?) *\|/.exec(line) ?? [];
  return code === undefined ? [] : [[code, Number(status), title]];
});

describe('the error table', () => {
  it('matches docs/errors.md, in the same order', () => {
    expect(documented).toEqual(
      Object.entries(ERRORS).map(([code, { status, title }]) => [code, status, title]),
    );
  });

  it('reports only internal faults', () => {
    for (const [code, { status, report }] of Object.entries(ERRORS)) {
      expect(STATUS_CODES).toHaveProperty(String(status));
      expect([code, report]).toEqual([code, status >= 500]);
    }
  });
});
