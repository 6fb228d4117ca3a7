import { paragraphs } from '../written-text.js';
import type { Words } from '../worded.js';
import { plainPunctuation, segmentsOf, transliterated } from './segments.js';

/** Twilio's and SNS' limit, in characters. */
export const MAX_SMS_LENGTH = 1_600;
/** Most segments of a text that Vigie words itself: each is charged. */
const MAX_OWN_SEGMENTS = 2;

/** A text message. */
export interface SmsText {
  text: string;
  segments: number;
}

/** What somebody wrote, as they wrote it: it is not replaced if it would become too long and lose its end. */
export function writtenSms(body: string, toGsm: boolean): SmsText {
  const replaced = toGsm ? transliterated(body) : body;
  return counted(Array.from(replaced).length <= MAX_SMS_LENGTH ? replaced : body);
}

/**
 * Our own words: the title, the first paragraph of the body, and who it is from, in as many segments as permitted. The
 * title and the sender are kept, what no longer fits is dropped line by line. Typographic punctuation is replaced in any
 * case: it would make nearly every French text longer.
 * @param lines the body's lines; for a bundle the titles of its items
 */
export function wordedSms({ title, body }: Words, from: string, toGsm: boolean): SmsText {
  const convert = toGsm ? transliterated : plainPunctuation;
  const [first = []] = paragraphs(body);
  const closing = title.includes(from) ? [] : [from];
  const lines = first.slice();
  for (;;) {
    const sms = counted(convert([title, ...lines, ...closing].join('\n')));
    if (sms.segments <= MAX_OWN_SEGMENTS || lines.length === 0) return sms;
    lines.pop();
  }
}

function counted(text: string): SmsText {
  const cut = Array.from(text).slice(0, MAX_SMS_LENGTH).join('');
  return { text: cut, segments: segmentsOf(cut).segments };
}
