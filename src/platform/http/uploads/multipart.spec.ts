import fc from 'fast-check';
import { readMultipart } from './multipart.js';

const TYPE = 'multipart/form-data; boundary=b0';
const field = (name: string, value: string, more = '') =>
  `--b0\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;

describe('RFC 7578: a small form', () => {
  it.each<[string, string, [string, string][]]>([
    ['one field', `${field('a', '1')}--b0--\r\n`, [['a', '1']]],
    ['without a last line break', `${field('a', '1')}--b0--`, [['a', '1']]],
    [
      'a repeated field',
      `${field('a', '1')}${field('a', '2')}--b0--`,
      [
        ['a', '1'],
        ['a', '2'],
      ],
    ],
    ['a preamble and an epilogue', `for old readers\r\n${field('a', '1')}--b0--\r\nmore`, [['a', '1']]],
    ['line breaks in a value', `${field('a', '1\r\n\r\n2')}--b0--`, [['a', '1\r\n\r\n2']]],
    ['an empty value', `${field('a', '')}--b0--`, [['a', '']]],
    [
      'a file, which is dropped',
      `${field('f', 'x', '; filename="x.txt"')}${field('a', '1')}--b0--`,
      [['a', '1']],
    ],
    ['no fields', '--b0--', []],
  ])('RFC 7578: %s', (_what, text, expected) => {
    expect(readMultipart(text, TYPE)).toEqual(expected);
  });

  it('RFC 7578: more header lines, in any order and case', () => {
    const text =
      '--b0\r\nContent-Type: text/plain; charset=utf-8\r\ncontent-disposition: FORM-DATA; name="é"\r\n\r\nà\r\n--b0--';
    expect(readMultipart(text, 'Multipart/Form-Data; charset=utf-8; Boundary="b0"')).toEqual([['é', 'à']]);
  });

  it.each([
    ['no boundary', field('a', '1'), 'multipart/form-data'],
    ['no end', field('a', '1'), TYPE],
    ['no parts', 'a=1', TYPE],
    ['no name', '--b0\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b0--', TYPE],
    ['no headers', '--b0\r\n\r\n1\r\n--b0--', TYPE],
    ['another boundary', `${field('a', '1')}--b0--`, 'multipart/form-data; boundary=b1'],
  ])('RFC 7578: is refused with %s', (_what, text, type) => {
    expect(readMultipart(text, type)).toBeNull();
  });

  it('RFC 7578: any text ends in fields or a refusal', () => {
    const piece = fc.constantFrom(
      '\r\n',
      '--b0',
      '--',
      'Content-Disposition: form-data; name="a"',
      '"',
      'x',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const fields = readMultipart(pieces.join(''), TYPE);
        expect(fields === null || fields.every(([name]) => typeof name === 'string')).toBe(true);
      }),
    );
  });
});
