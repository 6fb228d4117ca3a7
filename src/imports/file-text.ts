import { isAscii, isUtf8 } from 'node:buffer';
import { Problem } from '../platform/errors/problem.js';
import { refused } from './refusal.js';

export type Encoding = 'us-ascii' | 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';

/** Enough to see what a file is. */
const HEAD_BYTES = 512;
/** The longest character of UTF-8. */
const CHARACTER_BYTES = 4;

const MARKS: [Encoding, Buffer][] = [
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

/** 0x80 to 0x9f of Windows-1252; the five that it leaves open stay control characters, which no field takes. */
const WINDOWS_1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

/**
 * Turns the bytes of a file into text as they arrive. A byte order mark names the encoding; without one they are
 * ASCII up to the first character that is not, and that one decides: UTF-8 if its bytes are, Windows-1252 (what
 * Excel writes as "CSV") if not.
 */
export class FileText {
  encoding: Encoding = 'us-ascii';
  private held: Buffer = Buffer.alloc(0);
  private headSeen = false;
  private decoder: InstanceType<typeof TextDecoder> | null = null;

  /**
   * @param last whether nothing follows
   * @throws Problem unsupported_media_type when it is no text at all, file_refused when it is not what it began as.
   */
  push(bytes: Buffer, last = false): string {
    if (this.decoder !== null) return this.decode(bytes, last);
    if (this.encoding === 'windows-1252') return windows1252(bytes);
    const known = this.held.length === 0 ? bytes : Buffer.concat([this.held, bytes]);
    this.held = Buffer.alloc(0);
    if (!this.headSeen) {
      if (known.length < HEAD_BYTES && !last) {
        this.held = known;
        return '';
      }
      this.headSeen = true;
      if (this.isMarked(known)) return this.decode(known, last);
    }
    return this.decideByFirstForeign(known, last);
  }

  /** Whether a byte order mark says what it is. */
  private isMarked(head: Buffer): boolean {
    for (const [magic, detail] of NOT_TEXT) {
      if (head.subarray(0, magic.length).equals(magic)) throw new Problem('unsupported_media_type', detail);
    }
    const mark = MARKS.find(([, bytes]) => head.subarray(0, bytes.length).equals(bytes));
    if (mark !== undefined) this.decodeAs(mark[0]);
    if (mark === undefined && head.subarray(0, HEAD_BYTES).includes(0)) {
      throw new Problem('unsupported_media_type', 'this is not a text file');
    }
    return mark !== undefined;
  }

  private decideByFirstForeign(bytes: Buffer, last: boolean): string {
    if (isAscii(bytes)) return bytes.toString('latin1');
    const at = bytes.findIndex((byte) => byte >= 0x80);
    const plain = bytes.toString('latin1', 0, at);
    const rest = bytes.subarray(at);
    if (rest.length < CHARACTER_BYTES && !last) {
      this.held = rest;
      return plain;
    }
    if (isUtf8(rest.subarray(0, utf8Length(rest[0] ?? 0)))) {
      this.decodeAs('utf-8');
      return plain + this.decode(rest, last);
    }
    this.encoding = 'windows-1252';
    return plain + windows1252(rest);
  }

  private decodeAs(encoding: Encoding): void {
    this.encoding = encoding;
    this.decoder = new TextDecoder(encoding, { fatal: true });
  }

  private decode(bytes: Buffer, last: boolean): string {
    try {
      return this.decoder?.decode(bytes, { stream: !last }) ?? '';
    } catch {
      throw refused(
        `the file begins as ${this.encoding}, but has bytes further on that are not: save it anew`,
      );
    }
  }
}

/** How many bytes a character has that begins with this one; 1 where none can. */
function utf8Length(first: number): number {
  return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 1;
}

function windows1252(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/[\x80-\x9f]/g, (character) => {
    return WINDOWS_1252.charAt(character.charCodeAt(0) - 0x80);
  });
}
