import { randomBytes } from 'node:crypto';
import { open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { hasNoBackup } from './empty-file.js';
import { readThrough } from './read-through.js';

const hex = (digits: string) => Buffer.from(digits, 'hex');

/** A tar header as GNU tar writes it. */
function tarHeader(name: string, bytes: number, type = '0'): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(bytes.toString(8).padStart(11, '0'), 124);
  header.write(type, 156);
  header.write('ustar', 257);
  return header;
}
const TAR_END = Buffer.alloc(1024);

/** Made by these programs from no input or an empty file. */
const EMPTY: Record<string, Buffer> = {
  'no bytes': Buffer.alloc(0),
  'a line end': Buffer.from('\r\n'),
  'a byte order mark': hex('efbbbf'),
  'tar of nothing': Buffer.alloc(10_240),
  'tar of an empty file': Buffer.concat([tarHeader('dump/', 0, '5'), tarHeader('dump/a.sql', 0), TAR_END]),
  gzip: hex('1f8b080000000000000303000000000000000000'),
  'gzip with a name': hex('1f8b0808fabf0c6b0003650003000000000000000000'),
  'gzip of a tar of nothing': gzipSync(Buffer.alloc(10_240)),
  'gzip of a tar of an empty file': gzipSync(Buffer.concat([tarHeader('dump.sql', 0), TAR_END])),
  'gzip of 20 MB of zeros': gzipSync(Buffer.alloc(20_000_000)),
  bzip2: hex('425a683917724538509000000000'),
  xz: hex('fd377a585a000004e6d6b446000000001cdf44211fb6f37d010000000004595a'),
  lzma: hex('5d00008000ffffffffffffffff0083fffbffffc0000000'),
  zstd: hex('28b52ffd240001000099e9d851'),
  lz4: hex('04224d186440a700000000055dcc02'),
  lzip: hex('4c5a4950010c0083fffbffffc00000000000000000000000000000002400000000000000'),
  'zip of nothing': hex('504b0506000000000000000000000000000000000000'),
  'zip of an empty file and a folder': hex(
    '504b030414000000000021027e5d0000000000000000000000000800000064756d702e73716c504b03041400000000000000' +
      '210000000000000000000000000002000000642f504b0102140314000000000021027e5d0000000000000000000000000800' +
      '0000000000000000000080010000000064756d702e73716c504b010214031400000000000000210000000000000000000000' +
      '0000020000000000000000001000ff4126000000642f504b0506000000000200020066000000460000000000',
  ),
  '7z': hex('377abcaf271c00048d9bd50f0000000000000000000000000000000000000000'),
};

/** Something, as the programs of these names write it. */
const FILLED: Record<string, Buffer> = {
  bzip2: hex('425a683931415926535949fec4a500000001000100a0002100822c5dc914e1424127fb1294'),
  xz: hex(
    'fd377a585a000004e6d6b4460200210116000000742fe5a3010003666f6f0a00ffd7ac5a30319cf200011c046f2c9cc11fb6f37d010000000004595a',
  ),
  zstd: hex('28b52ffd0458210000666f6f0a2d552418'),
  lz4: hex('04224d186440a704000080666f6f0a000000000071b40b'),
};

const FULL: Record<string, Buffer> = {
  'one byte': Buffer.from('x'),
  'a short dump': Buffer.from('-- PostgreSQL database dump\n'),
  'gzip of a short dump': gzipSync('-- PostgreSQL database dump\n'),
  'gzip that is cut off': gzipSync(randomBytes(500)).subarray(0, 60),
  'tar of a file': Buffer.concat([
    tarHeader('dump.sql', 9),
    Buffer.concat([Buffer.from('the dump\n'), Buffer.alloc(503)]),
    TAR_END,
  ]),
  'an encrypted file': Buffer.concat([Buffer.from('age-encryption.org/v1\n'), randomBytes(80)]),
  'zeros, then a byte': Buffer.concat([Buffer.alloc(10_240), Buffer.from('x')]),
  'what only begins as a zip': Buffer.from('PK, the initials'),
  ...FILLED,
  // Each is a valid file of two parts: an empty one, and one with the dump.
  ...Object.fromEntries(
    Object.entries(FILLED).map(([name, part]) => [
      `${name} that begins with an empty part`,
      Buffer.concat([EMPTY[name]!, part]),
    ]),
  ),
  'lzip that ends with an empty part': Buffer.concat([
    hex('4c5a4950010c'),
    Buffer.alloc(40, 'x'),
    EMPTY.lzip!,
  ]),
};

describe('F1: a file with no backup in it', () => {
  it.each(Object.entries(EMPTY))('%s is empty', async (_, content) => {
    expect(await hasNoBackup(content)).toBe(true);
  });

  it.each(Object.entries(FULL))('%s is not empty', async (_, content) => {
    expect(await hasNoBackup(content)).toBe(false);
  });

  it.each([
    ['2 MB of zeros, as a disk that was full leaves them', Buffer.alloc(2_000_000), true],
    ['2 MB of zeros and a byte', Buffer.concat([Buffer.alloc(2_000_000), Buffer.from('x')]), false],
    ['nothing', Buffer.alloc(0), true],
    ['a gzip of nothing', gzipSync(''), true],
    ['70 kB of text', Buffer.alloc(70_000, 'dump'), false],
  ])('is found while it is read: %s', async (_, content, empty) => {
    const path = join(tmpdir(), `vigie-empty-${process.pid}`);
    await writeFile(path, content);
    const file = await open(path);
    const reading = await readThrough(file, null, new AbortController().signal, () => undefined);
    await file.close();
    await rm(path);
    expect(reading).toMatchObject({ empty, size: content.length });
  });
});
