/** How a text message is cut and charged. */
export interface Segments {
  /** `gsm7` while all characters are in the GSM alphabet; one other character makes all of it `ucs2`. */
  encoding: 'gsm7' | 'ucs2';
  /** Messages that the operator charges. */
  segments: number;
  /** Septets (gsm7) or 16-bit units (ucs2). */
  units: number;
}

/** 3GPP TS 23.038 §6.2.1, the basic character set. */
const BASIC = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);
/** 3GPP TS 23.038 §6.2.1.1: written with an escape, in two septets. */
const EXTENDED = new Set('\f^{}\\[~]|€');

/** Units of a message that is alone, and of a part of a longer one, whose header takes 6 bytes. */
const LENGTHS = { gsm7: { alone: 160, part: 153 }, ucs2: { alone: 70, part: 67 } } as const;

/** Counts the segments of a text. A character of two units never spans two segments. */
export function segmentsOf(text: string): Segments {
  const characters = Array.from(text);
  const encoding = characters.every((each) => BASIC.has(each) || EXTENDED.has(each)) ? 'gsm7' : 'ucs2';
  const sizeOf = (character: string) =>
    encoding === 'ucs2' ? character.length : EXTENDED.has(character) ? 2 : 1;
  const { alone, part } = LENGTHS[encoding];
  let units = 0;
  let segments = 1;
  let room: number = part;
  for (const character of characters) {
    const size = sizeOf(character);
    units += size;
    if (size > room) {
      segments += 1;
      room = part;
    }
    room -= size;
  }
  return { encoding, segments: units <= alone ? 1 : segments, units };
}

/** Punctuation and blanks by their equivalent in the GSM alphabet. */
const PUNCTUATION: ReadonlyMap<string, string> = new Map(
  Object.entries({
    "'": '’‘‚′',
    '"': '“”„«»″',
    '-': '–—‑−•·',
    '...': '…',
    ' ': '\u00a0\u202f\u2009\u2007\t',
    x: '×',
    o: '°',
  }).flatMap(([plain, typographic]) => Array.from(typographic, (each) => [each, plain] as const)),
);
/** Letters without a decomposition. */
const LETTERS: ReadonlyMap<string, string> = new Map(
  Object.entries({ œ: 'oe', Œ: 'OE', ł: 'l', Ł: 'L', đ: 'd', Đ: 'D', ı: 'i' }),
);

/** Replaces typographic punctuation and blanks, which read the same: one of them would make the whole text UCS-2. */
export function plainPunctuation(text: string): string {
  return Array.from(text, (character) => PUNCTUATION.get(character) ?? character).join('');
}

/**
 * Replaces characters outside the GSM alphabet by their nearest equivalent, where there is one: « ê » becomes « e », « ’
 * » becomes « ' ». Others stay (an emoji, another script), and the text then needs UCS-2.
 */
export function transliterated(text: string): string {
  return Array.from(plainPunctuation(text), (character) => {
    if (BASIC.has(character) || EXTENDED.has(character)) return character;
    const base = LETTERS.get(character) ?? character.normalize('NFD').replace(/\p{M}/gu, '');
    return base !== '' && Array.from(base).every((each) => BASIC.has(each)) ? base : character;
  }).join('');
}
