import { parsePhoneNumberFromString } from 'libphonenumber-js/max';

/** What is searched for in texts. */
export interface Needles {
  /** E-mail addresses and phone numbers, in lower case. */
  addresses: readonly string[];
  /** Null: not searched for. */
  name: string | null;
}

/** What replaces a name or an address. One character: a text never becomes longer than its column takes. */
export const ERASED = '…';

/** The syntax of regular expressions; both ignore case. */
export type Dialect = 'postgresql' | 'javascript';

/** What stands before a needle in JSON text: `\n` is two characters there, and its `n` is no letter of a word. */
const AFTER_ESCAPE = String.raw`(?<=\\[nrtbf])`;

/**
 * One regular expression that finds the person's addresses and name in a text, and nothing that only contains them:
 * `ana@x.example` is not in `diana@x.example`. A phone number is found however it is grouped, with its country code or
 * the trunk prefix 0.
 */
export function patternOf({ addresses, name }: Needles, dialect: Dialect): string {
  const parts = addresses.map((address) =>
    address.includes('@') ? emailPattern(address) : phonePattern(address),
  );
  if (name !== null) parts.push(namePattern(name, dialect));
  return parts.join('|');
}

/**
 * A regular expression that finds all that `patternOf` finds, and more: what stands before and after does not matter.
 * PostgreSQL reads a text with it a hundred times faster, so most texts are only read with this one.
 */
export function loosePatternOf({ addresses, name }: Needles): string {
  const parts = addresses.map((address) =>
    address.includes('@') ? email(address) : numberOf(address).digits,
  );
  if (name !== null) parts.push(...spellings(name));
  return parts.join('|');
}

/** A name of one word is a word: it is not replaced. */
export function isFullName(name: string): boolean {
  return name.trim().split(/\s+/).length > 1;
}

function emailPattern(address: string): string {
  return `${after('[a-z0-9._+-]')}${email(address)}(?![a-z0-9-]|\\.[a-z0-9])`;
}

function phonePattern(number: string): string {
  const { country, digits } = numberOf(number);
  // Never inside of a number of JSON, which would then be none: those have no leading +, 0 or 00.
  return `(?<![0-9])(?<![0-9][.,])(?:${country}|0)${digits}(?![0-9])`;
}

function namePattern(name: string, dialect: Dialect): string {
  const letter = dialect === 'postgresql' ? '[[:alnum:]]' : String.raw`[\p{L}\p{N}]`;
  return `${after(letter)}(?:${spellings(name).join('|')})(?!${letter})`;
}

function email(address: string): string {
  const at = address.lastIndexOf('@');
  return `${literal(address.slice(0, at))}(?:@|%40)${literal(address.slice(at + 1))}`;
}

/** A number's country code as it is written, and its other digits, however grouped. */
function numberOf(number: string): { country: string; digits: string } {
  const parsed = parsePhoneNumberFromString(number);
  const [code, national] =
    parsed === undefined
      ? ['', number.replace(/\D/g, '')]
      : [parsed.countryCallingCode, parsed.nationalNumber];
  return {
    country: `(?:\\+|00)${code}[ ./-]?(?:\\(0\\)[ ./-]?)?`,
    digits: national.split('').join('[ ./-]?'),
  };
}

/** The name as it is written, and as JSON writes it: it may have a quote. */
function spellings(name: string): string[] {
  const words = name.trim().split(/\s+/);
  return [...new Set([words, words.map((word) => JSON.stringify(word).slice(1, -1))].map(joined))];
}

function joined(words: readonly string[]): string {
  return words.map(literal).join(String.raw`\s+`);
}

function after(letter: string): string {
  return `(?:(?<!${letter})|${AFTER_ESCAPE})`;
}

/** Only characters with a meaning are escaped: others must not be in JavaScript's `u` mode. */
function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
