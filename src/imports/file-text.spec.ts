import { type Encoding, FileText } from './file-text.js';

const FRENCH = 'Échéance;Société « Le Cœur »;12 €\n';

/** The text of a file that arrives in pieces of this many bytes. */
function read(bytes: Buffer, size: number): { text: string; encoding: Encoding } {
  const file = new FileText();
  let text = '';
  for (let at = 0; at < bytes.length; at += size) text += file.push(bytes.subarray(at, at + size));
  return { text: text + file.push(Buffer.alloc(0), true), encoding: file.encoding };
}

function windows1252(text: string): Buffer {
  const special: Record<string, number> = { '€': 0x80, œ: 0x9c, Œ: 0x8c, '’': 0x92 };
  return Buffer.from(Array.from(text, (character) => special[character] ?? character.charCodeAt(0)));
}

describe('the text of a file', () => {
  // Long enough that the first foreign character comes after the head, and once within it.
  it.each([
    ['UTF-8', Buffer.from(FRENCH), 'utf-8'],
    ['UTF-8 with a mark', Buffer.from(`\ufeff${FRENCH}`), 'utf-8'],
    ['UTF-16 LE with a mark', Buffer.from(`\ufeff${FRENCH}`, 'utf16le'), 'utf-16le'],
    ['UTF-16 BE with a mark', Buffer.from(`\ufeff${FRENCH}`, 'utf16le').swap16(), 'utf-16be'],
    ['Windows-1252', windows1252(FRENCH), 'windows-1252'],
  ])('is read from %s, however it is cut', (_what, bytes, encoding) => {
    for (const size of [1, 2, 3, 5, 512, 100_000]) {
      expect(read(bytes, size)).toEqual({ text: FRENCH, encoding });
    }
  });

  it.each([
    ['utf-8', (text: string) => Buffer.from(text)],
    ['windows-1252', windows1252],
  ] as const)('is known as %s by its first foreign character, wherever that is', (encoding, encode) => {
    for (const before of [0, 509, 510, 511, 512, 513, 4_095, 70_000]) {
      const text = 'a'.repeat(before) + FRENCH;
      expect(read(encode(text), 512)).toEqual({ text, encoding });
    }
  });

  it('is ASCII when nothing else is in it, or nothing at all', () => {
    expect(read(Buffer.from('a;b\n'), 1)).toEqual({ text: 'a;b\n', encoding: 'us-ascii' });
    expect(read(Buffer.alloc(0), 1)).toEqual({ text: '', encoding: 'us-ascii' });
  });

  it.each([
    ['é at the very end, as Windows-1252', Buffer.from('caf\xe9', 'latin1'), 'café'],
    ['é at the very end, as UTF-8', Buffer.from('café'), 'café'],
    ['half a character at the very end', Buffer.from([0x61, 0xc3]), 'aÃ'],
  ])('%s', (_what, bytes, text) => {
    expect(read(bytes, 1).text).toBe(text);
  });

  it.each([
    ['UTF-8 with Windows-1252 further on', Buffer.concat([Buffer.from('é;'), Buffer.from([0xe9, 0x3b])])],
    ['a mark of UTF-8 on Windows-1252', Buffer.concat([Buffer.from('\ufeff'), Buffer.from([0xe9, 0x3b])])],
    ['UTF-8 that ends within a character', Buffer.from('éé').subarray(0, 3)],
  ])('refuses %s, and says so', (_what, bytes) => {
    for (const size of [1, 1_000]) expect(() => read(bytes, size)).toThrow(/begins as utf-8/);
  });

  it.each([
    ['an Excel workbook', Buffer.from('PK\x03\x04\x14\x00'), /Excel workbook.*save it as CSV/],
    ['an old Excel workbook', Buffer.from('d0cf11e0a1b11ae1', 'hex'), /Excel workbook: save it as CSV/],
    ['an image', Buffer.from('89504e470d0a1a0a', 'hex'), /image/],
    ['a PDF', Buffer.from('%PDF-1.7'), /PDF/],
    ['a gzip file', Buffer.from('1f8b08', 'hex'), /gzip/],
    ['what has NULs in it', Buffer.from('a;b\0c'), /not a text file/],
  ])('refuses %s, and says what it is', (_what, bytes, detail) => {
    for (const size of [1, 1_000]) expect(() => read(bytes, size)).toThrow(detail);
  });
});
