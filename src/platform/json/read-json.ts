/** Limits of a JSON text. Anything within them can be checked and transformed in a few milliseconds. */
export interface JsonLimits {
  /** Levels of objects and arrays. */
  depth: number;
  /** All values: objects, arrays, texts, numbers, booleans and nulls. */
  values: number;
  /** Names in one object. */
  names: number;
  /** Whether texts may have lone surrogates: the caller replaces them. */
  illFormedTexts?: boolean;
}

export const JSON_LIMITS: JsonLimits = { depth: 32, values: 20_000, names: 1_000 };

/** A refused JSON text and the place of its fault: `pointer` is an RFC 6901 pointer, empty for the text as a whole. */
export class JsonFault extends Error {
  constructor(
    readonly pointer: string,
    readonly detail: string,
  ) {
    super(pointer === '' ? detail : `${pointer}: ${detail}`);
    this.name = 'JsonFault';
  }
}

/** Names with a special meaning in JavaScript. */
const REFUSED_NAMES = ['__proto__', 'constructor'];

/**
 * Reads an untrusted JSON text (RFC 8259): a body, a report, a line of a file. The limits are checked before anything
 * is built. Duplicate names in an object are refused: parsers disagree about which one counts (RFC 8259 §4). So are
 * texts that are not well-formed Unicode, which PostgreSQL cannot store.
 * @throws JsonFault with the place of the first fault.
 */
export function readJson(text: string, limits: JsonLimits = JSON_LIMITS): unknown {
  new Inspection(text, limits).run();
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    // Newer engines quote the unreadable text in the message: keep only the position.
    const place = /position \d+/.exec(error instanceof Error ? error.message : '')?.[0];
    throw new JsonFault('', `it is not JSON${place === undefined ? '' : `, at ${place}`}`);
  }
}

const NOT_WELL_FORMED = 'must be well-formed Unicode, without lone surrogates';
/** The escape of a surrogate, or a lone literal one; an escaped pair is a character. */
const SURROGATE = /\\u[dD][89a-fA-F]|\p{Cs}/u;

function isIllFormed(written: string): boolean {
  return SURROGATE.test(written) && /\p{Cs}/u.test(decoded(written));
}

/** An open object or array. */
interface Frame {
  /** Names so far; null in an array. */
  names: Set<string> | null;
  /** Where the next value is: its name or index. */
  at: string | number;
  expectsName: boolean;
}

/**
 * One pass over the text, without recursion and without building values. It checks only structure: `JSON.parse` reports
 * invalid JSON.
 */
class Inspection {
  private readonly open: Frame[] = [];
  private values = 0;

  constructor(
    private readonly text: string,
    private readonly limits: JsonLimits,
  ) {}

  run(): void {
    const { text } = this;
    let position = 0;
    while (position < text.length) {
      switch (text.charCodeAt(position)) {
        case 0x22: // "
          position = this.string(position);
          break;
        case 0x7b: // {
          this.begin(new Set(), '');
          position += 1;
          break;
        case 0x5b: // [
          this.begin(null, 0);
          position += 1;
          break;
        case 0x7d: // }
        case 0x5d: // ]
          this.open.pop();
          position += 1;
          break;
        case 0x2c: // ,
          this.next();
          position += 1;
          break;
        case 0x3a: // :
        case 0x20:
        case 0x09:
        case 0x0a:
        case 0x0d:
          position += 1;
          break;
        default:
          this.count();
          position = this.endOfWord(position);
      }
    }
  }

  private begin(names: Set<string> | null, at: string | number): void {
    this.count();
    if (this.open.length >= this.limits.depth) {
      this.refuse(`must not be nested more than ${this.limits.depth} levels`);
    }
    this.open.push({ names, at, expectsName: names !== null });
  }

  private next(): void {
    const frame = this.open.at(-1);
    if (frame === undefined) return;
    if (typeof frame.at === 'number') frame.at += 1;
    else frame.expectsName = true;
  }

  /** @returns the position after the text that begins at `start`. */
  private string(start: number): number {
    const end = this.endOfString(start + 1);
    const written = this.text.slice(start + 1, end);
    const frame = this.open.at(-1);
    if (frame?.names != null && frame.expectsName) this.name(frame.names, frame, decoded(written));
    else {
      this.count();
      if (this.limits.illFormedTexts !== true && isIllFormed(written)) this.refuse(NOT_WELL_FORMED);
    }
    return end + 1;
  }

  private name(names: Set<string>, frame: Frame, name: string): void {
    if (/\p{Cs}/u.test(name)) this.refuse('has a name that is not well-formed Unicode', true);
    if (REFUSED_NAMES.includes(name)) this.refuse(`must not contain the name ${name}`, true);
    if (names.size >= this.limits.names) this.refuse(`must have at most ${this.limits.names} names`, true);
    frame.at = name;
    frame.expectsName = false;
    if (names.has(name)) this.refuse('appears twice');
    names.add(name);
  }

  private endOfString(from: number): number {
    const { text } = this;
    for (let quote = text.indexOf('"', from); quote !== -1; quote = text.indexOf('"', quote + 1)) {
      let slashes = 0;
      while (quote - slashes > from && text.charCodeAt(quote - slashes - 1) === 0x5c) slashes += 1;
      if (slashes % 2 === 0) return quote;
    }
    return text.length;
  }

  /** A number, `true`, `false` or `null`. */
  private endOfWord(start: number): number {
    END_OF_WORD.lastIndex = start + 1;
    return END_OF_WORD.exec(this.text)?.index ?? this.text.length;
  }

  private count(): void {
    this.values += 1;
    if (this.values > this.limits.values) {
      throw new JsonFault('', `it must hold at most ${this.limits.values} values`);
    }
  }

  /** @param outer the fault is the object's own, not one of its members'. */
  private refuse(detail: string, outer = false): never {
    const frames = outer ? this.open.slice(0, -1) : this.open;
    throw new JsonFault(frames.map(({ at }) => `/${escaped(String(at))}`).join(''), detail);
  }
}

const END_OF_WORD = /[",:[\]{}\s]/g;

/** A text without its escapes; unchanged when it is not JSON. */
function decoded(written: string): string {
  if (!written.includes('\\')) return written;
  try {
    return JSON.parse(`"${written}"`) as string;
  } catch {
    return written;
  }
}

/** RFC 6901: `~` and `/` are escaped as `~0` and `~1`. Long names are truncated, because they are shown to people. */
function escaped(name: string): string {
  return name.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1');
}
