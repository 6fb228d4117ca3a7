import { decoderOf, windows1252Bytes } from './encodings.js';
import type { Problem } from '../platform/errors/problem.js';
import { refused } from './refusal.js';

/** Signs that make a closer look worthwhile: most texts have none. */
const UNUSUAL = /[\x81\x8d\x8f\x90\x9d‚„ƒˆ†‡‰‹›™×¤¦¨¬¯±¶¸¿¡÷½¼¾ŠŽŒŸÂÃ]/;

/**
 * Sequences that no French text has, but other encodings read as Windows-1252 do: `soci‚t‚` (DOS), `sociŽtŽ`
 * (Macintosh), `c½ur` (ISO-8859-15), `sociÃ©tÃ©` (UTF-8). A name may start with Š or Ž; no word has one after a small
 * letter.
 */
const WRONG = new RegExp(
  [
    '[\\x81\\x8d\\x8f\\x90\\x9d¤]',
    '\\p{L}[‚„ƒˆ]',
    '[‚„ƒˆ]\\p{L}',
    '\\p{L}[†‡‰‹›™×¦¨¬¯±¶¸¿¡÷]\\p{L}',
    '\\p{Ll}[ŠŽŒŸ]',
    '\\p{L}[½¼¾]',
    '[½¼][uincs]',
    '[ÂÃ][\\x80-\\xbf‚ƒ„…†‡ˆ‰‹‘’“”•–—˜™›€]',
  ].join('|'),
  'u',
);

const OTHERS = ['utf-8', 'ibm850', 'macintosh', 'iso-8859-15'];
/** Letters of French by frequency, and signs. */
const FRENCH: Readonly<Record<string, number>> = Object.fromEntries([
  ...Array.from('é', (letter) => [letter, 16]),
  ...Array.from('àè', (letter) => [letter, 8]),
  ...Array.from('êçÉ’', (letter) => [letter, 4]),
  ...Array.from('âîïôûùëœÀÈÊÇŒ€', (letter) => [letter, 2]),
  ...Array.from('äöüæÿÂÎÏÔÛÙËÄÖÜÆŸ°«»\xa0', (letter) => [letter, 1]),
]) as Record<string, number>;
/** Characters shown around a suspicious one. */
const CONTEXT = 20;

/** Checks text that was assumed to be Windows-1252 because nothing names its encoding. */
export class WrongLetters {
  private before = '';

  /** Text that precedes the text to check. */
  pass(text: string): void {
    this.before = (this.before + text).slice(-CONTEXT);
  }

  /** @throws Problem file_refused when the text shows that it has another encoding. */
  check(text: string): void {
    const piece = this.before + text;
    this.before = piece.slice(-CONTEXT);
    if (!UNUSUAL.test(piece)) return;
    const found = WRONG.exec(piece);
    if (found !== null) throw wrongLetters(piece, found.index);
  }
}

function wrongLetters(text: string, at: number): Problem {
  const word = wordAt(text, at);
  const [read] = OTHERS.map((label) => ({ label, text: readAs(label, word) }))
    .map((other) => ({ ...other, likeness: likenessToFrench(other.text) }))
    .filter(({ likeness }) => likeness > 0)
    .sort((one, other) => other.likeness - one.likeness);
  if (read?.label === 'utf-8') {
    return refused(`the file mixes UTF-8 ("${read.text}") with another encoding: save it as CSV UTF-8`);
  }
  const guess =
    read === undefined
      ? 'Name its encoding in the Content-Type (text/csv; charset=…)'
      : `Read as ${read.label}, it is "${read.text}": if that is right, send it as text/csv; charset=${read.label}`;
  return refused(
    `the file is not UTF-8, and reading it as Windows-1252 gives letters that French does not use: "${word.replace(/\p{Cc}/gu, '\ufffd')}". ` +
      `${guess}, or save it as CSV UTF-8`,
  );
}

function wordAt(text: string, at: number): string {
  const before = /[^\s;,"]*$/.exec(text.slice(Math.max(0, at - CONTEXT), at))?.[0] ?? '';
  const behind = /^.[^\s;,"]*/su.exec(text.slice(at, at + CONTEXT))?.[0] ?? '';
  return before + behind;
}

function readAs(label: string, word: string): string {
  try {
    return decoderOf(label).decoder.decode(windows1252Bytes(word), true);
  } catch {
    return '';
  }
}

/** 0 for a word that is not French; higher for one with frequent letters. */
function likenessToFrench(word: string): number {
  // No word switches between small and capital letters at an accent.
  if (/\p{Ll}(?=\p{Lu})\P{ASCII}|(?=\p{Ll})\P{ASCII}\p{Lu}/u.test(word)) return 0;
  const values = Array.from(word.replace(/[\x20-\x7e]/g, ''), (letter) => FRENCH[letter] ?? 0);
  return values.includes(0) ? 0 : values.reduce((sum, value) => sum + value, 0);
}
