/** Blanks and invisible characters: Unicode's default-ignorable characters and the blank Braille pattern. */
const LEADING = /^[\s\p{Default_Ignorable_Code_Point}\u2800]+/u;
/** Variation selectors and tags: at the end of an emoji they belong to it (UTS #51). */
const PART_OF_EMOJI = /\p{Variation_Selector}|[\u{e0020}-\u{e007f}]/u;
const UNSEEN = /[\s\p{Default_Ignorable_Code_Point}\u2800]/u;
const SPACES = /\p{Zs}/gu;
/** Zero-width characters that get pasted along with a text: they are not part of a name. */
const UNSEEN_INSIDE = /[\u00ad\u180e\u200b\u200e\u200f\u2060\ufeff]/g;

/**
 * A text as stored: composed (Unicode NFC), without surrounding blanks and invisible characters. A text without visible
 * characters becomes empty. Not for passwords and file names, whose exact bytes matter.
 */
export function normalized(text: string): string {
  // normalize() would replace a lone surrogate, which must be refused instead.
  if (/\p{Cs}/u.test(text)) return text;
  const composed = text.normalize('NFC').replace(LEADING, '');
  let end = composed.length;
  while (end > 0) {
    const last = lastCharacter(composed, end);
    if (!UNSEEN.test(last) || PART_OF_EMOJI.test(last)) break;
    end -= last.length;
  }
  return composed.slice(0, end);
}

/**
 * The form in which names are compared: names that look equal are equal. Every kind of space (such as the no-break
 * space of French) becomes a space, and zero-width characters are removed.
 */
export function comparable(text: string): string {
  return normalized(text.replace(UNSEEN_INSIDE, '').replace(SPACES, ' '));
}

/** The last character before `end`; it may be two UTF-16 units. */
function lastCharacter(text: string, end: number): string {
  const low = text.charCodeAt(end - 1);
  const isPair = low >= 0xdc00 && low <= 0xdfff && end > 1;
  return text.slice(isPair ? end - 2 : end - 1, end);
}
