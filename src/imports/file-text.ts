import { isAscii, isUtf8 } from 'node:buffer';
import { Problem } from '../platform/errors/problem.js';
import { type ByteDecoder, decoderOf } from './encodings.js';
import { refused } from './refusal.js';
import { WrongLetters } from './wrong-letters.js';

/** Enough to recognise the type of a file. */
const HEAD_BYTES = 512;
/** Bytes, from the first non-ASCII one, that together decide the encoding of a file without a declared one. */
const EVIDENCE_BYTES = 262_144;

const MARKS: [string, Buffer][] = [
  ['utf-8', Buffer.from([0xef, 0xbb, 0xbf])],
  ['utf-16le', Buffer.from([0xff, 0xfe])],
  ['utf-16be', Buffer.from([0xfe, 0xff])],
];

const NOT_TEXT: [Buffer, string][] = [
  [Buffer.from('PK\x03\x04'), 'this looks like an Excel workbook (or another ZIP file): save it as CSV'],
  [Buffer.from([0xd0, 0xcf, 0x11, 0xe0]), 'this looks like an Excel workbook: save it as CSV'],
  [Buffer.from([0x1f, 0x8b]), 'this is a gzip file: send it uncompressed'],
  [Buffer.from('%PDF'), 'this is a PDF: export the table as CSV'],
  [Buffer.from('\x89PNG', 'latin1'), 'this is an image (PNG), not a text file'],
];

/** UTF-8 sequences of the letters and signs of Western Europe: U+0080 to U+017F, and punctuation. */
const WESTERN = /[\xc2-\xc5][\x80-\xbf]|[\xe2\xef][\x80-\xbf]{2}/;
/** A letter of another script next to a Latin one. */
const MIXED_SCRIPTS = /\p{Script=Latin}(?!\p{Script=Latin})\p{L}|(?!\p{Script=Latin})\p{L}\p{Script=Latin}/u;

/**
 * Decodes the bytes of a file as they arrive. The encoding is named by a byte order mark, or else by the declared
 * charset. Without both the file is ASCII up to the first non-ASCII byte, and the next `EVIDENCE_BYTES` decide: UTF-8
 * if valid, otherwise Windows-1252 (what Excel writes as "CSV"), as long as its words could be French.
 */
export class FileText {
  encoding = 'us-ascii';
  private held: Buffer[] = [];
  private pendingBytes = 0;
  private headSeen = false;
  private begun = false;
  private decoder: ByteDecoder | null = null;
  private readonly wrongLetters = new WrongLetters();
  private isGuessed = false;

  /**
   * @param declared the charset that the sender names, or null
   * @throws Problem unsupported_media_type for an unknown one.
   */
  constructor(private readonly declared: string | null = null) {
    if (declared !== null) decoderOf(declared);
  }

  /**
   * @param last whether this is the last piece
   * @throws Problem unsupported_media_type when it is not text, file_refused when its encoding changes midway.
   */
  push(bytes: Buffer, last = false): string {
    const text = this.decoder === null ? this.find(bytes, last) : this.decode(bytes, last);
    if (this.begun || text === '') return text;
    this.begun = true;
    // Some programs write the byte order mark twice.
    return text.replace(/^\ufeff+/, '');
  }

  private find(bytes: Buffer, last: boolean): string {
    this.held.push(bytes);
    this.pendingBytes += bytes.length;
    const needed = this.headSeen ? EVIDENCE_BYTES : HEAD_BYTES;
    const plain = this.headSeen && this.pendingBytes === bytes.length && isAscii(bytes);
    if (this.pendingBytes < needed && !last && !plain) return '';
    const known = this.held.length === 1 ? bytes : Buffer.concat(this.held);
    this.held = [];
    this.pendingBytes = 0;
    if (!this.headSeen) {
      this.headSeen = true;
      if (this.isNamed(known)) return this.decode(known, last);
    }
    return this.decide(known, last);
  }

  /** Whether a byte order mark or the declared charset names the encoding. */
  private isNamed(head: Buffer): boolean {
    for (const [magic, detail] of NOT_TEXT) {
      if (head.subarray(0, magic.length).equals(magic)) throw new Problem('unsupported_media_type', detail);
    }
    const mark = MARKS.find(([, bytes]) => head.subarray(0, bytes.length).equals(bytes));
    const named = mark?.[0] ?? this.declared;
    if (named !== null) this.decodeAs(named);
    if (!this.encoding.startsWith('utf-16') && head.subarray(0, HEAD_BYTES).includes(0)) {
      throw new Problem(
        'unsupported_media_type',
        'this is not a text file; if it is UTF-16, name it: charset=utf-16le',
      );
    }
    return named !== null;
  }

  private decide(bytes: Buffer, last: boolean): string {
    if (isAscii(bytes)) return this.plain(bytes);
    const at = bytes.findIndex((byte) => byte >= 0x80);
    const rest = bytes.subarray(at);
    if (rest.length < EVIDENCE_BYTES && !last) {
      this.held = [rest];
      this.pendingBytes = rest.length;
      return this.plain(bytes.subarray(0, at));
    }
    const whole = rest.subarray(0, lengthOfWhole(rest));
    if (whole.length > 0 && isUtf8(whole)) {
      this.decodeAs('utf-8');
      const text = this.decode(bytes, last);
      if (!WESTERN.test(rest.toString('latin1')) && MIXED_SCRIPTS.test(text)) throw unknownEncoding();
      return text;
    }
    this.decodeAs('windows-1252');
    this.isGuessed = true;
    return this.decode(bytes, last);
  }

  private plain(bytes: Buffer): string {
    const text = bytes.toString('latin1');
    this.wrongLetters.pass(text);
    return text;
  }

  private decodeAs(label: string): void {
    const { encoding, decoder } = decoderOf(label);
    this.encoding = encoding;
    this.decoder = decoder;
  }

  private decode(bytes: Buffer, last: boolean): string {
    let text: string;
    try {
      text = this.decoder?.decode(bytes, last) ?? '';
    } catch (error) {
      const began = this.declared === null ? 'begins' : 'is sent';
      throw new Problem(
        'file_refused',
        `the file ${began} as ${this.encoding}, but contains bytes that are not: is it complete? ` +
          'Save it as CSV UTF-8, or name its encoding in the Content-Type (text/csv; charset=…)',
        { cause: error },
      );
    }
    if (this.isGuessed) this.wrongLetters.check(text);
    return text;
  }
}

/** The number of bytes without an incomplete UTF-8 character at the end. */
function lengthOfWhole(bytes: Buffer): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) break;
    if (byte >= 0xc0) return back < sequenceLength(byte) ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** The length of the UTF-8 character that starts with this byte. */
function sequenceLength(first: number): number {
  return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
}

function unknownEncoding(): Problem {
  return refused(
    'cannot detect the encoding of the file: save it as CSV UTF-8, or name the encoding in the Content-Type (text/csv; charset=…)',
  );
}
