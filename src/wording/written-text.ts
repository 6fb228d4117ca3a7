import { parseUrl } from '../platform/text/url.js';

/** A part of a line: plain, or an address to link to. */
export interface Piece {
  text: string;
  url: string | null;
}

// Stops at blanks, quotes and angle brackets; punctuation at the end is removed afterwards.
const ADDRESS = /\bhttps?:\/\/[^\s<>"\u00ab\u00bb\u201c\u201d]{1,2000}/gi;
const SENTENCE_END = /[.,;:!?'\u2019\u2026*_]$/;
const BRACKETS: ReadonlyMap<string, string> = new Map([
  [')', '('],
  [']', '['],
  ['}', '{'],
]);

/** Paragraphs as arrays of lines, separated by blank lines. */
export function paragraphs(text: string): string[][] {
  const found: string[][] = [];
  let current: string[] = [];
  // By lines, not by one expression: a run of 100,000 spaces must not take quadratic time.
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    if (trimmed !== '') {
      if (current.push(trimmed) === 1) found.push(current);
    } else if (current.length > 0) {
      current = [];
    }
  }
  return found;
}

/** Splits a line at the boundaries of its web addresses: « (voir https://a.fr/x). » has the address without `).`. */
export function pieces(line: string): Piece[] {
  const found: Piece[] = [];
  let end = 0;
  for (const match of line.matchAll(ADDRESS)) {
    const address = withoutSentenceEnd(match[0]);
    if (httpUrl(address) === '') continue;
    if (match.index > end) found.push({ text: line.slice(end, match.index), url: null });
    found.push({ text: address, url: address });
    end = match.index + address.length;
  }
  if (end < line.length) found.push({ text: line.slice(end), url: null });
  return found;
}

/** The beginning on one line, at most `length` characters. */
export function excerpt(text: string, length: number): string {
  const line = text
    .slice(0, 20 * length)
    .replace(/\s+/g, ' ')
    .trim();
  const characters = Array.from(line.slice(0, 2 * length + 2));
  return characters.length > length
    ? `${characters
        .slice(0, length - 1)
        .join('')
        .trimEnd()}…`
    : line;
}

/** The address if it is http or https, else nothing. */
export function httpUrl(value: unknown): string {
  const url = typeof value === 'string' ? parseUrl(value) : null;
  return url !== null && /^https?:$/.test(url.protocol) ? url.href : '';
}

/** A closing bracket stays if the address opens one: …/Vigie_(tour). Counted once: 2,000 brackets take one pass. */
function withoutSentenceEnd(address: string): string {
  const counts = new Map<string, number>();
  for (const character of address) counts.set(character, countOf(counts, character) + 1);
  let end = address.length;
  for (; end > 0; end--) {
    const last = address.charAt(end - 1);
    const opening = BRACKETS.get(last);
    const unopened = opening !== undefined && countOf(counts, opening) < countOf(counts, last);
    if (!unopened && !SENTENCE_END.test(last)) break;
    counts.set(last, countOf(counts, last) - 1);
  }
  return address.slice(0, end);
}

function countOf(counts: ReadonlyMap<string, number>, character: string): number {
  return counts.get(character) ?? 0;
}
