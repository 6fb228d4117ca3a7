import { excerpt, pieces } from './written-text.js';

const addressesIn = (line: string) => pieces(line).flatMap(({ url }) => (url === null ? [] : [url]));

test.each([
  ['Voir https://a.example.fr/x.', ['https://a.example.fr/x']],
  ['(voir http://a.example.fr/x?y=1&z=2)', ['http://a.example.fr/x?y=1&z=2']],
  ['https://fr.wikipedia.org/wiki/Vigie_(tour), et', ['https://fr.wikipedia.org/wiki/Vigie_(tour)']],
  ['« https://a.example.fr/ »', ['https://a.example.fr/']],
  ['<https://a.example.fr/x>, "https://b.example.fr"', ['https://a.example.fr/x', 'https://b.example.fr']],
  ['https://a.example.fr/x…)]}!?', ['https://a.example.fr/x']],
  ['HTTPS://A.EXAMPLE.FR/X', ['HTTPS://A.EXAMPLE.FR/X']],
  ['javascript:alert(1) ftp://a.example.fr www.a.example.fr https://', []],
  ['xhttps://a.example.fr', []],
])('M11: finds the addresses in %j', (line, addresses) => {
  expect(addressesIn(line)).toEqual(addresses);
});

test.each(['', 'a', 'a https://a.example.fr/x). b', 'https://a.example.fr/', 'x'.repeat(5_000)])(
  'joining the pieces of a line gives the line',
  (line) => {
    expect(
      pieces(line)
        .map(({ text }) => text)
        .join(''),
    ).toBe(line);
  },
);

test('an address of only brackets takes one pass', () => {
  const line = `https://a.example.fr/${')'.repeat(100_000)}`;
  expect(addressesIn(line)).toEqual(['https://a.example.fr/']);
});

test.each([
  ['a  b\n\nc', 10, 'a b c'],
  ['0123456789', 10, '0123456789'],
  ['01234567 9a', 10, '01234567…'],
  ['😀😀😀', 2, '😀…'],
  [`${' '.repeat(1_000)}a`, 10, ''],
])('the excerpt of %j of %i characters', (text, length, expected) => {
  expect(excerpt(text, length)).toBe(expected);
});
