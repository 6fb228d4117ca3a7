import { MAX_LINE_LENGTH, MAX_LINES } from './file-line.js';
import { refused } from './refusal.js';

/** Some DOS programs end a text file with this character (Ctrl-Z). */
const END_OF_FILE = '\x1a';

/** A line of text as in an editor, without its line feed. */
export interface TextLine {
  /** Counted from 1. */
  line: number;
  /** Null when it is longer than `MAX_LINE_LENGTH`: it is not buffered. */
  content: string | null;
}

/** Splits text into lines as it arrives. Buffers at most one unfinished line, of `MAX_LINE_LENGTH` characters. */
export class LineSplitter {
  private line = 0;
  private rest: string | null = '';

  /**
   * The lines that end in this piece.
   * @throws Problem file_refused for more than `MAX_LINES`, blank ones included.
   */
  *push(text: string): Generator<TextLine> {
    let start = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      const content = joined(this.rest, text.slice(start, end));
      this.rest = '';
      start = end + 1;
      yield this.next(content);
    }
    this.rest = joined(this.rest, text.slice(start));
  }

  /** The last line; null when a line feed ended it. */
  end(): TextLine | null {
    const { rest } = this;
    this.rest = '';
    const content = rest === null ? null : withoutEndOfFile(rest);
    return content === '' ? null : this.next(content);
  }

  private next(content: string | null): TextLine {
    this.line += 1;
    if (this.line > MAX_LINES) {
      throw refused(
        'a file may have up to 1,000,000 lines, including blank ones: split it, or delete the blank lines at its end',
      );
    }
    return { line: this.line, content };
  }
}

function joined(rest: string | null, more: string): string | null {
  return rest === null || rest.length + more.length > MAX_LINE_LENGTH ? null : rest + more;
}

function withoutEndOfFile(last: string): string {
  let end = last.length;
  while (end > 0 && last.charAt(end - 1) === END_OF_FILE) end -= 1;
  return last.slice(0, end);
}

/** Converts line ends to `\n` in text that arrives in pieces: `\r\n` may be split between two. */
export class LineFeeds {
  private carried = '';

  push(text: string): string {
    const whole = this.carried + text;
    this.carried = whole.endsWith('\r') ? '\r' : '';
    const ready = this.carried === '' ? whole : whole.slice(0, -1);
    return ready.includes('\r') ? ready.replace(/\r\n?/g, '\n') : ready;
  }

  /** The buffered rest. */
  end(): string {
    return this.carried === '' ? '' : '\n';
  }
}
