import { windows1252Bytes } from './encodings.js';
import { FileText } from './file-text.js';

const FRENCH = 'Échéance;Société « Le Cœur »;12 €\n';

/** The text of a file that arrives in pieces of this many bytes. */
function read(
  bytes: Buffer,
  size: number,
  charset: string | null = null,
): { text: string; encoding: string } {
  const file = new FileText(charset);
  let text = '';
  for (let at = 0; at < bytes.length; at += size) text += file.push(bytes.subarray(at, at + size));
  return { text: text + file.push(Buffer.alloc(0), true), encoding: file.encoding };
}

function windows1252(text: string): Buffer {
  return windows1252Bytes(text);
}

describe('the text of a file', () => {
  // Long enough that the first non-ASCII character comes after the head, and once within it.
  it.each([
    ['UTF-8', Buffer.from(FRENCH), 'utf-8'],
    ['UTF-8 with a mark', Buffer.from(`\ufeff${FRENCH}`), 'utf-8'],
    ['UTF-16 LE with a mark', Buffer.from(`\ufeff${FRENCH}`, 'utf16le'), 'utf-16le'],
    ['UTF-16 BE with a mark', Buffer.from(`\ufeff${FRENCH}`, 'utf16le').swap16(), 'utf-16be'],
    ['Windows-1252', windows1252(FRENCH), 'windows-1252'],
  ])('is read from %s, however it is split', (_what, bytes, encoding) => {
    for (const size of [1, 2, 3, 5, 512, 100_000]) {
      expect(read(bytes, size)).toEqual({ text: FRENCH, encoding });
    }
  });

  it.each([
    ['utf-8', (text: string) => Buffer.from(text)],
    ['windows-1252', windows1252],
  ] as const)(
    'is recognised as %s by its first non-ASCII character, wherever that is',
    (encoding, encode) => {
      for (const before of [0, 509, 510, 511, 512, 513, 4_095, 70_000]) {
        const text = 'a'.repeat(before) + FRENCH;
        expect(read(encode(text), 512)).toEqual({ text, encoding });
      }
    },
  );

  it('is ASCII when it contains nothing else, or is empty', () => {
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
    [
      'UTF-8 and Windows-1252 in one file',
      Buffer.concat([Buffer.from('é;'), Buffer.from([0xe9, 0x3b])]),
      /mixes UTF-8 \("é"\)/,
    ],
    [
      'UTF-8 with Windows-1252 much later',
      Buffer.concat([Buffer.from('é;'.repeat(100_000)), Buffer.from([0xe9, 0x3b])]),
      /begins as utf-8.*save it as CSV UTF-8/i,
    ],
    [
      'a mark of UTF-8 on Windows-1252',
      Buffer.concat([Buffer.from('\ufeff'), Buffer.from([0xe9, 0x3b])]),
      /begins as utf-8/,
    ],
    [
      'UTF-8 that ends within a character',
      Buffer.from('éé').subarray(0, 3),
      /begins as utf-8.*is it complete/,
    ],
  ])('refuses %s with a message', (_what, bytes, detail) => {
    for (const size of [1, 1_000]) expect(() => read(bytes, size)).toThrow(detail);
  });

  const ibm850: Record<string, number> = {
    é: 0x82,
    É: 0x90,
    à: 0x85,
    ç: 0x87,
    è: 0x8a,
    ê: 0x88,
    î: 0x8c,
    ô: 0x93,
  };
  const macintosh: Record<string, number> = {
    é: 0x8e,
    É: 0x83,
    à: 0x88,
    ç: 0x8d,
    è: 0x8f,
    ê: 0x90,
    '’': 0xd5,
  };
  const latin9: Record<string, number> = { œ: 0xbd, '€': 0xa4 };
  const written = (text: string, table: Record<string, number>) =>
    Buffer.from(Array.from(text, (character) => table[character] ?? character.charCodeAt(0)));

  it.each([
    ['ibm850', 'cp850', ibm850, 'Échéance;Société à côté, forêt, français, pièce, maître\n'],
    ['macintosh', 'macintosh', macintosh, 'Échéance;Société à la forêt, façade, pièce, l’étude, d’étage\n'],
    ['iso-8859-15', 'ISO-8859-15', latin9, 'Échéance;12 €;le cœur\n'],
    ['windows-1252', 'iso-8859-1', {}, 'Échéance;Société\n'],
    ['utf-16le', 'utf-16', null, 'Échéance;Société\n'],
  ])('F5: is read as %s when declared as %s', (encoding, charset, table, text) => {
    const bytes = table === null ? Buffer.from(text, 'utf16le') : written(text, table);
    for (const size of [1, 3, 1_000]) expect(read(bytes, size, charset)).toEqual({ text, encoding });
  });

  it.each([
    ['ibm850', ibm850, 'Société Martin', /"Soci‚t‚".*charset=ibm850/],
    ['ibm850', ibm850, 'Pièce', /"PiŠce".*charset=ibm850/],
    ['ibm850', ibm850, 'ÉCHÉANCE', /charset=ibm850/],
    ['ibm850', ibm850, 'Payé', /"Pay‚"/],
    ['macintosh', macintosh, 'Société', /"SociŽtŽ".*charset=macintosh/],
    ['macintosh', macintosh, 'Façade', /charset=macintosh/],
    ['macintosh', macintosh, 'Voilà', /"Voilˆ".*charset=macintosh/],
    ['iso-8859-15', latin9, 'le cœur', /"c½ur".*charset=iso-8859-15/],
    ['iso-8859-15', latin9, 'une œuvre', /"½uvre".*charset=iso-8859-15/],
    ['iso-8859-15', latin9, '12 €', /charset=iso-8859-15/],
  ])('F5: is refused when it is %s without a declaration', (_encoding, table, text, detail) => {
    for (const before of ['', `${'a'.repeat(65_529)} `, 'a;b\n'.repeat(100_000)]) {
      for (const size of before === '' ? [1, 1_000] : [65_536]) {
        expect(() => read(Buffer.concat([Buffer.from(before), written(text, table)]), size)).toThrow(detail);
      }
    }
  });

  it('F5: French, names and signs in Windows-1252 are accepted without a declaration', () => {
    const text =
      'L’œuvre « Œdipe » à 12,50 € – n° 3 ; Žižek & Šimon, étudiant·e·s, 1½ h, ½ journée, 20 m², §3, “oui”…\n' +
      'GARÇON, FRANÇAIS, ÊTRE, CŒUR, Müller, señor, Straße, ÇA, ÀÂÉÈÙ, 5 ‰, ±2, × 3, ™, © ®, naïf, Ÿ, • puce\n' +
      'l´échéance, aujourd´hui, étudiant•e•s\n';
    for (const line of text.split('\n')) {
      const bytes = windows1252(`é;${line}\n`);
      expect(read(bytes, 1_000)).toEqual({ text: `é;${line}\n`, encoding: 'windows-1252' });
    }
  });

  it('D8: one character does not decide the encoding', () => {
    // ’é from a Macintosh, which is also an Armenian letter in UTF-8.
    const armenian = Buffer.from([0xd5, 0x8e]);
    const mac = Buffer.concat([
      Buffer.from('d'),
      armenian,
      Buffer.from('tage;l'),
      armenian,
      Buffer.from('t\x8e', 'latin1'),
    ]);
    for (const size of [1, 1_000]) expect(() => read(mac, size)).toThrow(/charset=macintosh/);
    // Only this one: no French word contains it.
    const alone = Buffer.concat([Buffer.from('d'), armenian, Buffer.from('tage')]);
    for (const size of [1, 1_000]) expect(() => read(alone, size)).toThrow(/cannot detect the encoding/);
    // Windows-1252, whose first letters happen to be UTF-8.
    const text = 'POÉ®;déjà\n';
    expect(read(windows1252(text), 1_000)).toEqual({ text, encoding: 'windows-1252' });
  });

  it('F5: trusts a mark more than the declaration, and refuses text that contradicts it', () => {
    expect(read(Buffer.from(`\ufeff${FRENCH}`), 7, 'iso-8859-15')).toEqual({
      text: FRENCH,
      encoding: 'utf-8',
    });
    expect(() => read(windows1252(FRENCH), 7, 'utf-8')).toThrow(
      /is sent as utf-8, but contains bytes that are not/,
    );
    expect(() => new FileText('ebcdic')).toThrow(/"ebcdic" is not supported/);
  });

  it('F9: a repeated byte order mark is not part of the text', () => {
    for (const size of [1, 7, 1_000])
      expect(read(Buffer.from(`\ufeff\ufeff${FRENCH}`), size).text).toBe(FRENCH);
  });

  it.each([
    ['an Excel workbook', Buffer.from('PK\x03\x04\x14\x00'), /Excel workbook.*save it as CSV/],
    ['an old Excel workbook', Buffer.from('d0cf11e0a1b11ae1', 'hex'), /Excel workbook: save it as CSV/],
    ['an image', Buffer.from('89504e470d0a1a0a', 'hex'), /image/],
    ['a PDF', Buffer.from('%PDF-1.7'), /PDF/],
    ['a gzip file', Buffer.from('1f8b08', 'hex'), /gzip/],
    ['a file with NULs', Buffer.from('a;b\0c'), /not a text file/],
  ])('refuses %s, and says what it is', (_what, bytes, detail) => {
    for (const size of [1, 1_000]) expect(() => read(bytes, size)).toThrow(detail);
  });
});
