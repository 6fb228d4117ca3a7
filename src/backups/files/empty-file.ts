import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import {
  isEmpty7z,
  isEmptyBzip2,
  isEmptyCompress,
  isEmptyLz4,
  isEmptyLzip,
  isEmptyLzma,
  isEmptyTar,
  isEmptyXz,
  isEmptyZip,
  isEmptyZstd,
} from './archive-headers.js';

/** Larger files are not inspected: an empty archive is smaller. */
export const MAX_EMPTY_BYTES = 65_536;
/** How many bytes of a compressed file are searched for an archive. */
const MAX_INNER_BYTES = 262_144;
const ZEROS = Buffer.alloc(65_536);

const EMPTY_FORMATS = [
  isEmptyXz,
  isEmptyZstd,
  isEmptyBzip2,
  isEmptyLz4,
  isEmptyLzip,
  isEmptyLzma,
  isEmptyCompress,
  isEmpty7z,
  isEmptyZip,
  isEmptyTar,
];

/**
 * Whether a file has no backup in it: no bytes, only zeros and blanks, or an archive or compressed file of such
 * content. An agent whose dump failed often compresses nothing and reports a success.
 * @param content the whole file, at most `MAX_EMPTY_BYTES`
 */
export async function hasNoBackup(content: Buffer): Promise<boolean> {
  if (isBlank(content) || EMPTY_FORMATS.some((isEmpty) => isEmpty(content))) return true;
  return content[0] === 0x1f && content[1] === 0x8b && (await hasNoBackupInside(content));
}

/** Treats invalid or truncated gzip data as not empty. */
async function hasNoBackupInside(gzip: Buffer): Promise<boolean> {
  const parts: Buffer[] = [];
  let bytes = 0;
  let blank = true;
  try {
    for await (const part of Readable.from([gzip]).pipe(createGunzip()) as AsyncIterable<Buffer>) {
      blank &&= isBlank(part);
      if (bytes < MAX_INNER_BYTES) parts.push(part);
      else if (!blank) return false;
      bytes += part.length;
    }
  } catch {
    return false;
  }
  const inner = Buffer.concat(parts);
  return blank || (bytes <= MAX_INNER_BYTES && EMPTY_FORMATS.some((isEmpty) => isEmpty(inner)));
}

/** Whether all bytes are zeros, as a full disk or an interrupted copy leaves them. */
export function isZeros(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const piece = bytes.subarray(at, at + ZEROS.length);
    if (!piece.equals(ZEROS.subarray(0, piece.length))) return false;
  }
  return true;
}

/** Zeros, white space, and a byte order mark. */
function isBlank(content: Buffer): boolean {
  const begin = content[0] === 0xef && content[1] === 0xbb && content[2] === 0xbf ? 3 : 0;
  return (
    isZeros(content) ||
    content.subarray(begin).every((byte) => byte === 0 || byte === 0x20 || (byte >= 9 && byte <= 13))
  );
}
