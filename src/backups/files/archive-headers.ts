/*
 * The signatures of archives and compressed files that hold nothing, from their formats' specifications. Each function
 * takes the whole file. A file that is not what its signature says holds something: the agent's hash says that it is
 * what the agent made. The empty stream is all of the file: programs that compress in parts may begin with an empty one.
 */

/** XZ (xz-file-format 1.2.0, 2.1): an index directly after the 12 bytes of the stream's header means no block; 32 bytes in all. */
export function isEmptyXz(file: Buffer): boolean {
  return startsWith(file, 'fd377a585a00') && file[12] === 0 && file.length <= 32;
}

/** Zstandard (RFC 8878, 3.1.1): the first block is the last one, and has no bytes. */
export function isEmptyZstd(file: Buffer): boolean {
  if (!startsWith(file, '28b52ffd')) return false;
  const descriptor = file[4] ?? 0;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const block = 5 + (isSingleSegment ? 0 : 1) + dictionaryBytes + contentSizeBytes;
  if (file.length < block + 3) return false;
  const header = file.readUIntLE(block, 3);
  const isLast = (header & 1) === 1;
  const isRaw = ((header >> 1) & 3) === 0;
  const checksumBytes = (descriptor & 0x04) === 0 ? 0 : 4;
  return isLast && isRaw && header >> 3 === 0 && file.length <= block + 3 + checksumBytes;
}

/** Bzip2: the end of the stream directly after its header; 14 bytes in all. */
export function isEmptyBzip2(file: Buffer): boolean {
  return (
    startsWith(file, '425a68') && file.subarray(4, 10).toString('hex') === '177245385090' && file.length <= 14
  );
}

/** LZ4 frame (format 1.6): the end mark directly after the header. */
export function isEmptyLz4(file: Buffer): boolean {
  if (!startsWith(file, '04224d18')) return false;
  const flags = file[4] ?? 0;
  const end = 7 + ((flags & 0x08) === 0 ? 0 : 8) + ((flags & 0x01) === 0 ? 0 : 4);
  const checksumBytes = (flags & 0x04) === 0 ? 0 : 4;
  return file.length >= end + 4 && file.readUInt32LE(end) === 0 && file.length <= end + 4 + checksumBytes;
}

/** Lzip: the trailer has the size of the data, and of its member: the only one of the file. */
export function isEmptyLzip(file: Buffer): boolean {
  return (
    startsWith(file, '4c5a4950') &&
    file.length >= 26 &&
    file.readBigUInt64LE(file.length - 16) === 0n &&
    file.readBigUInt64LE(file.length - 8) === BigInt(file.length)
  );
}

/** LZMA alone (`xz --format=lzma`): the end marker directly after the header. */
export function isEmptyLzma(file: Buffer): boolean {
  return startsWith(file, '5d0000') && file.subarray(13).toString('hex') === '0083fffbffffc0000000';
}

/** `compress`: no code after the header. */
export function isEmptyCompress(file: Buffer): boolean {
  return startsWith(file, '1f9d') && file.length === 3;
}

/** 7z: no header follows the start header. */
export function isEmpty7z(file: Buffer): boolean {
  return startsWith(file, '377abcaf271c') && file.length >= 32 && file.readBigUInt64LE(20) === 0n;
}

const ZIP_END = Buffer.from('504b0506', 'hex');
const ZIP_ENTRY = 0x02014b50;

/** ZIP (APPNOTE 4.3): no entry of the central directory has bytes. */
export function isEmptyZip(file: Buffer): boolean {
  if (!startsWith(file, '504b')) return false;
  const end = file.lastIndexOf(ZIP_END);
  if (end < 0 || end + 22 > file.length) return false;
  const entries = file.readUInt16LE(end + 10);
  let at = file.readUInt32LE(end + 16);
  for (let entry = 0; entry < entries; entry++) {
    if (at + 46 > file.length || file.readUInt32LE(at) !== ZIP_ENTRY) return false;
    if (file.readUInt32LE(at + 24) !== 0) return false;
    at += 46 + file.readUInt16LE(at + 28) + file.readUInt16LE(at + 30) + file.readUInt16LE(at + 32);
  }
  return true;
}

const TAR_BLOCK = 512;
/** Headers that describe the next one (pax, GNU): their content is not a file. */
const TAR_NOTES = 'xgLK';

/** Tar (POSIX.1-2017, pax): no entry has bytes. `isZeros` has already found an archive of zeros. */
export function isEmptyTar(file: Buffer): boolean {
  if (file.subarray(257, 262).toString('latin1') !== 'ustar') return false;
  for (let at = 0; at + TAR_BLOCK <= file.length;) {
    if (file[at] === 0) return true;
    const written = file.subarray(at + 124, at + 136).toString('latin1');
    const size = /^[0-7]+/.exec(written)?.[0];
    if (size === undefined) return false;
    const bytes = parseInt(size, 8);
    const isNote = TAR_NOTES.includes(String.fromCharCode(file[at + 156] ?? 0));
    if (bytes > 0 && !isNote) return false;
    at += TAR_BLOCK + Math.ceil(bytes / TAR_BLOCK) * TAR_BLOCK;
  }
  return true;
}

function startsWith(file: Buffer, hex: string): boolean {
  return file.subarray(0, hex.length / 2).toString('hex') === hex;
}
