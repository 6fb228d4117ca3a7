import { parseUrl } from './url.js';

test('a URL with Latin letters is a URL, however often it is parsed', () => {
  // URL.canParse of Node 20.20 answers false from about the 4,000th call on.
  for (let round = 0; round < 50_000; round += 1)
    if (parseUrl('https://bücher.example/é') === null) throw new Error(`null in round ${round}`);
  expect(parseUrl('https://bücher.example/é')?.href).toBe('https://xn--bcher-kva.example/%C3%A9');
  expect([parseUrl(''), parseUrl('bücher'), parseUrl('https://')]).toEqual([null, null, null]);
});
